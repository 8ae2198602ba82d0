//! hoplog as a sender of OTLP, against OpenTelemetry's own messages and a collector that is not ours.

use std::process::Command;

use super::python::Python;
use crate::outcome::Failure;
use crate::process;
use crate::workspace::Workspace;

const SENDER: &str = "everything";

pub(super) fn run(workspace: &Workspace, python: &Python) -> Result<(), Failure> {
    println!("\n--- OTLP");
    let arguments = ["build", "--package", "hoplog", "--features", "otlp", "--example", SENDER];
    let built = process::build(&workspace.root, "example", &arguments)?;
    let sender = built.iter().find(|executable| executable.name == SENDER);
    let sender = sender.ok_or_else(|| Failure::new("crates/core has no example named everything"))?;
    let mut script = Command::new(&python.program);
    script
        .arg(workspace.root.join("tests/interop/otlp_receiver.py"))
        .arg(&sender.path)
        // Neither bytecode beside the script, nor a proxy between programs on one machine.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("no_proxy", "*");
    process::run(&mut script)
}
