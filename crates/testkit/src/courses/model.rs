//! The reference: what a course's events must come to, read off the whole list of them.

use super::act::PANIC;
use super::drive::Event;
use super::glue::Glue;
use super::plan::{Plan, Then};

/// What the one entry must say.
#[derive(Debug, PartialEq)]
pub(super) struct Expected {
    pub(super) outcome: &'static str,
    pub(super) status: Option<u16>,
    pub(super) bytes: Option<u64>,
    pub(super) grpc_status: Option<u16>,
    /// Type, where it is known, and message.
    pub(super) error: Option<(Option<&'static str>, String)>,
    /// How many events were over when the context was left.
    pub(super) left_at: usize,
    /// How many events were over when the request was.
    pub(super) at: usize,
}

/// What these events come to.
pub(super) fn expected<G: Glue>(plan: &Plan, events: &[Event]) -> Expected {
    let head = events.iter().position(|event| matches!(event, Event::Head(..)));
    let mut expected = match head {
        Some(at) => answered(plan, events, at),
        None => unanswered::<G>(plan, events),
    };
    expected.error = match &events[..expected.left_at] {
        [.., Event::Panicked] => Some((Some("panic"), PANIC.to_owned())),
        [.., Event::Failed(text) | Event::BodyFailed(text)] => Some((None, text.clone())),
        _ => None,
    };
    if expected.status == Some(101) && plan.keeps {
        expected.at = events.len();
        if expected.outcome != "panicked" {
            expected.outcome = "upgraded";
        }
    }
    expected
}

fn unanswered<G: Glue>(plan: &Plan, events: &[Event]) -> Expected {
    // The guard's end is not that of a request without an answer.
    let end = events.iter().rposition(|event| *event != Event::Released).map_or(0, |at| at + 1);
    let (outcome, status) = match (events[..end].last(), plan.head.then) {
        (Some(Event::Failed(_)), Then::Fail(how)) => G::failed(how),
        (Some(Event::Panicked), _) => ("panicked", None),
        _ => ("cancelled", None),
    };
    // Of an error that is made an answer further out, nobody here sees the size.
    Expected { outcome, status, bytes: None, grpc_status: None, error: None, left_at: end, at: end }
}

fn answered(plan: &Plan, events: &[Event], head_at: usize) -> Expected {
    let Event::Head(head, state) = &events[head_at] else { unreachable!("it was found there") };
    let (mut bytes, mut grpc_status) = (0, plan.grpc_status);
    // Answers that have no body, whatever their service makes (RFC 9110 §6.4.1).
    let bodiless = plan.method == "HEAD" || matches!(head.status, 101 | 204 | 304);
    // A gRPC answer ends with its trailers.
    let promised = head.promised.filter(|_| !plan.grpc);
    let short = |bytes: u64| promised.is_some_and(|promised| bytes < promised);
    let missing = |bytes: u64| !bodiless && short(bytes);
    let mut end = state.ended.then_some(("completed", head_at + 1));
    for (index, event) in events.iter().enumerate().skip(head_at + 1) {
        if end.is_some() {
            break;
        }
        let outcome = match event {
            Event::Data(more, state) => {
                if head.sent {
                    bytes += more;
                }
                let kept = head.sent && promised == Some(bytes);
                (kept || state.ended && !short(bytes)).then_some("completed")
            }
            Event::Trailers(status) => {
                grpc_status = status.or(grpc_status);
                (!short(bytes)).then_some("completed")
            }
            Event::BodyEnded if missing(bytes) => Some("body_aborted"),
            Event::BodyEnded => Some("completed"),
            Event::BodyFailed(_) => Some("body_aborted"),
            Event::Panicked => Some("panicked"),
            // Of a length that nobody knows something may be missing.
            Event::Dropped if bodiless => Some("completed"),
            Event::Dropped if missing(bytes) || promised.is_none() => Some("body_aborted"),
            Event::Dropped => Some("completed"),
            _ => None,
        };
        end = outcome.map(|outcome| (outcome, index + 1));
    }
    let (outcome, at) = end.unwrap_or(("never", events.len()));
    let outcome = match (outcome, head.status) {
        ("completed", 101) => "upgraded",
        ("completed", 408 | 504) => "timed_out",
        (outcome, _) => outcome,
    };
    let status = Some(head.status);
    Expected { outcome, status, bytes: Some(bytes), grpc_status, error: None, left_at: at, at }
}

impl Expected {
    /// `protocols.md` §1; gRPC's statuses as OpenTelemetry reads them for servers.
    pub(super) fn level(&self) -> &'static str {
        // Of an HTTP error the status of the call says no more.
        let grpc_status = self.grpc_status.filter(|_| self.status < Some(400));
        match (self.outcome, self.status, grpc_status) {
            ("panicked" | "service_error", ..) | (_, Some(500..), _) => "ERROR",
            (.., Some(2 | 4 | 12..=15)) => "ERROR",
            ("cancelled" | "body_aborted" | "timed_out", ..) | (_, Some(400..), _) => "WARN",
            (.., Some(1..)) => "WARN",
            _ => "INFO",
        }
    }
}
