//! What a client costs that has nothing to do: CPU and wake-ups of its thread.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench that cannot run must say so")]

use std::fs;
use std::time::Duration;

use hoplog_bench::{figure, process_cpu};

/// Long enough that a wake-up per second shows as such, and what comes once in a while.
const WATCHED: Duration = Duration::from_secs(60);

fn main() {
    let client = hoplog::Client::builder().service("bench").without_variables().build().expect("a client");
    std::thread::sleep(Duration::from_millis(1_500));
    let (cpu, wakeups) = (process_cpu(), wakeups());
    std::thread::sleep(WATCHED);
    let seconds = WATCHED.as_secs_f64();
    figure("idle.cpu_percent", (process_cpu() - cpu).as_secs_f64() * 100.0 / seconds, "percent");
    match (wakeups, self::wakeups()) {
        (Some(before), Some(after)) => figure("idle.wakeups_per_s", (after - before) / seconds, "1/s"),
        _ => println!("SKIPPED idle.wakeups_per_s: this system has no /proc/self/task"),
    }
    drop(client);
}

/// How often the worker's thread has gone to sleep so far.
fn wakeups() -> Option<f64> {
    for task in fs::read_dir("/proc/self/task").ok()?.flatten() {
        let status = fs::read_to_string(task.path().join("status")).ok()?;
        if status.contains("hoplog-worker") {
            let line = status.lines().find_map(|l| l.strip_prefix("voluntary_ctxt_switches:"))?;
            return line.trim().parse().ok();
        }
    }
    None
}
