//! hoplog as a sender of OTLP, against OpenTelemetry's own messages, a collector that is not ours, and ours.

use std::path::Path;
use std::process::Command;

use super::python::Python;
use super::server::{Server, Store};
use crate::outcome::Failure;
use crate::process;
use crate::workspace::Workspace;

const SENDER: &str = "everything";

pub(super) fn run(workspace: &Workspace, python: &Python, hoplog: &Path) -> Result<(), Failure> {
    println!("\n--- OTLP");
    let arguments = ["build", "--package", "hoplog", "--features", "otlp", "--example", SENDER];
    let built = process::build(&workspace.root, "example", &arguments)?;
    let sender = built.iter().find(|executable| executable.name == SENDER);
    let sender = sender.ok_or_else(|| Failure::new("crates/core has no example named everything"))?;
    let script = |name: &str| {
        let mut script = Command::new(&python.program);
        script
            .arg(workspace.root.join("tests/interop").join(name))
            .arg(&sender.path)
            // Neither bytecode beside the script, nor a proxy between programs on one machine.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("no_proxy", "*");
        script
    };
    process::run(&mut script("otlp_receiver.py"))?;
    println!("\n--- OTLP, to hoplog's collector");
    let data = workspace.target.join("xtask/interop/data");
    let start = |name| Server::start(hoplog, &data.join(name), &Store::Sqlite);
    let servers = [start("otlp")?, start("native")?];
    process::run(script("otlp_returns.py").args(servers.each_ref().map(Server::url)))?;
    servers.into_iter().try_for_each(Server::stop)
}
