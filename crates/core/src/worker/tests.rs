//! Panics of hoplog's own, at each step of an entry's way: what is under way is counted, everything else goes on.

use std::time::Duration;

use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::scripted::Scripted;

use super::*;
use crate::Client;
use crate::failpoint;

const LONG: Duration = Duration::from_secs(20);

#[test]
fn threads_of_the_workers_pool_are_hoplogs_own() {
    let runtime = runtime().unwrap();
    assert!(runtime.block_on(async { tokio::task::spawn_blocking(is_worker_thread).await.unwrap() }));
    assert!(!is_worker_thread());
}

/// Of the worker, and of the task of a collector.
const STEPS: [&str; 9] = [
    "before the sweep",
    "after the sweep",
    "between two destinations",
    "tick",
    "flush",
    "take in",
    "before a batch is sealed",
    "after a batch is counted",
    "resolve",
];

fn client(service: &str, collector: &Scripted, file: &std::path::Path) -> Client {
    Client::builder()
        .without_variables()
        .endpoint(collector.url())
        .service(service)
        .flush_interval(Duration::from_millis(20))
        .file(file)
        .build()
        .unwrap()
}

fn settled(client: &Client) -> bool {
    client.flush_blocking(LONG).is_ok()
        && client.stats().destinations.iter().all(|d| d.queued + d.in_flight == 0)
}

#[test]
fn a_panic_at_any_step_costs_what_is_under_way_and_is_counted() {
    let (mut fired, mut lost) = (0, 0);
    for step in STEPS {
        for times in [1, 2] {
            let service = format!("{step} {times}");
            let (collector, dir) = (Scripted::start([]), tempfile::tempdir().unwrap());
            let client = client(&service, &collector, &dir.path().join("a.jsonl"));
            failpoint::arm(&service, step, times);
            let mut sent = 0;
            fact_blocking("it panicked", || {
                client.info("before").send();
                sent += 1;
                let _ = client.flush_blocking(LONG);
                (failpoint::left(&service, step) == 0).then_some(())
            });
            fact_blocking("the client is quiet", || settled(&client).then_some(()));
            // All that is sent from now on arrives.
            let seen = |wanted: &str| collector.entries().iter().filter(|e| e["message"] == wanted).count();
            (0..10).for_each(|_| client.info("after").send());
            fact_blocking("the client is quiet again", || settled(&client).then_some(()));
            fact_blocking("what came after it arrived", || (seen("after") >= 10).then_some(()));
            let stats = client.stats();
            for d in &stats.destinations {
                assert_eq!(d.drift, 0, "{service}: {d:?}");
                assert_eq!(d.accepted, d.delivered + d.dropped.total() + d.filtered, "{service}: {d:?}");
                let b = d.bytes;
                assert_eq!(b.accepted, b.delivered + b.dropped + b.filtered, "{service}: {d:?}");
            }
            let collected = &stats.destinations[0];
            // Losses are told of in entries of their own.
            let told = stats.accepted - sent - 10;
            assert!(collected.dropped.total() <= sent + told, "{service}: {collected:?}");
            assert!(seen("before") as u64 + collected.dropped.total() >= sent, "{service}: {collected:?}");
            fired += times;
            lost += collected.dropped.total();
            let begun = Instant::now();
            drop(client);
            assert!(begun.elapsed() < Duration::from_secs(3), "{service}: its end takes no longer than any");
        }
    }
    println!("FIGURE worker.panics {fired} panics");
    println!("FIGURE worker.steps {} steps", STEPS.len());
    println!("FIGURE worker.lost_counted {lost} entries");
    assert!(lost > 0, "some of the steps hold entries");
}

#[test]
fn an_entry_over_which_its_encoding_panics_twice_goes_alone() {
    let (collector, dir) = (Scripted::start([]), tempfile::tempdir().unwrap());
    let path = dir.path().join("a.jsonl");
    let client = client("poisoned", &collector, &path);
    for at in 0..30 {
        client
            .info(match at % 10 {
                5 => failpoint::POISON,
                6 => failpoint::POISON_ONCE,
                _ => "an entry",
            })
            .send();
    }
    fact_blocking("the client is quiet", || settled(&client).then_some(()));
    let seen = |wanted: &str| collector.entries().iter().filter(|e| e["message"] == wanted).count();
    assert_eq!((seen("an entry"), seen(failpoint::POISON_ONCE), seen(failpoint::POISON)), (24, 3, 0));
    let lines = std::fs::read_to_string(&path).unwrap();
    let written = |wanted: &str| lines.lines().filter(|line| line.contains(wanted)).count();
    assert_eq!((written("an entry"), written(failpoint::POISON_ONCE)), (24, 3));
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{lines}");
    for d in client.stats().destinations {
        assert_eq!((d.dropped.of(DropReason::Poison), d.drift), (3, 0), "{d:?}");
    }
    println!("FIGURE worker.poisoned 3 entries");
}

#[test]
fn what_cannot_be_encoded_is_kept_where_there_is_a_spool() {
    for write_through in [false, true] {
        let (collector, dir) = (Scripted::start([]), tempfile::tempdir().unwrap());
        let durability =
            if write_through { crate::Durability::WriteThrough } else { crate::Durability::Spool };
        let client = Client::builder()
            .without_variables()
            .endpoint(collector.url())
            .service("poisoned on the disk")
            .spool(crate::Spool::new(dir.path().join("spool")).leave_free(0))
            .durability(durability)
            .flush_interval(Duration::from_millis(20))
            .build()
            .unwrap();
        for message in ["before", failpoint::POISON, failpoint::POISON_ONCE, "after"] {
            client.info(message).send();
        }
        fact_blocking("the client is quiet", || settled(&client).then_some(()));
        let spool = || client.stats().destinations[0].spool.unwrap();
        fact_blocking("it is in the quarantine", || (spool().quarantined == 1).then_some(()));
        let d = &client.stats().destinations[0];
        assert_eq!((d.delivered, d.dropped.of(DropReason::Poison), d.drift), (3, 1, 0), "{d:?}");
        assert_eq!((d.spooled, d.dropped.total()), (0, 1), "{d:?}");
        let kept = dir.path().join("spool/collector/quarantine");
        let files: Vec<_> = std::fs::read_dir(&kept).unwrap().map(|f| f.unwrap().path()).collect();
        let [file] = &files[..] else { panic!("{files:?}") };
        let bytes = std::fs::read(file).unwrap();
        let says = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(says(failpoint::POISON) && !says("before") && !says("after"));
    }
}
