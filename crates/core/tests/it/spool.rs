//! What is kept on the disk until it is delivered.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use hoplog::{Client, ClientBuilder, DropReason, Durability, NotDurable, Spool};
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::gate::Gate;
use hoplog_testkit::scripted::{Answer, Scripted};

use crate::support::{LONG, assert_adds_up, builder, child, destination, is_child, kick, nobody, send};

/// What a shutdown may take beyond its deadline.
const GRACE: Duration = Duration::from_millis(250);

/// A client with a spool that leaves nothing free to others, for the disk of a test may be nearly full.
pub(crate) fn spooled(url: impl Into<String>, dir: &Path) -> ClientBuilder {
    builder(url).spool(Spool::new(dir).leave_free(0))
}

pub(crate) fn dead() -> String {
    format!("http://{}", nobody())
}

/// How often each of the entries came.
pub(crate) fn ids(collector: &Scripted) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::new();
    for entry in collector.entries() {
        *ids.entry(entry["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    ids
}

/// Files of segments anywhere below.
fn segments(dir: &Path) -> usize {
    let mut found = 0;
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found += segments(&entry.path());
        } else if entry.file_name().to_string_lossy().starts_with("seg-") {
            found += 1;
        }
    }
    found
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("it does not hang")
}

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(within(future))
}

#[test]
fn what_is_logged_in_an_outage_waits_on_the_disk_and_is_delivered_after_it() {
    for durability in [Durability::Spool, Durability::WriteThrough] {
        let dir = tempfile::tempdir().unwrap();
        let address = nobody();
        let client = spooled(format!("http://{address}"), dir.path()).durability(durability).build().unwrap();
        send(&client, 5);
        kick(&client);
        fact_blocking("an attempt has failed", || (destination(&client).retries > 0).then_some(()));
        send(&client, 45);
        kick(&client);
        let stats = fact_blocking("the rest is on the disk", || {
            Some(destination(&client)).filter(|d| d.spooled + d.spool_in_flight >= 45 && d.queued == 0)
        });
        assert_eq!((stats.delivered, stats.dropped.total()), (0, 0), "{durability:?}");
        assert_adds_up(&client);
        let collector = Scripted::start_on(address, []);
        kick(&client);
        fact_blocking("everything is delivered", || (destination(&client).delivered == 50).then_some(()));
        assert_adds_up(&client);
        assert_eq!(ids(&collector).len(), 50, "{durability:?}");
        assert_eq!(collector.entries().len(), 50, "each once");
        let report = run(client.shutdown(LONG));
        assert_eq!((report.left, report.spooled, report.dropped), (0, 0, 0));
        assert_eq!(segments(dir.path()), 0, "nothing stays of what is delivered");
    }
}

#[test]
fn what_a_shutdown_cannot_deliver_is_spooled_and_the_next_client_delivers_it() {
    let gate = Gate::default();
    let hanging = Scripted::start((0..40).map(|_| Answer::stored().behind(&gate)));
    for (name, url) in [("nobody there", dead()), ("hanging", hanging.url())] {
        for durability in [Durability::Spool, Durability::WriteThrough] {
            let dir = tempfile::tempdir().unwrap();
            let client = spooled(url.clone(), dir.path()).durability(durability).build().unwrap();
            send(&client, 2_500);
            let (begun, deadline) = (Instant::now(), Duration::from_millis(500));
            let report = run(client.shutdown(deadline));
            assert!(begun.elapsed() < deadline + GRACE, "{name} {durability:?}: {:?}", begun.elapsed());
            let told = (report.delivered, report.dropped, report.left, report.spooled);
            assert_eq!(told, (0, 0, 0, 2_500), "{name} {durability:?}");
            assert_adds_up(&client);
            drop(client);

            let collector = Scripted::start([]);
            let client = spooled(collector.url(), dir.path()).durability(durability).build().unwrap();
            let stats = fact_blocking("everything is delivered", || {
                Some(destination(&client)).filter(|d| d.delivered >= 2_500)
            });
            assert_eq!((stats.accepted, stats.recovered), (0, 2_500), "{name} {durability:?}");
            assert_eq!(ids(&collector).len(), 2_500);
            assert_adds_up(&client);
            assert_eq!(run(client.shutdown(LONG)).spooled, 0);
            assert_eq!(segments(dir.path()), 0);
        }
    }
}

