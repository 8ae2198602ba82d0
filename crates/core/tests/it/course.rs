//! Any order of sends, waits, flushes, outages, ends and starts, against a model that is a few sets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hoplog::{Client, DropReason, Durability, NotDurable, Refusal};
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::scripted::{Answer, Received, Scripted};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use crate::spool::{run, spooled};
use crate::support::{LONG, assert_adds_up, builder, destination, kick};

/// How long a flush waits that cannot succeed.
const SHORT: Duration = Duration::from_millis(15);
/// How long an end takes that cannot reach its server; two fifths of it are the disk's.
const DISK: Duration = Duration::from_millis(750);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Send,
    TrySend,
    Durable,
    /// Nobody waits for its end.
    DurableDropped,
    Flush,
    Fail,
    Heal,
    Close,
    /// Another client, with the same spool.
    Start,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => Just(Step::Send),
        4 => Just(Step::TrySend),
        3 => Just(Step::Durable),
        2 => Just(Step::DurableDropped),
        3 => Just(Step::Flush),
        2 => Just(Step::Fail),
        2 => Just(Step::Heal),
        1 => Just(Step::Close),
        2 => Just(Step::Start),
    ];
    proptest::collection::vec(step, 20..=200)
}

/// What should be so.
#[derive(Debug, Default)]
struct Model {
    spool: bool,
    up: bool,
    open: bool,
    /// Of the client that is there now.
    accepted: u64,
    refused: u64,
    /// Accepted, and not delivered as far as anybody was told: in memory or in the spool.
    waiting: BTreeSet<u64>,
    delivered: BTreeSet<u64>,
    /// In memory at an end without a spool; of these, at the last end.
    lost: BTreeSet<u64>,
    lost_last: u64,
}

impl Model {
    /// Whether it takes another one, which then waits.
    fn take(&mut self, number: u64) -> bool {
        if self.open {
            self.accepted += 1;
            self.waiting.insert(number);
        } else {
            self.refused += 1;
        }
        self.open
    }

    /// How long it may take until everything is where it belongs.
    fn patience(&self, ends: bool) -> Duration {
        match (self.spool, self.up) {
            // Of an end the network has its part first, for nothing.
            (true, false) if ends => DISK,
            (false, false) => SHORT,
            _ => LONG,
        }
    }

    fn end(&mut self) {
        self.open = false;
        if !self.spool && self.up {
            self.delivered.append(&mut self.waiting);
        }
        if !self.spool {
            self.lost_last = self.waiting.len() as u64;
            self.lost.append(&mut self.waiting);
        }
    }
}

static UP: AtomicBool = AtomicBool::new(true);
/// It says that it stored what it did not: the control.
static LIES: AtomicBool = AtomicBool::new(false);
/// What the server stored: how often it got each entry.
static STORED: Mutex<BTreeMap<u64, u64>> = Mutex::new(BTreeMap::new());

fn judge(received: &Received) -> Answer {
    if !UP.load(Ordering::Relaxed) {
        return Answer::status(503);
    }
    if LIES.load(Ordering::Relaxed) {
        return Answer::stored();
    }
    let numbers = received.entries().iter().filter_map(|entry| entry["message"].as_str()?.parse().ok());
    let mut stored = STORED.lock().unwrap();
    numbers.for_each(|number| *stored.entry(number).or_default() += 1);
    Answer::stored()
}

struct Real {
    server: Scripted,
    dir: tempfile::TempDir,
    durability: Durability,
    client: Client,
    made: u64,
}

impl Real {
    fn new(durability: Durability) -> Self {
        UP.store(true, Ordering::Relaxed);
        STORED.lock().unwrap().clear();
        let (server, dir) = (Scripted::judging([], judge), tempfile::tempdir().unwrap());
        let client = start(&server, &dir, durability);
        Self { server, dir, durability, client, made: 0 }
    }

    fn step(&mut self, step: Step, model: &mut Model) {
        self.made += 1;
        let (number, text) = (self.made, self.made.to_string());
        let late = Refusal::Dropped(DropReason::AfterClose);
        match step {
            Step::Send => {
                model.take(number);
                self.client.info(text).send();
            }
            Step::TrySend => {
                let expected = if model.take(number) { Ok(()) } else { Err(late) };
                assert_eq!(self.client.info(text).try_send().map_err(|refused| refused.reason()), expected);
            }
            Step::Durable => {
                let expected = match model.take(number) {
                    true if model.spool => Ok(()),
                    true => Err(NotDurable::NoSpool),
                    false => Err(NotDurable::Refused(late)),
                };
                assert_eq!(run(self.client.info(text).durable()).map(drop), expected);
            }
            Step::DurableDropped => {
                model.take(number);
                drop(self.client.info(text).durable());
            }
            Step::Flush => {
                let report = self.client.flush_blocking(model.patience(false));
                assert_eq!(report.is_ok(), model.open);
                let left = if model.spool || model.up { 0 } else { model.waiting.len() as u64 };
                assert!(report.is_err() || report.is_ok_and(|report| report.left == left));
                self.settle(model);
            }
            Step::Fail => {
                self.settle(model);
                UP.store(false, Ordering::Relaxed);
                model.up = false;
            }
            Step::Heal => {
                UP.store(true, Ordering::Relaxed);
                model.up = true;
            }
            Step::Close => self.close(model),
            Step::Start => {
                self.close(model);
                self.client = start(&self.server, &self.dir, self.durability);
                (model.open, model.accepted, model.refused) = (true, 0, 0);
            }
        }
        self.compare(model);
    }

