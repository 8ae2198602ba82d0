//! A disk whose calls fail one by one, by strace, and what the trace says of every promise: it comes after a sync of
//! its own file and of its directory, and a file whose sync failed is never synced again.

mod trace;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::oracle::{is_quiet, orders};
use super::program::{Shop, Upstream, shop};
use super::{figure, skipped, times};
use trace::Trace;

const ORDERS: u64 = 60;
const PATIENCE: Duration = Duration::from_secs(60);

/// What a call answers instead of being made.
const FAULTS: [&str; 6] = [
    "fdatasync:error=EIO",
    "fsync:error=EIO",
    "pwrite64:error=EIO",
    "pwrite64:error=ENOSPC",
    "pwrite64:error=EINTR",
    // A short one: nothing of it is written.
    "pwrite64:retval=0",
];

/// A shop that makes its orders under strace and shuts down; the collector is away.
fn run(fault: Option<&str>, spool: &Path, first: u64, broken: &Value) -> (Trace, Value) {
    let mut plan = json!({
        "endpoint": "http://127.0.0.1:1", "spool": spool, "write_through": true, "first": first, "entries": ORDERS,
        "at_a_time": 2, "deadline_ms": 500,
    });
    plan.as_object_mut().unwrap().extend(broken.as_object().unwrap().clone());
    let (inner, log) = (shop("promise", &plan), spool.with_extension("trace"));
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-s", "1000000", "-o"]).arg(&log);
    command.args(["-e", "trace=openat,pwrite64,write,fdatasync,fsync", "-e", "signal=none"]);
    if let Some(fault) = fault {
        command.args(["-e", &format!("inject={fault}")]);
    }
    let output = command.arg(inner.get_program()).args(inner.get_args()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{fault:?}: {said}");
    let report = said.lines().find_map(|line| line.strip_prefix("report ")).unwrap();
    (Trace::read(&std::fs::read_to_string(log).unwrap()), serde_json::from_str(report).unwrap())
}

fn has_strace() -> bool {
    let works = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        skipped("calls that fail", "strace is not installed, or may not trace");
    }
    works
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_promise_follows_from_a_call_that_failed() {
    if !has_strace() {
        return;
    }
    let upstream = Upstream::start();
    let (mut seen, mut owed, mut lost, mut first) = (Trace::default(), 0, 0, 0);
    for fault in FAULTS {
        // Which call of the worker fails; the later ones are made in the large form.
        for nth in (1..=times(1, 20)).map(|nth| times(2, nth)) {
            let place = TempDir::new().unwrap();
            let spool = place.path().join("spool");
            let (trace, report) = run(Some(&format!("{fault}:when={nth}")), &spool, first, &json!({}));
            let shop = Shop::serve(&json!({"endpoint": upstream.url(), "spool": spool}));
            shop.stats_when(PATIENCE, is_quiet).await;
            let stored = orders(&upstream).await;
            let missing = (first..first + ORDERS).filter(|order| !stored.contains_key(order)).count() as u64;
            let what = format!("{fault} {nth}: {report}");
            // One that failed was accepted all the same.
            assert_eq!(
                missing,
                report["stats"]["lost"].as_u64().unwrap() + report["left"].as_u64().unwrap(),
                "{what}"
            );
            assert_eq!(report["stats"]["drift"], 0, "{what}");
            assert!(trace.promised.iter().all(|order| stored.contains_key(order)), "{what}");
            assert_eq!((trace.false_promises, trace.synced_again), (0, 0), "{what}");
            owed += trace.promised.len();
            lost += missing;
            seen.add(&trace);
            first += ORDERS;
        }
    }
    figure("injected.calls_failed", seen.injected, "count");
    figure("injected.durable", owed, "entries");
    figure("injected.false_promises", seen.false_promises, "entries");
    figure("injected.files_synced_again", seen.synced_again, "files");
    figure("injected.refused_promises", seen.refused, "entries");
    figure("injected.lost_and_counted", lost, "entries");
    assert!(seen.injected >= times(6, 80) as u64 && seen.refused > 0, "{seen:?}");
}

#[test]
fn the_trace_shows_a_promise_that_comes_before_its_sync() {
    if !has_strace() {
        return;
    }
    let place = TempDir::new().unwrap();
    let broken = json!({"promises_early": true});
    let (trace, _) = run(None, &place.path().join("spool"), 0, &broken);
    figure("injected.control_false_promises", trace.false_promises, "entries");
    assert!(trace.false_promises > 0, "the control stays green: {trace:?}");
    assert_eq!(trace.promised.len() as u64, ORDERS);
}
