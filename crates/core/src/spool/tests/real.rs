//! The spool on the real disk: processes that die, others that share it, a disk that is full, attackers.

mod aborts;
mod attackers;
mod full;
mod hostile;
mod processes;

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use super::*;

/// Names what a child of a test is to do, and where.
const TASK: &str = "HOPLOG_SPOOL_TEST_TASK";
const PLACE: &str = "HOPLOG_SPOOL_TEST_PLACE";

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn spool(&self) -> PathBuf {
        self.0.path().join("spool")
    }

    fn open(&self) -> Spool<RealFs> {
        Spool::open(RealFs, config(self.spool()), now()).unwrap()
    }
}

fn now() -> Now {
    let unix = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Now { mono: Instant::now(), unix_ms: unix.as_millis() as u64 }
}

/// What this process is to do, if it is the child of a test.
fn task() -> Option<(String, PathBuf)> {
    Some((std::env::var(TASK).ok()?, std::env::var_os(PLACE)?.into()))
}

/// This test, as a process of its own.
fn child(test: &str, task: &str, place: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads", "1"]);
    command
        .env(TASK, task)
        .env(PLACE, place)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// The lines that a child said to its parent.
fn said(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // The name of the test stands before the first of them on its line.
    text.lines().filter_map(|line| line.split_once("SAID ")).map(|(_, said)| said.to_owned()).collect()
}

fn say(what: &str) {
    println!("SAID {what}");
}

/// A child that is ended with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The files below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.symlink_metadata().unwrap().is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
