//! How often everything came up, so that a run that missed something is seen.

use std::collections::BTreeMap;

use super::drive::Event;
use super::model::Expected;
use super::plan::{Cut, Hint, Plan, Then, Truth};

/// Hits by name.
#[derive(Debug, Default)]
pub(super) struct Tally {
    hits: BTreeMap<&'static str, u64>,
    pub(super) courses: u64,
}

/// What a run has to come across; trailers where bodies have them.
const WANTED: &[&str] = &[
    "body ended",
    "body failed",
    "body pending",
    "data",
    "dropped",
    "failed",
    "head",
    "panic",
    "pending",
    "polled after the end",
    "guard released",
    "shutdown",
    "empty data",
    "panic in call",
    "panic in body",
    "dropped while unwinding",
    "dropped before the head",
    "dropped within the body",
    "second layer",
    "upgrade kept open",
    "shut down before the end",
    "shut down after the end",
    "size right",
    "size too much",
    "size too little",
    "size unknown",
    "HEAD",
    "204",
    "304",
    "101",
    "completed",
    "cancelled",
    "body_aborted",
    "panicked",
    "timed_out",
    "service_error",
    "upgraded",
];

impl Tally {
    pub(super) fn count(&mut self, plan: &Plan, cut: Cut, events: &[Event], expected: &Expected) {
        self.courses += 1;
        for event in events {
            self.hit(event.name());
        }
        let head = events.iter().any(|event| matches!(event, Event::Head(..)));
        let panicked = events.contains(&Event::Panicked);
        let shutdown = events.iter().position(|event| *event == Event::Shutdown);
        let facts = [
            ("empty data", events.iter().any(|event| matches!(event, Event::Data(0, _)))),
            ("panic in call", panicked && plan.head.then == Then::PanicInCall),
            ("panic in body", panicked && head),
            ("dropped while unwinding", panicked && plan.dropped_unwinding),
            ("dropped before the head", matches!(cut, Cut::Head(_)) && !panicked),
            ("dropped within the body", matches!(cut, Cut::Body(_)) && head),
            ("second layer", plan.second_layer),
            ("upgrade kept open", head && plan.keeps && plan.status == 101),
            ("shut down before the end", shutdown.is_some_and(|at| at < expected.at)),
            ("shut down after the end", shutdown.is_some_and(|at| at >= expected.at)),
            ("size right", head && matches!(plan.hint, Hint::Exact(Truth::Right))),
            ("size too much", head && matches!(plan.hint, Hint::Exact(Truth::TooMuch))),
            ("size too little", head && matches!(plan.hint, Hint::Exact(Truth::TooLittle))),
            ("size unknown", head && matches!(plan.hint, Hint::Unknown)),
            ("HEAD", head && plan.method == "HEAD"),
            ("204", head && plan.status == 204),
            ("304", head && plan.status == 304),
            ("101", head && plan.status == 101),
        ];
        for (name, _) in facts.iter().filter(|(_, is)| *is) {
            self.hit(name);
        }
        self.hit(expected.outcome);
    }

    fn hit(&mut self, name: &'static str) {
        *self.hits.entry(name).or_default() += 1;
    }

    /// What a run should have come across and did not.
    pub(super) fn missed(&self, trailers: bool) -> Vec<&'static str> {
        let wanted = WANTED.iter().copied().chain(trailers.then_some("trailers"));
        wanted.filter(|name| !self.hits.contains_key(*name)).collect()
    }

    /// One line.
    pub(super) fn summary(&self) -> String {
        let hits: Vec<String> = self.hits.iter().map(|(name, hits)| format!("{name} {hits}")).collect();
        hits.join(", ")
    }
}
