//! Both ways to others: the unmodified Python clients of the log-collector family against a real `hoplog serve`, and
//! hoplog as a sender of OTLP against OpenTelemetry's own messages and a collector that is not ours.
//!
//! ```text
//! python: fetch the packages, once ─► server: hoplog serve on a free port
//!       │ ─► tests/interop/log_collector_clients.py: send, read back, compare field by field
//!       └─► otlp: tests/interop/otlp_receiver.py: receive, compare attribute by attribute
//! ```

mod otlp;
mod python;
mod server;

use std::process::Command;

use crate::outcome::{Failure, Outcome, Skip};
use crate::process;
use crate::workspace::Workspace;
use python::Ready;
use server::Server;

/// Two packages of the same module: each goes into a directory of its own.
const CLIENTS: [Client; 2] = [
    Client { package: "log-collector", version: "1.0.0", figure: "interop.log_collector.fields_compared" },
    Client {
        package: "log-collector-async",
        version: "1.1.1",
        figure: "interop.log_collector_async.fields_compared",
    },
];

/// A client as its registry has it.
struct Client {
    package: &'static str,
    version: &'static str,
    /// What the script calls the number of fields it compared.
    figure: &'static str,
}

/// The step of `cargo xtask test`.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let python = match python::prepare(workspace, &CLIENTS)? {
        Ready::Yes(python) => python,
        Ready::No(why) => return Ok(vec![Skip::announce("interop", why)]),
    };
    let arguments = ["build", "--package", "hoplog-collector", "--bin", "hoplog"];
    let built = process::build(&workspace.root, "bin", &arguments)?;
    let hoplog = built.iter().find(|executable| executable.name == "hoplog");
    let hoplog = hoplog.ok_or_else(|| Failure::new("crates/collector builds no program named hoplog"))?;
    for client in &CLIENTS {
        println!("\n--- {} {}", client.package, client.version);
        let data = workspace.target.join("xtask/interop/data").join(client.package);
        let server = Server::start(&hoplog.path, &data)?;
        let mut script = Command::new(&python.program);
        script
            .arg(workspace.root.join("tests/interop/log_collector_clients.py"))
            .args([server.url().as_str(), client.figure])
            // Neither bytecode beside the script, nor a proxy between two programs on one machine.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONPATH", python.client(client))
            .env("no_proxy", "*")
            .current_dir(&data);
        process::run(&mut script)?;
        server.stop()?;
    }
    otlp::run(workspace, &python)?;
    Ok(Vec::new())
}
