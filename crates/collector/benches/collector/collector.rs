//! The collector's process, and what it and others cost.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child that does not outlive the bench.
pub(crate) struct Collector {
    child: Child,
    pub(crate) address: String,
    /// From nothing to listening.
    pub(crate) started: Duration,
}

impl Collector {
    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Self {
        let began = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_hoplog"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", directory.to_str().unwrap()])
            .args(arguments)
            .env_remove("HOPLOG_API_KEY")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("hoplog listens on http://").unwrap().to_owned();
        Self { child, address, started: began.elapsed() }
    }

    pub(crate) fn cpu_seconds(&self) -> f64 {
        cpu_seconds(self.child.id())
    }

    pub(crate) fn peak_memory_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// User and system time of a process: fields 14 and 15 of `/proc/PID/stat` (proc(5)), in ticks of 10 ms.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).map_or(0.0, |field| field.parse::<f64>().unwrap());
    (ticks(11) + ticks(12)) / 100.0
}

/// The same of a process and all that it started.
pub(crate) fn family_cpu_seconds(pid: u32) -> f64 {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let all = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    all.filter(|one| *one == pid || parent(*one) == Some(pid)).map(cpu_seconds).sum()
}
