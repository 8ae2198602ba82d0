mod configuration;
mod routes;
mod sampling;
mod skipping;
mod verdicts;

use std::sync::Arc;
use std::time::Duration;

use hoplog_entry::{DropReason, Field, Item, Level, Outcome, Record, SpanId, TraceId, Value};

use super::{Requests, RouteRules};
use crate::capture::{Bodies, Exchange, RequestHead};
use crate::clock::Clock;
use crate::pipeline::{Pipeline, Policy};
use crate::queue::QueueLimits;
use crate::redact::Redaction;

/// One client's pipeline with rules and a hand-moved clock.
struct Rig {
    pipeline: Arc<Pipeline>,
}

/// What is asked about an entry.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    trace: String,
    level: Level,
    outcome: Option<Outcome>,
    weight: Option<f64>,
    slow: bool,
    request_headers: usize,
    response_headers: usize,
    bodies: usize,
}

impl Rig {
    fn new(requests: Requests) -> Self {
        Self::with(requests, None)
    }

    fn with(requests: Requests, bodies: Option<Bodies>) -> Self {
        let limits = QueueLimits::new(64 << 20, 1 << 20);
        let clock = Clock::by_hand(Duration::from_secs(1_763_600_000));
        let (redactor, rules) = (Redaction::default().build().unwrap(), requests.build().unwrap());
        let policy = Policy { bodies, ..Policy::with(redactor, rules) };
        Self { pipeline: Arc::new(Pipeline::new(clock, limits, policy)) }
    }

    fn begin(&self, path: &str, route: Option<&str>, headers: &[(&str, &str)]) -> Exchange {
        let head = head(path, route);
        assert!(!self.pipeline.rules.skips(&head), "nobody would begin {path}");
        Exchange::begin_incoming(&self.pipeline, &head, || pairs(headers))
    }

    /// One request from its beginning to its end.
    fn serve(&self, path: &str, route: Option<&str>, status: u16) {
        self.answer(self.begin(path, route, &[]), status);
    }

    fn answer(&self, mut exchange: Exchange, status: u16) {
        exchange.response(status, pairs(&[("content-type", "text/plain")]), Some(0));
        exchange.finish(Outcome::Completed);
    }

    fn advance(&self, by: Duration) {
        self.pipeline.clock.advance(by);
    }

    fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for chunk in self.pipeline.queue.sweep() {
            let mut rest = chunk.bytes();
            while let Ok((record, after)) = Record::read(rest) {
                entries.push(Entry::of(&record));
                rest = after;
            }
        }
        entries
    }

    fn entry(&self) -> Entry {
        let mut entries = self.entries();
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries.remove(0)
    }

    /// Entries taken, and requests left out by sampling.
    fn counts(&self) -> (u64, u64) {
        let counts = self.pipeline.queue.counts();
        let sampled = counts.dropped[usize::from(DropReason::Sampled.code())];
        assert_eq!(counts.dropped.iter().sum::<u64>(), sampled, "nothing else is refused");
        (counts.accepted, sampled)
    }
}

impl Entry {
    fn of(record: &Record<'_>) -> Self {
        let count =
            |wanted: fn(&Item<'_>) -> bool| record.items().filter(|i| wanted(i.as_ref().unwrap())).count();
        Self {
            trace: match record.get(Field::TraceId) {
                Some(Value::TraceId(id)) => id.to_string(),
                other => panic!("{other:?}"),
            },
            level: record.level(),
            outcome: record.outcome(),
            weight: record.get(Field::Weight).map(|value| match value {
                Value::Float(weight) => weight,
                other => panic!("{other:?}"),
            }),
            slow: record.get(Field::Slow) == Some(Value::Bool(true)),
            request_headers: count(|item| matches!(item, Item::RequestHeader(..))),
            response_headers: count(|item| matches!(item, Item::ResponseHeader(..))),
            bodies: [Field::RequestBody, Field::ResponseBody]
                .iter()
                .filter(|f| record.get(**f).is_some())
                .count(),
        }
    }
}

fn head<'a>(path: &'a str, route: Option<&'a str>) -> RequestHead<'a> {
    RequestHead { method: "GET", path, route, http_version: "1.1", ..RequestHead::default() }
}

fn pairs<'h>(headers: &'h [(&'h str, &'h str)]) -> impl Iterator<Item = (&'h str, &'h [u8])> {
    headers.iter().map(|(name, value)| (*name, value.as_bytes()))
}

/// A `traceparent` whose randomness is this share of its range, so kept by all larger shares than the rest.
fn at(share: f64, flags: u8) -> String {
    let random = (share * (1_u64 << 56) as f64) as u64;
    format!("00-4bf92f3577b34da6a3{random:014x}-{}-{flags:02x}", SpanId::generate())
}

fn trace_of(random: u64) -> TraceId {
    let [_, low @ ..] = random.to_be_bytes();
    let mut bytes = [7; 16];
    bytes[9..].copy_from_slice(&low);
    TraceId::from_bytes(bytes).unwrap()
}
