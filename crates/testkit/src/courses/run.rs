//! Runs plan after plan over a framework's glue, each cut at every point.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Wake, Waker};

use hoplog::testing::{Capture, capture};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use serde_json::Value;

use super::act::{Actor, Sight};
use super::drive::{Event, Pair};
use super::glue::Glue;
use super::model::{self, Expected};
use super::plan::{self, Cut, Plan};
use super::tally::Tally;
use crate::facts::PATIENCE;

/// Makes more than ten thousand courses.
const PLANS: u32 = 1800;

/// Runs any plans; prints how many courses came of them, and what they came across.
///
/// # Panics
/// A course of some plan ends otherwise than it must; the smallest such plan is named.
#[expect(clippy::print_stdout, reason = "the run's result, for who reads the test's output")]
pub fn run<G: Glue>(glue: &G) {
    let config = Config { cases: PLANS, failure_persistence: None, ..Config::default() };
    let (tally, log) = (RefCell::new(Tally::default()), RefCell::new(Log::new()));
    let result = TestRunner::new(config).run(&plan::any(), |plan| {
        let plan = if G::TRAILERS { plan } else { plan.without_trailers() };
        let plan = Rc::new(plan);
        for cut in plan.cuts() {
            let mut log = log.borrow_mut();
            if log.is_used_up() {
                *log = Log::new();
            }
            course(glue, &plan, cut, &mut log, &mut tally.borrow_mut())
                .map_err(|wrong| TestCaseError::fail(format!("{cut:?}: {wrong}")))?;
        }
        Ok(())
    });
    if let Err(TestError::Fail(why, plan)) = &result {
        panic!("{}: {why}\n{plan:#?}", G::NAME);
    }
    assert!(result.is_ok(), "{result:?}");
    let tally = tally.into_inner();
    println!("\n{}: {}", G::NAME, tally.summary());
    assert_eq!(tally.missed(G::TRAILERS), [""; 0], "what no course came across");
    println!("FIGURE properties.{}_cases {} cases", G::NAME, tally.courses);
}

struct Unused;

impl Wake for Unused {
    fn wake(self: Arc<Self>) {}
}

/// A client, and what it was seen to have done.
struct Log {
    capture: Capture,
    written: usize,
    accepted: u64,
    lost: u64,
    closed: bool,
}

impl Log {
    fn new() -> Self {
        Self { capture: capture(), written: 0, accepted: 0, lost: 0, closed: false }
    }

    /// A client that was shut down stays so. And every look reads all that was written.
    fn is_used_up(&self) -> bool {
        self.closed || self.written >= 8
    }

    /// The entry since the last look. None, but counted, where the client was shut down before the request's end.
    fn one_entry(&mut self, refused: bool) -> Result<Option<Value>, String> {
        let mut entries = self.capture.entries().split_off(self.written);
        let stats = self.capture.client().stats();
        let counts = (entries.len(), stats.accepted - self.accepted, stats.lost() - self.lost);
        (self.written, self.accepted, self.lost) =
            (self.written + entries.len(), stats.accepted, stats.lost());
        let wanted = if refused { (0, 0, 1) } else { (1, 1, 0) };
        if counts == wanted {
            return Ok(entries.pop());
        }
        Err(format!("written, accepted and refused entries: {counts:?}, not {wanted:?}: {entries:?}"))
    }
}

/// One course, from the call to the entry. `Err` says what is wrong.
fn course<G: Glue>(
    glue: &G,
    plan: &Rc<Plan>,
    cut: Cut,
    log: &mut Log,
    tally: &mut Tally,
) -> Result<(), String> {
    let client = log.capture.client();
    let waker = Waker::from(Arc::new(Unused));
    let [bare, logged] = [(); 2].map(|()| Actor::new(Rc::clone(plan), waker.clone()));
    let mut shutdown = || close(&client);
    let events = {
        let layers = if plan.second_layer { 2 } else { 1 };
        let sides = (glue.bare(bare.clone()), glue.logged(logged.clone(), client.clone(), layers));
        let mut pair = Pair::new(sides.0, sides.1, plan, waker, &mut shutdown);
        pair.run(cut).map_err(|wrong| format!("{wrong}\n  after {:?}", pair.events))?;
        let mut events = pair.events;
        if plan.keeps {
            logged.release();
            events.push(Event::Released);
        }
        events
    };
    let expected = model::expected::<G>(plan, &events);
    tally.count(plan, cut, &events, &expected);
    let closed = events.iter().position(|event| *event == Event::Shutdown);
    log.closed = closed.is_some();
    let entry = log.one_entry(closed.is_some_and(|at| at < expected.at));
    let entry = entry.map_err(|wrong| format!("{wrong}\n  after {events:?}"))?;
    let wrong = [
        entry.as_ref().and_then(|entry| wrong_entry(entry, &expected)),
        wrong_polls(&bare.polls(), &logged.polls(), &events, &expected),
    ];
    match wrong.into_iter().flatten().collect::<Vec<_>>() {
        wrong if wrong.is_empty() => Ok(()),
        wrong => Err(format!("{}\n  after {events:?}", wrong.join("; "))),
    }
}

fn close(client: &hoplog::Client) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let _ = runtime.block_on(client.shutdown(PATIENCE));
}

fn wrong_entry(entry: &Value, expected: &Expected) -> Option<String> {
    let wanted = [
        ("kind", Value::from("request")),
        ("outcome", expected.outcome.into()),
        ("status_code", expected.status.into()),
        ("response_size", expected.bytes.into()),
        ("grpc_status", expected.grpc_status.into()),
        ("level", expected.level().into()),
        ("error_message", expected.error.as_ref().map(|(_, message)| message.as_str()).into()),
    ];
    let error_type = expected.error.as_ref().and_then(|(error_type, _)| *error_type);
    let wrong: Vec<String> = wanted
        .iter()
        .filter(|(name, value)| entry[name] != *value)
        .map(|(name, value)| format!("{name} is {}, not {value}", entry[name]))
        .chain(
            error_type
                .filter(|error_type| entry["error_type"] != *error_type)
                .map(|error_type| format!("error_type is {}, not {error_type}", entry["error_type"])),
        )
        .collect();
    (!wrong.is_empty()).then(|| wrong.join(", "))
}

/// The script was polled as often as without the layer, by the same waker, and in the request's context until the end.
fn wrong_polls(bare: &[Sight], logged: &[Sight], events: &[Event], expected: &Expected) -> Option<String> {
    let polled = |event: &&Event| !matches!(event, Event::Shutdown | Event::Dropped | Event::Released);
    let open = events.iter().take(expected.left_at).filter(polled).count();
    let inside = logged.iter().enumerate().all(|(index, poll)| poll.request_id.is_some() == (index < open));
    match () {
        () if bare.len() != logged.len() => {
            Some(format!("polled {} times, bare {} times", logged.len(), bare.len()))
        }
        () if !logged.iter().all(|poll| poll.same_waker) => Some("another waker".to_owned()),
        () if bare.iter().any(|poll| poll.request_id.is_some()) => {
            Some("a context without a layer".to_owned())
        }
        () if !inside => Some(format!("not in its context for just {open} polls: {logged:?}")),
        () => None,
    }
}
