//! The programs of the rigs: the shop, `src/bin/shop`, and a collector, each a process that may be killed.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use hoplog_testkit::facts::fact_blocking;
use serde_json::Value;
use tempfile::TempDir;

/// A collector that takes longer to end is killed.
const DRAIN: Duration = Duration::from_secs(40);

/// A process that ends with this value.
pub(super) struct Program {
    child: Child,
    /// What it says, line by line.
    pub(super) said: Option<BufReader<ChildStdout>>,
}

impl Program {
    pub(super) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said: Some(said) }
    }

    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// After SIGSTOP: until no thread of it runs.
    pub(super) fn wait_until_stopped(&self) {
        let tasks = format!("/proc/{}/task", self.child.id());
        let stopped = |task: std::io::Result<std::fs::DirEntry>| {
            let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap();
            stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
        };
        fact_blocking("a stopped process", || std::fs::read_dir(&tasks).unwrap().all(stopped).then_some(()));
    }

    /// The time that it has had on a core.
    pub(super) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        // utime and stime, in ticks of 10 ms; proc(5).
        Duration::from_millis(10) * (fields[11].parse::<u32>().unwrap() + fields[12].parse::<u32>().unwrap())
    }

    /// MiB of memory that it holds (`VmRSS`; proc(5)).
    pub(super) fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// How many files and sockets it has open.
    pub(super) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    pub(super) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn address(&mut self) -> SocketAddr {
        let mut line = String::new();
        self.said.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim().parse().unwrap_or_else(|_| panic!("no address: {line:?}"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `shop serve`.
pub(super) struct Shop {
    pub(super) program: Program,
    address: SocketAddr,
}

pub(super) fn shop(task: &str, plan: &Value) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    command.args([task, &plan.to_string()]);
    command
}

impl Shop {
    pub(super) fn serve(plan: &Value) -> Self {
        Self::of(Program::start(&mut shop("serve", plan)))
    }

    pub(super) fn of(mut program: Program) -> Self {
        let address = program.address();
        Self { program, address }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Has it make so many entries at a steady rate, with so many bytes more in each.
    pub(super) async fn make(&self, first: u64, orders: u64, per_second: u64, bytes: usize) {
        let url = self.url(&format!("/make/{first}/{orders}/{per_second}/{bytes}"));
        assert_eq!(reqwest::Client::new().post(url).send().await.unwrap().status(), 200);
    }

    /// Ends it as an operator does, and gives back its report.
    pub(super) fn shut_down(mut self) -> Value {
        self.program.signal("TERM");
        let lines = self.program.said.take().unwrap().lines().map_while(Result::ok);
        let report = lines.last().unwrap_or_default();
        assert_eq!(self.program.child.wait().unwrap().code(), Some(0));
        serde_json::from_str(report.strip_prefix("report ").unwrap()).unwrap()
    }

    pub(super) async fn stats(&self) -> Value {
        get(&self.url("/stats")).await
    }

    /// Its counts once they are as wanted.
    pub(super) async fn stats_when(&self, patience: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let stats = self.stats().await;
            if wanted(&stats) {
                return stats;
            }
            assert!(begun.elapsed() < patience, "{patience:?} in vain: {stats}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A collector in a directory of its own, up or down, always at the same address.
pub(super) struct Upstream {
    directory: TempDir,
    address: SocketAddr,
    running: Option<Program>,
}

impl Upstream {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut upstream = Self { directory, address: ([127, 0, 0, 1], 0).into(), running: None };
        upstream.up();
        upstream
    }

    pub(super) fn up(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_canary"));
        command.arg("collector").arg(self.directory.path()).arg(self.address.to_string());
        let mut program = Program::start(command.stderr(Stdio::null()));
        self.address = program.address();
        self.running = Some(program);
    }

    pub(super) fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// Ends it as an operator does.
    pub(super) async fn down(&mut self) {
        if let Some(mut program) = self.running.take() {
            drop(program.child.stdin.take());
            let begun = Instant::now();
            // What it promises of a drain, and some more.
            while program.child.try_wait().unwrap().is_none() && begun.elapsed() < DRAIN {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.running = None;
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) async fn ask(&self, path: &str) -> Value {
        get(&(self.url() + path)).await
    }
}

async fn get(url: &str) -> Value {
    let answer = reqwest::get(url).await.unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}
