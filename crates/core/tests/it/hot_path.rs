//! What a log call costs the thread that makes it, whatever becomes of the entry.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use hoplog::Client;

use crate::spool::spooled;
use crate::support::{builder, child};

/// How often this thread gave up its core to wait, for a lock or for anything else (proc(5)).
fn waits() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

/// Calls of so many threads at once: how long each took, shortest first, and how often one waited.
fn calls(client: &Client, threads: usize, each: usize) -> (Vec<Duration>, u64) {
    let start = Barrier::new(threads);
    let (mut times, mut waited) = (Vec::new(), 0);
    std::thread::scope(|scope| {
        let work = || {
            let mut times = Vec::with_capacity(each);
            start.wait();
            let before = waits();
            for n in 0..each {
                let began = Instant::now();
                client.info("order placed").field("order_id", n).send();
                times.push(began.elapsed());
            }
            (times, waits() - before)
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for thread in running {
            let (mut of, n) = thread.join().unwrap();
            times.append(&mut of);
            waited += n;
        }
    });
    times.sort_unstable();
    (times, waited)
}

#[test]
fn a_log_call_hardly_ever_waits_whoever_else_calls_and_however_full_the_queue_is() {
    const EACH: usize = 4_000;
    // Nobody listens there: the small queue is soon full, the large one takes all.
    let client = |bytes| {
        let builder =
            Client::builder().endpoint("http://127.0.0.1:9").queue_bytes(bytes).queue_entries(1 << 20);
        builder.flush_interval(Duration::from_millis(10)).build().unwrap()
    };
    for (state, client) in [("room", client(64 << 20)), ("full", client(1 << 20))] {
        for threads in [1, 4, 16] {
            let (times, waited) = calls(&client, threads, EACH);
            let percentile = |permille: usize| times[(times.len() - 1) * permille / 1_000].as_nanos();
            for (name, permille) in [("p50", 500), ("p99", 990), ("p99_9", 999)] {
                println!("FIGURE log_call.{state}_{threads}_threads_{name} {} ns", percentile(permille));
            }
            println!("FIGURE log_call.{state}_{threads}_threads_waits {waited} count");
            // One call in a thousand: fewer than that leaves the 99.9th percentile without any wait.
            let calls = (threads * EACH) as u64;
            assert!(waited * 1_000 <= calls, "{state}, {threads} threads: {waited} waits in {calls} calls");
        }
        let stats = client.stats();
        assert_eq!(stats.refused.total() > 0, state == "full", "{state}: {stats:?}");
    }
}

const COUNTED: &str = "hot_path::below_a_batch_a_log_call_makes_no_system_call";
/// They stand around the calls, in the trace of each thread.
const MARKS: [&str; 2] = ["the calls begin", "the calls end"];

/// Threads that make calls, fewer than a batch has; nobody listens. With a fault, one of them gives way once.
fn make_calls() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let (threads, dir) = (variable("HOPLOG_TEST_THREADS").parse().unwrap(), variable("HOPLOG_TEST_DIR"));
    let url = "http://127.0.0.1:9";
    let builder = if dir.is_empty() { builder(url) } else { spooled(url, Path::new(&dir)) };
    let client = builder.build().unwrap();
    // In one call, which formatting is not, and without the lock of stderr.
    let stderr = std::fs::File::options().write(true).open("/proc/self/fd/2").unwrap();
    let mark = |mark: &str| (&stderr).write_all(mark.as_bytes()).unwrap();
    let (start, fault) = (Barrier::new(threads), std::env::var_os("HOPLOG_TEST_FAULT").is_some());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let call = |n: usize| client.info("order placed").field("order_id", n).send();
                (0..20).for_each(call); // the thread's buffer, and the chunk that the rest fits in
                start.wait();
                mark(MARKS[0]);
                (0..200 / threads).for_each(call);
                if fault {
                    std::thread::yield_now();
                }
                mark(MARKS[1]);
            });
        }
    });
    // Nobody is there to take anything; to be told so takes two seconds.
    std::mem::forget(client);
}

/// The system calls of the threads between their marks, by name, and how many threads there were.
fn system_calls(trace: &str) -> (BTreeMap<String, usize>, usize) {
    let (mut calls, mut counted, mut threads) = (BTreeMap::new(), BTreeSet::new(), 0);
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if call.contains(MARKS[1]) {
            threads += usize::from(counted.remove(thread));
        }
        // What was interrupted is told twice, and a call that began before is not one of these.
        let name = call.split_once('(').map(|(name, _)| name.to_owned());
        if let (true, Some(name), false) = (counted.contains(thread), name, call.starts_with("<...")) {
            *calls.entry(name).or_default() += 1;
        }
        if call.contains(MARKS[0]) {
            counted.insert(thread);
        }
    }
    (calls, threads)
}

#[test]
fn below_a_batch_a_log_call_makes_no_system_call() {
    let run = |threads: usize, spool: Option<&Path>, fault: bool| {
        let role = child(COUNTED, make_calls);
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-s", "100", "-e", "signal=none", "-o"]).arg(log.path());
        command.arg(role.get_program()).args(role.get_args());
        command.envs(role.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("HOPLOG_TEST_THREADS", threads.to_string());
        command.env("HOPLOG_TEST_DIR", spool.unwrap_or(Path::new("")));
        if fault {
            command.env("HOPLOG_TEST_FAULT", "1");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let (calls, seen) = system_calls(&std::fs::read_to_string(log.path()).unwrap());
        assert_eq!(seen, threads);
        calls
    };
    let dir = tempfile::tempdir().unwrap();
    // The child is one of these.
    drop(child(COUNTED, make_calls));
    let works = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    if !works.is_ok_and(|status| status.success()) {
        println!("SKIPPED {COUNTED}: strace is not installed, or may not trace");
        return;
    }
    for (name, spool) in [("memory", None), ("spool", Some(dir.path()))] {
        let calls = run(1, spool, false);
        println!("FIGURE log_call.{name}_system_calls {} count", calls.values().sum::<usize>());
        assert!(calls.is_empty(), "{name}: {calls:?}");
    }
    let mut calls = run(4, None, false);
    let waits = calls.remove("futex").unwrap_or_default();
    println!("FIGURE log_call.memory_4_threads_system_calls {} count", waits + calls.len());
    assert!(
        calls.is_empty() && waits <= 4,
        "a lock may be held as its thread loses its core: {waits}, {calls:?}"
    );
    assert_eq!(run(1, None, true), [("sched_yield".to_owned(), 1)].into(), "the control");
}
