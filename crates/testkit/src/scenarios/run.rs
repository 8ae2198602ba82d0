//! Runs the table over a framework.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use hoplog::testing::{Capture, capture};
use serde_json::Value;

use super::burst;
use super::expect::Entry;
use super::framework::{Deviation, Framework, Subject};
use super::table::{SCENARIOS, Scenario, Then};
use crate::facts::fact;
use crate::gate::Gate;
use crate::wire::{Response, Wire};

/// Entries are stamped from a clock that is compared with the system's once a second.
const CLOCKS_DIFFER: Duration = Duration::from_millis(50);

/// Runs every scenario and the burst; prints what does not apply, and the number that was run.
///
/// # Panics
/// A scenario fails; all that fail are named.
#[expect(clippy::print_stdout, reason = "the run's result, for who reads the test's output")]
pub async fn run<F: Framework>(framework: &F) {
    let capture = capture();
    let gates = [Gate::default(), Gate::default()];
    let logged = framework.serve(Some(capture.client()), gates[0].clone()).await;
    let bare = framework.serve(None, gates[1].clone()).await;
    let mut log = Log { capture, seen: 0 };
    let (mut ran, mut failures, mut reached) = (0, Vec::new(), BTreeSet::new());
    for scenario in SCENARIOS {
        let mut entries = scenario.entries.to_vec();
        match framework.deviation(scenario.name) {
            Some(Deviation::Impossible(why)) => {
                println!("\n{}: not possible: {}: {why}", F::NAME, scenario.name);
                continue;
            }
            Some(Deviation::Differs(why, entry)) => {
                println!("\n{}: differs: {}: {why}", F::NAME, scenario.name);
                entries = vec![entry];
            }
            None => {}
        }
        reached.extend(entries.iter().map(Entry::outcome));
        let mut wrong = hold(scenario, &entries, &logged, &gates[0], &mut log).await;
        let told = std::mem::take(&mut wrong.1);
        if scenario.same_bytes {
            let plain = converse(scenario, &entries, &bare, &gates[1]).await;
            let (plain, told): (Vec<_>, Vec<_>) =
                (plain.iter().map(normal).collect(), told.iter().map(normal).collect());
            if plain != told {
                wrong.0.push(format!("the bytes differ:\n{told:?}\n  without the layer:\n{plain:?}"));
            }
        }
        ran += 1;
        failures.extend(wrong.0.into_iter().map(|w| format!("{}: {w}", scenario.name)));
    }
    // `process_died` is told by the next process, of a request whose own could not end it.
    let outcomes: BTreeSet<&str> =
        "completed cancelled body_aborted service_error panicked timed_out upgraded".split(' ').collect();
    assert_eq!(reached, outcomes, "every outcome that a middleware can see");
    burst::run(&logged, &mut log).await;
    ran += 1;
    // With the server gone whatever it still held has ended: a second entry of any request would show now.
    logged.stop().await;
    bare.stop().await;
    failures.extend(log.unexpected());
    assert!(failures.is_empty(), "{} failed:\n- {}", F::NAME, failures.join("\n- "));
    // On a line of its own: the harness may be within one.
    println!("\nFIGURE scenarios.{} {ran} count", F::NAME);
}

/// Holds one scenario against the entries it makes. Returns what is wrong and what the client was answered.
async fn hold(
    scenario: &Scenario,
    expected: &[Entry],
    subject: &Subject,
    gate: &Gate,
    log: &mut Log,
) -> (Vec<String>, Vec<Response>) {
    let mut window = Window::open();
    let responses = converse(scenario, expected, subject, gate).await;
    let mut entries = log.next(expected.len(), scenario.name).await;
    window.close();
    // A request of our own on a fresh connection: what the scenario still had in hand gets its turn before it.
    let mut wire = Wire::connect(subject.address()).await;
    wire.send("GET /users/settle HTTP/1.1\r\nhost: test\r\n\r\n").await;
    wire.response("GET").await;
    let mut wrong = Vec::new();
    for entry in log.next(1, "the settling request").await {
        if entry["path"] != "/users/settle" {
            wrong.push(format!("one entry too many: {entry}"));
        }
    }
    for (i, expected) in expected.iter().enumerate() {
        let Some(at) = entries.iter().position(|e| e["path"] == expected.path()) else {
            wrong.push(format!("no entry for {} among {entries:?}", expected.path()));
            continue;
        };
        let entry = entries.remove(at);
        let complaints = expected.complaints(&entry, responses.get(i), &window);
        if !complaints.is_empty() {
            wrong.push(format!("{}\n    in {entry}", complaints.join("; ")));
        }
    }
    (wrong, responses)
}