    fn close(&self, model: &mut Model) {
        run(self.client.shutdown(model.patience(true)));
        if model.open {
            model.end();
        }
    }

    /// Where the server is there, everything is delivered before it goes on.
    fn settle(&self, model: &mut Model) {
        if model.up && model.open {
            model.delivered.append(&mut model.waiting);
            fact_blocking("everything is delivered", || {
                kick(&self.client);
                let d = destination(&self.client);
                // What an earlier client left on the disk is in no count until it is read.
                let missing = model.delivered.iter().any(|n| !STORED.lock().unwrap().contains_key(n));
                (d.queued + d.in_flight + d.spooled == 0 && !missing).then_some(())
            });
            let stored: BTreeSet<u64> = STORED.lock().unwrap().keys().copied().collect();
            assert_eq!(stored, model.delivered);
        }
    }

    fn compare(&self, model: &Model) {
        let stats = self.client.stats();
        assert_eq!(stats.accepted, model.accepted);
        assert_eq!(stats.refused.of(DropReason::AfterClose), model.refused);
        assert_eq!(stats.refused.total(), model.refused);
        assert_eq!(destination(&self.client).dropped.total(), if model.open { 0 } else { model.lost_last });
        let stored: BTreeSet<u64> = STORED.lock().unwrap().keys().copied().collect();
        assert!(model.delivered.is_subset(&stored), "delivered is stored");
        assert!(stored.is_disjoint(&model.lost), "what was counted as lost is");
        assert!(stored.iter().all(|n| model.delivered.contains(n) || model.waiting.contains(n)));
        if !model.open {
            assert_adds_up(&self.client);
        }
    }
}

fn start(server: &Scripted, dir: &tempfile::TempDir, durability: Durability) -> Client {
    match durability {
        Durability::Memory => builder(server.url()).build().unwrap(),
        _ => spooled(server.url(), dir.path()).durability(durability).build().unwrap(),
    }
}

/// Runs these steps to a server that is there in the end.
fn course(durability: Durability, steps: &[Step]) -> Model {
    let mut real = Real::new(durability);
    let mut model =
        Model { spool: durability != Durability::Memory, up: true, open: true, ..Model::default() };
    for step in steps.iter().chain(&[Step::Heal, Step::Start, Step::Flush]) {
        real.step(*step, &mut model);
    }
    assert!(model.waiting.is_empty(), "nothing is left over");
    assert_adds_up(&real.client);
    model
}

#[test]
fn any_course_of_things_ends_as_the_model_says() {
    let large = std::env::var("HOPLOG_CHAOS").is_ok_and(|lane| lane == "large");
    let (mut cases, mut delivered, mut twice, mut lost) = (0, 0, 0, 0);
    let mut hits: BTreeMap<Step, u64> = BTreeMap::new();
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..if large { 100 } else { 2 } {
        for durability in [Durability::Memory, Durability::Spool, Durability::WriteThrough] {
            let steps = steps().new_tree(&mut runner).unwrap().current();
            // Seen where it fails, to be run again.
            println!("{durability:?} {steps:?}");
            let model = course(durability, &steps);
            steps.iter().for_each(|step| *hits.entry(*step).or_default() += 1);
            cases += 1;
            delivered += model.delivered.len();
            lost += model.lost.len();
            twice += STORED.lock().unwrap().values().filter(|times| **times > 1).count();
        }
    }
    println!("FIGURE course.cases {cases} cases");
    println!("FIGURE course.steps {} steps", hits.values().sum::<u64>());
    println!("FIGURE course.delivered {delivered} entries");
    println!("FIGURE course.lost_counted {lost} entries");
    println!("FIGURE course.sent_twice {twice} entries");
    for (step, hits) in &hits {
        println!("FIGURE course.hits_{step:?} {hits} steps");
    }
    assert_eq!(hits.len(), 9, "every step was made: {hits:?}");
    LIES.store(true, Ordering::Relaxed);
    let control = std::panic::catch_unwind(|| course(Durability::Memory, &[Step::Send, Step::Flush]));
    println!("FIGURE course.control_red {} of 1", u8::from(control.is_err()));
    assert!(control.is_err(), "a server that loses what it says it has is found");
}