#[test]
fn durable_returns_when_the_entry_is_on_the_disk_whatever_the_collector_does() {
    for durability in [Durability::Spool, Durability::WriteThrough] {
        let dir = tempfile::tempdir().unwrap();
        let client = spooled(dead(), dir.path()).durability(durability).build().unwrap();
        run(async {
            let all: Vec<_> = (0..100).map(|i| client.info("kept").field("i", i).durable()).collect();
            for one in all {
                one.await.unwrap();
            }
        });
        assert_eq!(destination(&client).durable, 100);
        assert!(segments(dir.path()) > 0);
        assert_adds_up(&client);
        // No chance to say goodbye to anything: what was promised is there without it.
        std::mem::forget(client);
    }
}

#[test]
fn many_who_wait_at_once_share_the_memory_of_few_sweeps() {
    // They take a fifth of it, and each wakes the worker.
    const WAITING: usize = 2_000;
    let dir = tempfile::tempdir().unwrap();
    let client = spooled(dead(), dir.path()).queue_bytes(1 << 20).build().unwrap();
    let refused = run(async {
        let mut refused = 0;
        for _ in 0..8 {
            let waiting = (0..WAITING).map(|i| client.info("an entry").field("i", i).durable());
            for one in waiting.collect::<Vec<_>>() {
                refused += usize::from(one.await.is_err());
            }
        }
        refused
    });
    assert_eq!(refused, 0, "{:?}", client.stats());
}

#[test]
fn durable_is_an_error_without_a_spool_and_the_entry_is_sent_all_the_same() {
    let collector = Scripted::start([]);
    let client = builder(collector.url()).build().unwrap();
    assert_eq!(run(client.info("an entry").durable()), Err(NotDurable::NoSpool));
    client.flush_blocking(LONG).unwrap();
    assert_eq!(collector.entries().len(), 1);
    run(client.shutdown(LONG));
    let refused = run(client.info("late").durable());
    assert!(matches!(refused, Err(NotDurable::Refused(_))), "{refused:?}");
    assert!(matches!(run(Client::disabled().info("never").durable()), Err(NotDurable::Refused(_))));
    assert_adds_up(&client);
}

#[test]
fn whoever_stops_waiting_for_the_disk_loses_nothing_and_leaks_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let collector = Scripted::start([]);
    let client = spooled(collector.url(), dir.path()).build().unwrap();
    run(async {
        for polls in 0..3 {
            for _ in 0..100 {
                let mut durable = Box::pin(client.info("an entry").durable());
                for _ in 0..polls {
                    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                    let _ = durable.as_mut().poll(&mut context);
                }
            }
        }
        client.info("the last").durable().await.unwrap();
    });
    client.flush_blocking(LONG).unwrap();
    fact_blocking("all are delivered", || (destination(&client).delivered == 301).then_some(()));
    assert_eq!(ids(&collector).len(), 301);
    fact_blocking("the memory is free again", || (client.stats().queue_bytes == 0).then_some(()));
    assert_adds_up(&client);
}

#[test]
fn a_flush_is_over_when_everything_is_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let client = spooled(dead(), dir.path()).build().unwrap();
    send(&client, 10);
    let begun = Instant::now();
    let report = client.flush_blocking(LONG).unwrap();
    assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
    assert_eq!((report.delivered, report.dropped, report.left, report.spooled), (0, 0, 0, 10));
    assert_adds_up(&client);
}

#[test]
fn those_who_wait_for_the_disk_hear_before_the_client_ends() {
    let dir = tempfile::tempdir().unwrap();
    let client = spooled(dead(), dir.path()).build().unwrap();
    let waiting: Vec<_> = (0..50).map(|_| client.info("an entry").durable()).collect();
    let report = run(client.shutdown(Duration::from_secs(1)));
    assert_eq!((report.dropped, report.spooled), (0, 50));
    for one in waiting {
        run(one).unwrap();
    }
    assert_adds_up(&client);
}

