//! Several destinations at once: what each takes, what each counts, and that none holds up another.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hoplog::{
    Batch, Client, ClientBuilder, Delivery, Destination, DestinationStats, DropReason, Kind, Level, Origin,
    Output,
};
use hoplog_testkit::facts::{fact, fact_blocking};
use hoplog_testkit::scripted::Scripted;

use crate::support::{LONG, builder, send};

/// Keeps what it is given and answers as it is told; `Delivered` once it is told no more.
#[derive(Default)]
struct Told {
    answers: Vec<Delivery>,
    seen: Arc<Mutex<Vec<Vec<String>>>>,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

impl Told {
    fn to(answers: impl IntoIterator<Item = Delivery>) -> Self {
        let mut answers: Vec<Delivery> = answers.into_iter().collect();
        answers.reverse();
        Self { answers, ..Self::default() }
    }
}

impl Destination for Told {
    async fn deliver(&mut self, batch: &Batch<'_>) -> Delivery {
        let messages = batch.entries().map(|entry| entry.message().unwrap_or("-").to_owned()).collect();
        self.seen.lock().unwrap().push(messages);
        self.answers.pop().unwrap_or(Delivery::Delivered)
    }

    async fn flush(&mut self) {
        self.calls.lock().unwrap().push("flush");
    }

