//! What a client takes of memory: idle, full, and after its end. Resident bytes, as the system counts them, allocator and
//! threads' stacks included; what stays behind is counted by valgrind, block by block.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench that cannot run must say so")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use hoplog::Client;
use hoplog_bench::{figure, record};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

fn main() {
    if resident().is_none() {
        println!("SKIPPED memory: this system has no /proc/self/status");
        return;
    }
    // Each in a process of its own: what one leaves in the allocator would be there for the next.
    match std::env::args().find_map(|a| a.strip_prefix("memory=").map(ToOwned::to_owned)).as_deref() {
        Some("idle") => idle(),
        Some("full") => full(),
        Some(clients) => ended(clients.parse().expect("a number of clients")),
        None => {
            for what in ["idle", "full"] {
                let status = itself(Command::new(program()), what).status().expect("this program runs");
                assert!(status.success(), "{what} failed");
            }
            match (in_use_after("10"), in_use_after("40")) {
                (Some(few), Some(many)) => figure("memory.left_bytes", many - few, "bytes"),
                _ => println!("SKIPPED memory.left_bytes: valgrind is not installed"),
            }
        }
    }
}

fn program() -> PathBuf {
    std::env::current_exe().expect("this program")
}

fn itself(mut command: Command, what: &str) -> Command {
    command.arg(format!("memory={what}"));
    command
}

/// What a program has not given back at its end in which so many clients came and went.
fn in_use_after(clients: &str) -> Option<f64> {
    let mut command = Command::new("valgrind");
    // What optimised code reads of an enum's unused bytes is none of our business.
    command.args(["--undef-value-errors=no", "--leak-check=summary"]).arg(program());
    let said = String::from_utf8(itself(command, clients).output().ok()?.stderr).expect("text");
    let (_, rest) = said.split_once("in use at exit: ").expect("valgrind's summary");
    rest.split(' ').next().and_then(|bytes| bytes.replace(',', "").parse().ok())
}

fn client() -> Client {
    Client::builder().service("bench").endpoint(NOWHERE).without_variables().build().expect("a client")
}

/// What a client adds that has nothing to do.
fn idle() {
    let before = taken();
    let client = client();
    std::thread::sleep(Duration::from_secs(3));
    figure("memory.idle_kib", (taken() - before) / 1024.0, "KiB");
    drop(client);
}

/// What a client adds whose server is away, when it takes no more.
fn full() {
    let records: Vec<Vec<u8>> = (0..1_000).map(record).collect();
    let before = taken();
    let client = client();
    let ceiling = client.stats().memory_ceiling as f64;
    let mut most = 0f64;
    // Long enough that the worker has its batches under way and the queue is full behind them.
    for _ in 0..50 {
        for record in records.iter().cycle().take(20_000) {
            let _ = hoplog::bench::push(&client, record);
        }
        std::thread::sleep(Duration::from_millis(50));
        most = most.max(taken() - before);
    }
    assert!(client.stats().refused.total() > 0, "it is full");
    figure("memory.full_bytes", most, "bytes");
    figure("memory.ceiling_bytes", ceiling, "bytes");
    figure("memory.full_percent_of_ceiling", most * 100.0 / ceiling, "percent");
}

/// Clients that do something and end.
fn ended(clients: u32) {
    let records: Vec<Vec<u8>> = (0..1_000).map(record).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    for _ in 0..clients {
        let client = Client::builder().service("bench").without_collector().file("/dev/null");
        let client = client.without_variables().build().expect("a client");
        records.iter().for_each(|record| assert!(hoplog::bench::push(&client, record), "there is room"));
        let report = runtime.block_on(client.shutdown(Duration::from_secs(10)));
        assert_eq!(report.left, 0);
    }
}

fn taken() -> f64 {
    resident().expect("it was there before")
}

fn resident() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? * 1024.0)
}
