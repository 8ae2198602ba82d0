//! A virtual environment with what the clients need, and each client beside it; kept under the target
//! directory until a pin changes.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Client;
use crate::outcome::Failure;
use crate::process;
use crate::workspace::Workspace;

/// Everything that the clients import, pinned.
const REQUIREMENTS: &str = "tests/interop/requirements.txt";

pub(super) enum Ready {
    Yes(Python),
    /// Why the clients cannot be run here, and what to do.
    No(String),
}

pub(super) struct Python {
    pub(super) program: PathBuf,
    directory: PathBuf,
}

impl Python {
    /// The directory to import this client from.
    pub(super) fn client(&self, client: &Client) -> PathBuf {
        self.directory.join(client.directory())
    }
}

pub(super) fn prepare(workspace: &Workspace, clients: &[Client]) -> Result<Ready, Failure> {
    let directory = workspace.target.join("xtask/interop/python");
    let python = Python { program: directory.join("venv/bin/python"), directory };
    let requirements = workspace.root.join(REQUIREMENTS);
    let pins =
        std::fs::read_to_string(&requirements).map_err(|error| Failure::io("read", &requirements, &error))?;
    let marker = python.directory.join("installed.txt");
    let stamp = stamp(&pins, clients);
    // A base interpreter that is gone leaves a venv that does not start.
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == stamp) && starts(&python.program) {
        return Ok(Ready::Yes(python));
    }
    let base = process::find_program("python3");
    let Some(base) = base else {
        return Ok(Ready::No("python3 is not installed (apt-get install python3 python3-venv)".into()));
    };
    if process::quietly(Command::new(&base).args(["-c", "import venv, ensurepip"])).is_err() {
        return Ok(Ready::No("python3 has no venv (apt-get install python3-venv)".into()));
    }
    if python.directory.exists() {
        std::fs::remove_dir_all(&python.directory)
            .map_err(|error| Failure::io("remove", &python.directory, &error))?;
    }
    std::fs::create_dir_all(&python.directory)
        .map_err(|error| Failure::io("create", &python.directory, &error))?;
    process::quietly(Command::new(&base).args(["-m", "venv"]).arg(python.directory.join("venv")))?;
    if let Err(why) = install(&python, &requirements, clients) {
        return match unreachable(&why.to_string()) {
            Some(line) => Ok(Ready::No(format!("the Python package index cannot be reached ({line})"))),
            None => Err(why),
        };
    }
    std::fs::write(&marker, stamp).map_err(|error| Failure::io("write", &marker, &error))?;
    Ok(Ready::Yes(python))
}

/// Changes whenever something must be installed anew.
fn stamp(pins: &str, clients: &[Client]) -> String {
    let clients = clients.iter().filter_map(pin).map(|pin| pin + "\n");
    clients.chain([pins.to_owned()]).collect()
}

fn starts(program: &Path) -> bool {
    process::quietly(Command::new(program).args(["-c", "import aiohttp, opentelemetry.proto, rotel"])).is_ok()
}

fn install(python: &Python, requirements: &Path, clients: &[Client]) -> Result<(), Failure> {
    println!("installing the Python clients (once, into {})", python.directory.display());
    process::quietly(pip(python).arg("--requirement").arg(requirements))?;
    for client in clients {
        if let Some(pin) = pin(client) {
            process::quietly(pip(python).arg("--target").arg(python.client(client)).arg(pin))?;
        }
    }
    Ok(())
}

/// What to fetch of a client, if it is not among the requirements.
fn pin(client: &Client) -> Option<String> {
    client.package.map(|version| format!("{}=={version}", client.name))
}

/// Wheels only: nothing is compiled here, no C compiler for Python is asked for.
fn pip(python: &Python) -> Command {
    let mut command = Command::new(&python.program);
    command.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
    command.args(["--no-deps", "--only-binary=:all:", "--retries=1", "--timeout=20"]);
    command
}

/// What pip says of the network if that is why it failed; a wrong pin or a broken wheel is a failure.
fn unreachable(output: &str) -> Option<&str> {
    let signs = [
        "Failed to establish",
        "ProxyError",
        "timed out",
        "Max retries",
        "Connection to",
        "connection broken",
    ];
    let at = signs.iter().find_map(|sign| output.find(sign))?;
    output[at..].split(['\'', '\n', '(']).next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_pin_changes_the_stamp() {
        let client = |version| Client { name: "p", package: Some(version), script: "s", figure: "f" };
        let now = stamp("a==1\n", &[client("1.0")]);
        assert_eq!(now, stamp("a==1\n", &[client("1.0")]));
        assert_ne!(now, stamp("a==2\n", &[client("1.0")]));
        assert_ne!(now, stamp("a==1\n", &[client("1.1")]));
    }

    #[test]
    fn a_missing_network_is_told_from_a_wrong_pin() {
        let offline = "WARNING: Retrying after connection broken by \
                       'NewConnectionError('<x>: Failed to establish a new connection: refused')': /simple/\n\
                       ERROR: No matching distribution found for aiohttp==3";
        assert_eq!(unreachable(offline), Some("Failed to establish a new connection: refused"));
        assert_eq!(unreachable("ERROR: No matching distribution found for aiohttp==99"), None);
    }
}