    async fn close(&mut self) {
        self.calls.lock().unwrap().push("close");
    }
}

fn without_collector() -> ClientBuilder {
    builder("http://127.0.0.1:9").without_collector()
}

fn counts(client: &Client, name: &str) -> DestinationStats {
    let stats = client.stats();
    let all: Vec<_> = stats.destinations.iter().map(|d| d.name.clone()).collect();
    let found = stats.destinations.into_iter().find(|d| d.name == name);
    let d = found.unwrap_or_else(|| panic!("no `{name}` among {all:?}"));
    assert_eq!(d.accepted, d.delivered + d.dropped.total() + d.filtered + d.queued + d.in_flight, "{d:?}");
    d
}

#[test]
fn each_destination_has_its_level_its_kinds_and_its_filter_and_counts_what_they_leave_out() {
    let (warnings, fours) = (Told::default(), Told::default());
    let (seen, seen_fours) = (Arc::clone(&warnings.seen), Arc::clone(&fours.seen));
    let collector = Scripted::start([]);
    let client = builder(collector.url())
        .destination(Output::collector().name("central").kinds([Kind::Event]))
        .destination(Output::own(warnings).name("warnings").min_level(Level::Warn))
        .destination(Output::own(fours).filter(|entry| entry.field("i").as_deref() == Some("4")))
        .build()
        .unwrap();
    send(&client, 5);
    client.warn("low on tea").send();
    client.flush_blocking(LONG).unwrap();
    assert_eq!(collector.entries().len(), 6);
    assert_eq!(*seen.lock().unwrap(), [["low on tea"]]);
    assert_eq!(*seen_fours.lock().unwrap(), [["an entry"]]);
    for (name, delivered, filtered) in [("central", 6, 0), ("warnings", 1, 5), ("own", 1, 5)] {
        let d = counts(&client, name);
        assert_eq!((d.delivered, d.filtered, d.queued, d.in_flight), (delivered, filtered, 0, 0), "{d:?}");
    }
    assert_eq!(client.stats().lost(), 0, "what is filtered is not lost");
}

#[test]
fn a_collector_gets_no_batch_of_what_its_filter_leaves_out() {
    let collector = Scripted::start([]);
    let client =
        builder(collector.url()).destination(Output::collector().min_level(Level::Error)).build().unwrap();
    send(&client, 3);
    let report = client.flush_blocking(LONG).unwrap();
    assert_eq!((report.delivered, report.left), (0, 0));
    assert!(collector.entries().is_empty());
    assert_eq!(counts(&client, "collector").filtered, 3);
}

#[test]
fn names_are_unique_given_or_not() {
    let client = without_collector()
        .destination(Output::own(Told::default()))
        .destination(Output::own(Told::default()).name("own-2"))
        .destination(Output::own(Told::default()))
        .build()
        .unwrap();
    let names: Vec<String> = client.stats().destinations.into_iter().map(|d| d.name).collect();
    assert_eq!(names, ["own", "own-2", "own-3"]);
    let twice = without_collector()
        .destination(Output::own(Told::default()).name("db"))
        .destination(Output::own(Told::default()).name("db"))
        .destination(Output::own(Told::default()).name(""));
    let error = twice.build().unwrap_err();
    assert_eq!(error.complaints().len(), 2, "{error}");
    let error = without_collector().destination(Output::collector()).build().unwrap_err();
    assert!(error.to_string().contains("without_collector"), "{error}");
}

#[test]
fn what_a_destination_asks_for_again_comes_again_as_it_was() {
    let told = Told::to([Delivery::RetryAfter(Duration::from_millis(1)), Delivery::Retry]);
    let (seen, calls) = (Arc::clone(&told.seen), Arc::clone(&told.calls));
    let client = without_collector().destination(Output::own(told)).build().unwrap();
    send(&client, 3);
    client.flush_blocking(LONG).unwrap();
    assert_eq!(*seen.lock().unwrap(), vec![vec!["an entry"; 3]; 3]);
    assert_eq!(*calls.lock().unwrap(), ["flush"]);
    let d = counts(&client, "own");
    assert_eq!((d.delivered, d.retries, d.queued), (3, 2, 0));
    drop(client);
    assert_eq!(*calls.lock().unwrap(), ["flush", "close"]);
}

#[test]
fn what_a_destination_refuses_is_counted_as_such() {
    let told = Told::to([Delivery::Refused(2), Delivery::Refused(usize::MAX)]);
    let client = without_collector().destination(Output::own(told)).build().unwrap();
    for _ in 0..2 {
        send(&client, 5);
        client.flush_blocking(LONG).unwrap();
    }
    let d = counts(&client, "own");
    assert_eq!((d.delivered, d.dropped.of(DropReason::ServerRejected)), (3, 7));
}

/// Panics over its first batch.
struct Nervous(bool);

impl Destination for Nervous {
    async fn deliver(&mut self, _: &Batch<'_>) -> Delivery {
        assert!(std::mem::replace(&mut self.0, true), "the first one is too much");
        Delivery::Delivered
    }
}

#[test]
fn a_destination_that_panics_loses_that_batch_and_goes_on() {
    let client = without_collector().destination(Output::own(Nervous(false))).build().unwrap();
    for _ in 0..2 {
        send(&client, 4);
        client.flush_blocking(LONG).unwrap();
    }
    let d = counts(&client, "own");
    assert_eq!((d.delivered, d.dropped.of(DropReason::Poison)), (4, 4), "{d:?}");
}

/// Blocks its thread, as no future should, until it is let go.
struct Blocking {
    entered: Sender<()>,
    gate: Receiver<()>,
}

impl Destination for Blocking {
    async fn deliver(&mut self, _: &Batch<'_>) -> Delivery {
        let _ = self.entered.send(());
        let _ = self.gate.recv();
        Delivery::Delivered
    }
}

#[test]
fn one_that_blocks_holds_up_nobody_and_may_fill_its_share_of_the_memory_only() {
    let ((entered, has_entered), (go, gate)) = (channel(), channel());
    let quick = Told::default();
    let seen = Arc::clone(&quick.seen);
    let client = without_collector()
        .queue_bytes(1 << 20)
        .flush_interval(Duration::from_millis(10))
        .destination(Output::own(Blocking { entered, gate }).name("stuck"))
        .destination(Output::own(quick).name("quick"))
        .build()
        .unwrap();
    client.info("the one that sticks").send();
    has_entered.recv_timeout(LONG).unwrap();
    // Several times what fits the memory, in portions that do.
    for round in 1..=40u64 {
        send(&client, 250);
        fact_blocking("the quick one has it all", || {
            (counts(&client, "quick").delivered == round * 250 + 1).then_some(())
        });
    }
    assert_eq!(client.stats().refused.total(), 0, "nothing was refused at the door");
    let stuck = counts(&client, "stuck");
    assert!(stuck.dropped.of(DropReason::QueueFullNewest) > 0 && stuck.queued > 0, "{stuck:?}");
    assert_eq!(seen.lock().unwrap().iter().map(Vec::len).sum::<usize>(), 40 * 250 + 1);
    drop(go);
    client.flush_blocking(LONG).unwrap();
    let stuck = counts(&client, "stuck");
    assert_eq!((stuck.queued, stuck.in_flight), (0, 0), "let go, it goes on: {stuck:?}");
}

#[test]
fn one_that_blocks_does_not_hold_up_the_reopening_of_files() {
    let ((entered, has_entered), (go, gate)) = (channel(), channel());
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("beside-a-blocking-one.jsonl");
    let client = without_collector()
        .flush_interval(Duration::from_millis(10))
        .destination(Output::own(Blocking { entered, gate }))
        .file(&path)
        .build()
        .unwrap();
    client.info("the one that sticks").send();
    has_entered.recv_timeout(LONG).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let patience = Duration::from_secs(3);
    runtime.block_on(async { tokio::time::timeout(patience, client.reopen_files()).await }).unwrap().unwrap();
    drop(go);
    drop(client);
    std::fs::remove_file(path).unwrap();
}

/// Never answers.
struct Silent;

impl Destination for Silent {
    async fn deliver(&mut self, _: &Batch<'_>) -> Delivery {
        std::future::pending().await
    }
}

#[test]
fn what_a_silent_destination_holds_at_the_end_is_counted_as_lost() {
    let client = without_collector().destination(Output::own(Silent)).build().unwrap();
    send(&client, 3);
    let report = client.flush_blocking(Duration::from_millis(50)).unwrap();
    assert_eq!(report.left, 3);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let report = runtime.block_on(client.shutdown(Duration::from_millis(50)));
    assert_eq!((report.dropped, report.left), (3, 0));
    assert_eq!(counts(&client, "own").dropped.of(DropReason::ShutdownDeadline), 3);
}

/// What it logs itself.
struct Talkative(Arc<Mutex<Option<Client>>>);

impl Destination for Talkative {
    async fn deliver(&mut self, _: &Batch<'_>) -> Delivery {
        if let Some(client) = &*self.0.lock().unwrap() {
            client.info("delivered something").send();
        }
        Delivery::Delivered
    }
}

#[test]
fn what_a_destination_logs_while_it_delivers_is_not_captured() {
    let slot = Arc::default();
    let client = without_collector().destination(Output::own(Talkative(Arc::clone(&slot)))).build().unwrap();
    *slot.lock().unwrap() = Some(client.clone());
    send(&client, 1);
    client.flush_blocking(LONG).unwrap();
    *slot.lock().unwrap() = None;
    assert_eq!(client.stats().accepted, 1);
}

/// Panics before it has a future to give, as a function that is not `async` can.
struct Hasty(bool);

impl Destination for Hasty {
    fn deliver(&mut self, _: &Batch<'_>) -> impl Future<Output = Delivery> + Send {
        assert!(std::mem::replace(&mut self.0, true), "not even a future");
        std::future::ready(Delivery::Delivered)
    }
}

#[test]
fn a_panic_before_the_future_is_a_panic_like_any_other() {
    let client = without_collector().destination(Output::own(Hasty(false))).build().unwrap();
    for _ in 0..2 {
        send(&client, 4);
        client.flush_blocking(LONG).unwrap();
    }
    let d = counts(&client, "own");
    assert_eq!((d.delivered, d.dropped.of(DropReason::Poison)), (4, 4), "{d:?}");
}

#[test]
fn a_wait_beyond_all_time_is_a_long_one() {
    let told = Told::to([Delivery::RetryAfter(Duration::MAX)]);
    let seen = Arc::clone(&told.seen);
    let client = without_collector().destination(Output::own(told)).build().unwrap();
    send(&client, 3);
    let report = client.flush_blocking(Duration::from_millis(300)).unwrap();
    assert_eq!((report.left, report.dropped), (3, 0));
    assert_eq!(seen.lock().unwrap().len(), 1);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let report = runtime.block_on(client.shutdown(Duration::from_millis(50)));
    assert_eq!((report.dropped, report.left), (3, 0));
    assert_eq!(counts(&client, "own").dropped.of(DropReason::ShutdownDeadline), 3);
}

/// Tells on which thread it goes, and makes a fuss about it.
struct Clinging(Sender<Option<String>>);

impl Destination for Clinging {
    async fn deliver(&mut self, _: &Batch<'_>) -> Delivery {
        Delivery::Delivered
    }
}

impl Drop for Clinging {
    fn drop(&mut self) {
        let _ = self.0.send(std::thread::current().name().map(ToOwned::to_owned));
        panic!("not without a fight");
    }
}

#[test]
fn a_destination_ends_on_its_own_thread_and_its_last_panic_reaches_nobody() {
    let (told, tells) = channel();
    let client = without_collector().destination(Output::own(Clinging(told))).build().unwrap();
    send(&client, 1);
    client.flush_blocking(LONG).unwrap();
    drop(client);
    assert_eq!(tells.recv_timeout(LONG).unwrap().as_deref(), Some("hoplog-destination"));
}

#[test]
fn counts_add_up_at_any_moment() {
    let client = without_collector()
        .flush_interval(Duration::from_millis(10))
        .destination(Output::own(Told::default()).name("a"))
        .destination(
            Output::own(Told::default()).name("b").filter(|entry| entry.created_at().elapsed().is_err()),
        )
        .build()
        .unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (0..50).for_each(|_| send(&client, 200)));
        while !writer.is_finished() {
            counts(&client, "a");
            counts(&client, "b");
        }
    });
}

