//! Questions that read everything, beside entries that come in: the questions take what is left of the machine.

use super::{alone_on_the_machine, figure, skipped, times};
use crate::support::{Backend, Postgres, ServerOn, Sqlite};
use hoplog_collector::{Config, Limits};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

const SCANS: usize = 4;
/// Nothing has it, and no index tells.
const SCAN: &str = "/api/v1/histogram?from=-2d&metadata.zone=nowhere";

fn batch(entries: usize) -> Value {
    json!(
        (0..entries)
            .map(|n| json!({"message": format!("order {n}"), "metadata": {"zone": n}}))
            .collect::<Vec<_>>()
    )
}

fn filled<B: Backend>(change: impl Fn(&mut Limits)) -> ServerOn<B> {
    let server = ServerOn::<B>::with(|config: Config| {
        let mut limits = Limits::default();
        change(&mut limits);
        config.limits(limits)
    });
    for _ in 0..times(10, 50) {
        server.send(batch(2_000));
    }
    server
}

/// Runs `work` while full scans follow each other on so many connections.
fn beside<B: Backend + Sync, T>(server: &ServerOn<B>, scans: usize, work: impl FnOnce() -> T) -> T {
    let (stop, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let result = std::thread::scope(|scope| {
        for _ in 0..scans {
            scope.spawn(|| {
                while !stop.load(Relaxed) {
                    assert_eq!(server.get(SCAN).status, 200);
                    done.fetch_add(1, Relaxed);
                }
            });
        }
        let result = work();
        // The work may be shorter than a question.
        let begun = Instant::now();
        while done.load(Relaxed) == 0 && begun.elapsed() < Duration::from_secs(30) {
            std::thread::yield_now();
        }
        stop.store(true, Relaxed);
        result
    });
    assert!(done.load(Relaxed) > 0, "no question was answered");
    result
}

/// How long acknowledgements take, in the middle and at the 99th percentile.
fn acknowledged<B: Backend>(server: &ServerOn<B>, batches: usize) -> [Duration; 2] {
    let body = json!({"logs": batch(100)}).to_string();
    let mut took: Vec<Duration> = (0..batches)
        .map(|_| {
            let began = Instant::now();
            assert_eq!(server.post("/logs", &[], body.as_bytes()).status, 200);
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    [50, 99].map(|p| took[(took.len() - 1) * p / 100])
}

#[test]
fn a_slow_query_does_not_slow_what_comes_in() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let behind = filled::<Sqlite>(|_| {});
    let abreast = filled::<Sqlite>(|limits| limits.query_nice = 0);
    let (rounds, batches) = (times(3, 15), times(20, 100));
    let mut all: [Vec<[Duration; 2]>; 3] = Default::default();
    for _ in 0..rounds {
        all[0].push(acknowledged(&behind, batches));
        all[1].push(beside(&behind, SCANS, || acknowledged(&behind, batches)));
        all[2].push(beside(&abreast, SCANS, || acknowledged(&abreast, batches)));
    }
    let middle = |rounds: &[[Duration; 2]], of: usize| {
        let mut times: Vec<f64> = rounds.iter().map(|times| times[of].as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    for (name, p) in [("p50", 0), ("p99", 1)] {
        let [alone, with, control] = [0, 1, 2].map(|n| middle(&all[n], p));
        figure(&format!("scans.ack_{name}_alone"), format!("{alone:.1}"), "ms");
        figure(&format!("scans.ack_{name}_beside"), format!("{with:.1}"), "ms");
        figure(&format!("scans.ack_{name}_beside_abreast"), format!("{control:.1}"), "ms");
        figure(&format!("scans.ack_{name}_ratio"), format!("{:.2}", with / alone), "");
    }
    let [alone, with, control] = [0, 1, 2].map(|n| middle(&all[n], 0));
    // Beside other tests, times of a few milliseconds say nothing; the next test sees there that questions stand behind.
    if !alone_on_the_machine() {
        skipped(
            "a bound on the time beside a slow query",
            "other tests run beside it: `cargo xtask chaos --only scans`",
        );
        return;
    }
    if control < 1.5 * alone {
        skipped("a slow query beside entries", &format!("{SCANS} scans do not fill {cores} cores"));
        return;
    }
    assert!(
        with < 0.75 * control,
        "{with:.1} ms beside questions that stand behind, {control:.1} ms abreast"
    );
}

/// How far each thread of this process that runs a question, or one that does not, stands behind others.
#[cfg(target_os = "linux")]
fn niceness(of_questions: bool) -> std::collections::BTreeSet<i32> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let stats = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
    // proc_pid_stat(5): the name in brackets; the 17th value after it is the niceness.
    let parts = stats.filter_map(|stat| {
        let (name, values) = stat.split_once('(')?.1.rsplit_once(')')?;
        Some((name == "hoplog-query", values.split_whitespace().nth(16)?.parse().ok()?))
    });
    parts.filter(|(question, _): &(bool, i32)| *question == of_questions).map(|(_, nice)| nice).collect()
}

/// Niceness that no other test of this process asks for tells whose threads they are.
#[cfg(target_os = "linux")]
#[test]
fn a_question_stands_behind_everything_else_and_nothing_else_does() {
    let asked = |nice: u8| {
        let server = filled::<Sqlite>(|limits| limits.query_nice = nice);
        beside(&server, SCANS, || {
            let before = niceness(false);
            let [base] = before.iter().copied().collect::<Vec<i32>>()[..] else { panic!("{before:?}") };
            let wanted = (base + i32::from(nice)).min(19);
            let seen = (0..1_000).any(|_| {
                server.send(batch(10));
                assert_eq!(niceness(false), before, "of what takes entries in");
                niceness(true).contains(&wanted)
            });
            assert!(seen, "no question ran {nice} behind");
        });
    };
    asked(7);
    asked(0); // abreast where that is wanted
}

#[test]
fn postgresql_is_asked_for_so_many_scans_at_once_and_no_more() {
    let Some(cluster) = hoplog_testdb::shared() else { return };
    let most = |scans: usize| {
        let server = filled::<Postgres>(|limits| limits.scans = scans);
        let url = std::fs::read_to_string(server.directory.path().join("database")).unwrap();
        let active =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
           AND query LIKE '%metadata ->> %' AND pid <> pg_backend_pid()";
        let look = || (0..40).map(|_| cluster.sql(&url, active).parse::<usize>().unwrap()).max().unwrap();
        beside(&server, SCANS, look)
    };
    let (capped, control) = (most(1), most(SCANS));
    figure("scans.postgresql_at_once", capped, "count");
    figure("scans.postgresql_at_once_uncapped", control, "count");
    assert_eq!(capped, 1);
    assert!(control > 1, "nothing ran side by side");
}

#[test]
fn while_a_scan_runs_an_entry_is_still_found() {
    let server = filled::<Postgres>(|limits| limits.scans = 1);
    let id = server.logs("?limit=1")[0]["id"].as_str().unwrap().to_owned();
    beside(&server, SCANS, || assert_eq!(server.get(&format!("/api/v1/logs/{id}")).status, 200));
}
