//! A queue that is full, under each policy: who goes, that every one is counted under its reason, and that errors stay.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hoplog::{
    Batch, Client, ClientBuilder, Delivery, Destination, DropReason, Level, Output, Overflow, Refusal,
};
use hoplog_testkit::facts::fact_blocking;

use crate::support::{LONG, assert_adds_up, builder};

/// Entries that are made for each one that may be taken.
const FASTER: u64 = 10;
const ENTRIES: u64 = 60_000;
/// Made when all others are.
const LAST: Range<u64> = ENTRIES..ENTRIES + 100;
/// A tenth of it takes the errors that come while one batch is under way.
const MEMORY: usize = 8 << 20;

/// Takes a tenth of what was made so far, and everything once it may.
struct Slow {
    made: Arc<AtomicU64>,
    taken: u64,
    seen: Arc<Mutex<BTreeSet<u64>>>,
}

impl Destination for Slow {
    async fn deliver(&mut self, batch: &Batch<'_>) -> Delivery {
        self.taken += batch.len() as u64;
        while self.taken * FASTER > self.made.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let numbers = batch.entries().map(|entry| entry.message().unwrap()[..8].parse::<u64>().unwrap());
        self.seen.lock().unwrap().extend(numbers);
        Delivery::Delivered
    }
}

struct Rig {
    client: Client,
    made: Arc<AtomicU64>,
    seen: Arc<Mutex<BTreeSet<u64>>>,
}

fn rig(overflow: Overflow) -> Rig {
    let (made, seen) = (Arc::<AtomicU64>::default(), Arc::<Mutex<BTreeSet<u64>>>::default());
    let slow = Slow { made: Arc::clone(&made), taken: 0, seen: Arc::clone(&seen) };
    let client = small(overflow).destination(Output::own(slow).name("slow")).build().unwrap();
    Rig { client, made, seen }
}

fn small(overflow: Overflow) -> ClientBuilder {
    let interval = Duration::from_millis(10);
    builder("http://127.0.0.1:9")
        .without_collector()
        .queue_bytes(MEMORY)
        .flush_interval(interval)
        .overflow(overflow)
}

/// Of twenty entries one is an error.
fn is_error(number: u64) -> bool {
    number.is_multiple_of(20)
}

fn make(rig: &Rig, number: u64) -> Result<(), Refusal> {
    let text = format!("{number:08} {}", "x".repeat(500));
    let level = if is_error(number) { Level::Error } else { Level::Info };
    let made = rig.client.log(level, text).try_send().map_err(|refused| refused.reason());
    rig.made.fetch_add(1, Ordering::Relaxed);
    made
}

/// From two threads; returns how many entries were refused at once.
fn flood(rig: &Rig) -> u64 {
    let make_half = |first: u64| {
        let mut refused = 0;
        for i in 0..ENTRIES / 2 {
            refused += u64::from(make(rig, 2 * i + first).is_err());
            if i % 64 == 0 {
                let stats = rig.client.stats();
                assert!(stats.queue_bytes <= stats.queue_bytes_max && stats.queue_bytes_max <= MEMORY);
            }
        }
        refused
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| make_half(1));
        make_half(0) + other.join().unwrap()
    })
}

/// Lets the slow one take everything, and says which entries it never saw.
fn missing(rig: &Rig) -> BTreeSet<u64> {
    rig.made.store(u64::MAX, Ordering::Relaxed);
    rig.client.flush_blocking(LONG).unwrap();
    assert_adds_up(&rig.client);
    let seen = rig.seen.lock().unwrap();
    (0..LAST.end).filter(|number| !seen.contains(number)).collect()
}

/// Drops by reason, wherever they happened.
fn dropped(client: &Client, reason: DropReason) -> u64 {
    let stats = client.stats();
    stats.refused.of(reason) + stats.destinations.iter().map(|d| d.dropped.of(reason)).sum::<u64>()
}

