//! Both ways to others: unmodified clients against a real `hoplog serve`, and hoplog as a sender of OTLP against
//! OpenTelemetry's own messages and a collector that is not ours.
//!
//! ```text
//! python: fetch the packages, once ─► server: hoplog serve on a free port, for each client and store
//!       │ ─► tests/interop/CLIENT.py: send, read back, compare field by field
//!       └─► otlp: tests/interop/otlp_receiver.py: receive, compare attribute by attribute
//! ```

mod otlp;
mod python;
mod server;

use std::path::Path;
use std::process::Command;

use crate::outcome::{Failure, Outcome, Skip};
use crate::process;
use crate::workspace::Workspace;
use python::{Python, Ready};
use server::{Server, Store};

/// The clients. Packages of the same module go into a directory each.
const CLIENTS: [Client; 5] = [
    Client {
        name: "log-collector",
        package: Some("1.0.0"),
        script: "log_collector_clients.py",
        figure: "log_collector",
    },
    Client {
        name: "log-collector-async",
        package: Some("1.1.1"),
        script: "log_collector_clients.py",
        figure: "log_collector_async",
    },
    Client {
        name: "logs-sdk",
        package: Some("0.6.0"),
        script: "logs_sdk_clients.py",
        figure: "logs_sdk_new",
    },
    Client {
        name: "logs-sdk",
        package: Some("0.3.0"),
        script: "logs_sdk_clients.py",
        figure: "logs_sdk_old",
    },
    Client {
        name: "opentelemetry-exporter-otlp-proto-http",
        package: None,
        script: "otel_exporter.py",
        figure: "opentelemetry",
    },
];

struct Client {
    /// As its registry has it.
    name: &'static str,
    /// The version to fetch, where it is not among the requirements.
    package: Option<&'static str>,
    /// Sends with it, reads back, and compares.
    script: &'static str,
    /// What its figures are called.
    figure: &'static str,
}

impl Client {
    /// The name of its directories.
    fn directory(&self) -> String {
        format!("{}-{}", self.name, self.package.unwrap_or("pinned"))
    }
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
    let mut skipped = Vec::new();
    for client in &CLIENTS {
        talk(workspace, &python, client, &hoplog.path, Store::Sqlite)?;
    }
    match hoplog_testdb::shared() {
        Some(cluster) => {
            for client in &CLIENTS {
                talk(workspace, &python, client, &hoplog.path, Store::PostgreSql(cluster.database()))?;
            }
        }
        None => {
            let why = "PostgreSQL is not installed (apt-get install postgresql)".to_owned();
            skipped.push(Skip::announce("interop on PostgreSQL", why));
        }
    }
    otlp::run(workspace, &python, &hoplog.path)?;
    Ok(skipped)
}

/// Lets a client send to a server of its own, and compares what comes back.
fn talk(
    workspace: &Workspace,
    python: &Python,
    client: &Client,
    hoplog: &Path,
    store: Store,
) -> Result<(), Failure> {
    println!("\n--- {} {} on {}", client.name, client.package.unwrap_or_default(), store.name());
    let data = workspace.target.join("xtask/interop/data").join(store.name()).join(client.directory());
    let figure = format!("interop.{}.{}.fields_compared", store.name(), client.figure);
    let server = Server::start(hoplog, &data, &store)?;
    // Where the clients would keep what they take for not sent.
    let temporary = data.join("tmp");
    std::fs::create_dir(&temporary).map_err(|error| Failure::io("create", &temporary, &error))?;
    let mut script = Command::new(&python.program);
    script
        .arg(workspace.root.join("tests/interop").join(client.script))
        .args([server.url(), figure])
        // Neither bytecode beside the script, nor a proxy between two programs on one machine.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", python.client(client))
        .env("TMPDIR", &temporary)
        .env("no_proxy", "*")
        .current_dir(&data);
    process::run(&mut script)?;
    server.stop()
}