/// The client's side of a scenario.
async fn converse(scenario: &Scenario, requests: &[Entry], subject: &Subject, gate: &Gate) -> Vec<Response> {
    gate.reset();
    let mut wire = Wire::connect(subject.address()).await;
    wire.send(scenario.send).await;
    match scenario.then {
        Then::Read => {}
        Then::Continue(body) => {
            wire.go_ahead().await;
            wire.send(body).await;
        }
        Then::OpenThenRead => {
            gate.arrival().await;
            gate.open();
        }
        Then::ReadBodyThenOpen(bytes) => {
            wire.body_begins(bytes).await;
            gate.open();
        }
        Then::ReadBodyThenOpenToEnd(bytes) => {
            wire.body_begins(bytes).await;
            gate.open();
            return wire.until_end().await.into_iter().collect();
        }
        Then::ReadToEnd => return wire.until_end().await.into_iter().collect(),
        Then::LeaveInHandler => {
            gate.arrival().await;
            return Vec::new();
        }
        Then::LeaveInBody(bytes) => {
            wire.body_begins(bytes).await;
            return Vec::new();
        }
    }
    let mut responses = Vec::new();
    for request in requests {
        responses.push(wire.response(request.method()).await);
    }
    responses
}

/// A response without what the layer adds and what the time of day is. The order of headers with different names
/// means nothing (RFC 9110 §5.3), and actix keeps them in a hash map.
fn normal(response: &Response) -> (String, Vec<String>, String) {
    let raw = String::from_utf8_lossy(&response.raw).into_owned();
    let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((&raw, ""));
    let mut lines = head.lines().map(ToOwned::to_owned);
    let status = lines.next().unwrap_or_default();
    let ours = ["date:", "x-trace-id:", "x-request-id:"];
    let mut headers: Vec<String> =
        lines.filter(|l| !ours.iter().any(|name| l.to_ascii_lowercase().starts_with(name))).collect();
    headers.sort();
    if response.continued {
        headers.push("after a 100".to_owned());
    }
    (status, headers, body.to_owned())
}

/// The entries of the app under test, each looked at once.
pub(super) struct Log {
    capture: Capture,
    seen: usize,
}

impl Log {
    /// The next `count` entries, or more if more are there at once.
    pub(super) async fn next(&mut self, count: usize, what: &str) -> Vec<Value> {
        let seen = self.seen;
        let fresh = fact(&format!("{count} entries for: {what}"), || {
            let entries = self.capture.entries();
            (entries.len() >= seen + count).then(|| entries[seen..].to_vec())
        })
        .await;
        self.seen += fresh.len();
        fresh
    }

    fn unexpected(&self) -> Vec<String> {
        let more = self.capture.entries().split_off(self.seen);
        more.into_iter().map(|entry| format!("an entry too many at the end: {entry}")).collect()
    }
}

/// When a scenario ran, as the client saw it.
#[derive(Debug)]
pub(super) struct Window {
    begun: Instant,
    begun_at: SystemTime,
    elapsed: Duration,
}

impl Window {
    fn open() -> Self {
        Self { begun: Instant::now(), begun_at: SystemTime::now(), elapsed: Duration::ZERO }
    }

    fn close(&mut self) {
        self.elapsed = self.begun.elapsed();
    }

    pub(super) fn elapsed_ms(&self) -> f64 {
        self.elapsed.as_secs_f64() * 1e3
    }

    /// Whether this Unix time in seconds lies within.
    pub(super) fn contains(&self, at: f64) -> bool {
        let begun = self.begun_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let slack = CLOCKS_DIFFER.as_secs_f64();
        (begun.as_secs_f64() - slack..=(begun + self.elapsed).as_secs_f64() + slack).contains(&at)
    }
}