/// What was refused at once, and what was lost later.
fn hold(name: &str, overflow: Overflow) -> (u64, u64, BTreeSet<u64>) {
    let rig = rig(overflow);
    let mut refused = flood(&rig);
    if overflow == Overflow::DropOldest {
        fact_blocking("the worker has made room", || {
            let stats = rig.client.stats();
            (stats.queue_bytes * 10 < stats.queue_bytes_max * 9).then_some(())
        });
    }
    refused += LAST.filter(|number| make(&rig, *number).is_err()).count() as u64;
    let missing = missing(&rig);
    let errors = (0..LAST.end).filter(|number| is_error(*number)).count();
    let errors_lost = missing.iter().filter(|number| is_error(**number)).count();
    let survival = 100.0 * (errors - errors_lost) as f64 / errors as f64;
    let (newest, oldest) = (
        dropped(&rig.client, DropReason::QueueFullNewest),
        dropped(&rig.client, DropReason::QueueFullOldest),
    );
    println!("FIGURE overflow.{name}_dropped_newest {newest} entries");
    println!("FIGURE overflow.{name}_dropped_oldest {oldest} entries");
    println!("FIGURE overflow.{name}_errors_kept {survival:.1} %");
    assert!(missing.len() as u64 > ENTRIES / 2, "the queue was full for most of the time");
    let lost = missing.len() as u64;
    assert_eq!((newest, newest + oldest), (refused, lost), "{:?}", rig.client.stats());
    assert_eq!(rig.client.stats().lost(), lost, "and for no other reason");
    assert_eq!(errors_lost, 0, "a tenth is kept for errors, and they are a twentieth");
    (newest, oldest, missing)
}

#[test]
fn the_newest_are_dropped_and_counted_and_every_error_stays() {
    let (_, oldest, missing) = hold("newest", Overflow::DropNewest);
    assert_eq!(oldest, 0);
    assert!(missing.range(..ENTRIES / 40).next().is_none(), "the first ones found room");
}

#[test]
fn or_the_oldest_are_dropped_and_counted_and_every_error_stays() {
    let (newest, oldest, missing) = hold("oldest", Overflow::DropOldest);
    // Only while the worker has everything in its hands nothing in the queue can give way.
    assert!(newest * 20 < oldest, "{newest} {oldest}");
    assert!(missing.range(LAST).next().is_none(), "the last ones are there");
}

#[test]
fn a_call_that_may_wait_loses_nothing_as_long_as_there_is_room_in_time() {
    let rig = rig(Overflow::Block(LONG));
    // As fast as it is fed: the producer is held up by the consumer.
    rig.made.store(u64::MAX / 2, Ordering::Relaxed);
    for number in 0..LAST.end {
        assert_eq!(make(&rig, number), Ok(()), "{number}");
    }
    let missing = missing(&rig);
    println!("FIGURE overflow.block_dropped {} entries", missing.len());
    assert!(missing.is_empty());
}

#[test]
fn it_waits_no_longer_than_it_may_and_never_in_a_runtime() {
    const PATIENCE: Duration = Duration::from_millis(80);
    let rig = rig(Overflow::Block(PATIENCE));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // Nothing is taken; in a runtime nobody waits, so that the memory is full in no time.
    let refusal = fact_blocking("the memory is full", || {
        runtime.block_on(async { (0..1_000).find_map(|number| make(&rig, number).err()) })
    });
    assert_eq!(refusal, Refusal::Dropped(DropReason::QueueFullNewest));
    let begun = Instant::now();
    runtime.block_on(async { (0..20).for_each(|_| assert!(make(&rig, 1).is_err())) });
    let in_a_runtime = begun.elapsed();
    let begun = Instant::now();
    assert!(make(&rig, 1).is_err());
    let outside = begun.elapsed();
    println!("FIGURE overflow.block_waited_ms {} ms", outside.as_millis());
    println!("FIGURE overflow.block_waited_in_a_runtime_us {} us", in_a_runtime.as_micros() / 20);
    assert!(outside >= PATIENCE, "{outside:?}");
    assert!(in_a_runtime < PATIENCE, "twenty calls, and none of them waited: {in_a_runtime:?}");
    assert!(dropped(&rig.client, DropReason::QueueFullNewest) >= 22);
    missing(&rig);
}
