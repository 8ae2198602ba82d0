//! What a log call costs the thread that makes it, whatever becomes of the entry.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use hoplog::Client;

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