#[test]
fn a_destination_serves_one_client() {
    let builder = without_collector().destination(Output::own(Told::default()).name("db"));
    builder.clone().batch_size(0).build().unwrap_err();
    let first = builder.clone().build().unwrap();
    for client in [Some(first), None] {
        let error = builder.clone().build().unwrap_err();
        assert!(error.complaints()[0].contains("`db` serves another client"), "{error}");
        drop(client);
    }
}

#[tokio::test]
async fn a_destination_of_ones_own_is_dropped_at_the_shutdown_while_handles_are_still_held() {
    struct Holds(#[expect(dead_code, reason = "it is counted")] Arc<()>);
    impl Destination for Holds {
        async fn deliver(&mut self, _: &Batch<'_>) -> Delivery {
            Delivery::Delivered
        }
    }
    let held = Arc::new(());
    let destination = Output::own(Holds(Arc::clone(&held)));
    let builder = Client::builder().without_variables().without_collector();
    let client = builder.destination(destination).build().unwrap();
    client.info("x").send();
    assert_eq!(client.shutdown(LONG).await.left, 0);
    fact("the destination is gone", || (Arc::strong_count(&held) == 1).then_some(())).await;
    assert!(client.is_enabled());
}

#[test]
fn a_batch_has_no_more_than_a_thousand_entries_however_small() {
    let told = Told::default();
    let seen = Arc::clone(&told.seen);
    let client = without_collector().queue_entries(1 << 24).destination(Output::own(told)).build().unwrap();
    (0..3_000).for_each(|_| client.log_from(Level::Info, "x", &Origin::default()).send());
    client.flush_blocking(LONG).unwrap();
    let sizes: Vec<usize> = seen.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 3_000);
    assert!(sizes.iter().all(|size| *size <= 1_000), "{sizes:?}");
}