#[test]
fn a_refused_entry_goes_to_the_quarantine_alone() {
    let dir = tempfile::tempdir().unwrap();
    let collector = Scripted::judging([], |request| {
        let poison = request.entries().iter().any(|entry| entry["message"] == "poison");
        if poison { Answer::status(400) } else { Answer::stored() }
    });
    let client = spooled(collector.url(), dir.path()).durability(Durability::WriteThrough).build().unwrap();
    send(&client, 3);
    client.info("poison").send();
    send(&client, 4);
    kick(&client);
    let stats = fact_blocking("one is dropped and the others are delivered", || {
        kick(&client);
        Some(destination(&client)).filter(|d| d.delivered == 7 && d.dropped.of(DropReason::Poison) == 1)
    });
    assert_eq!(stats.dropped.total(), 1);
    fact_blocking("it is in the quarantine", || {
        destination(&client).spool.filter(|spool| spool.quarantined == 1)
    });
    assert_adds_up(&client);
    run(client.shutdown(LONG));
    let kept: Vec<_> =
        std::fs::read_dir(dir.path().join("collector/quarantine")).unwrap().flatten().collect();
    let bytes = std::fs::read(kept[0].path()).unwrap();
    assert_eq!(kept.len(), 1);
    let found = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    assert!(found(b"poison") && !found(b"an entry"), "the one, and no other");
}

#[test]
fn a_directory_that_is_not_safe_is_refused_and_so_is_a_promise_without_one() {
    let dir = tempfile::tempdir().unwrap();
    let open = dir.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(dir.path(), &link).unwrap();
    for (wrong, says) in [(&open, "others may write to it"), (&link, "it is a link")] {
        let error = spooled(dead(), wrong).build().unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let nested = dir.path().join("nested");
    std::fs::create_dir(&nested).unwrap();
    std::fs::set_permissions(&nested, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::create_dir(nested.join("collector")).unwrap();
    std::fs::set_permissions(nested.join("collector"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = spooled(dead(), &nested).build().unwrap_err().to_string();
    assert!(error.contains("others may write to it"), "{error}");
    let error = builder(dead()).durability(Durability::WriteThrough).build().unwrap_err().to_string();
    assert!(error.contains("needs a directory"), "{error}");
    let error = builder(dead()).spool(Spool::new(dir.path().join("small")).max_bytes(1)).build().unwrap_err();
    assert!(error.to_string().contains("max_bytes"), "{error}");
}

#[test]
fn two_clients_share_a_directory_and_each_delivers_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let collector = Scripted::start([]);
    let clients: Vec<Client> = (0..2)
        .map(|_| {
            let builder = spooled(collector.url(), dir.path());
            builder.durability(Durability::WriteThrough).build().unwrap()
        })
        .collect();
    for client in &clients {
        send(client, 100);
        kick(client);
    }
    for client in &clients {
        fact_blocking("its own are delivered", || (destination(client).delivered == 100).then_some(()));
        assert_eq!(destination(client).recovered, 0);
        assert_adds_up(client);
    }
    assert_eq!(collector.entries().len(), 200);
    assert_eq!(ids(&collector).len(), 200);
}

#[test]
fn what_a_killed_process_was_promised_is_delivered_by_the_next() {
    let test = "spool::what_a_killed_process_was_promised_is_delivered_by_the_next";
    let dir = tempfile::tempdir().unwrap();
    let role = || {
        let dir = std::env::var_os("HOPLOG_TEST_DIR").unwrap();
        let client = spooled(dead(), dir.as_ref()).durability(Durability::WriteThrough).build().unwrap();
        run(async {
            for i in 0..40 {
                client.info(format!("promised {i}")).durable().await.unwrap();
            }
        });
        send(&client, 500);
        // As by SIGKILL: nothing of ours runs.
        std::process::abort();
    };
    if is_child() {
        child(test, role);
    }
    let output = child(test, role).env("HOPLOG_TEST_DIR", dir.path()).output().unwrap();
    assert!(!output.status.success(), "it was to be killed");
    let collector = Scripted::start([]);
    let client = spooled(collector.url(), dir.path()).build().unwrap();
    let messages = || -> Vec<String> {
        collector.entries().iter().map(|e| e["message"].as_str().unwrap().to_owned()).collect()
    };
    fact_blocking("all that was promised", || {
        let messages = messages();
        (0..40).all(|i| messages.contains(&format!("promised {i}"))).then_some(())
    });
    assert_eq!(ids(&collector).len(), collector.entries().len(), "none twice");
    let stats = destination(&client);
    assert_eq!(stats.recovered, stats.delivered + stats.in_flight + stats.spooled);
    assert_adds_up(&client);
}
