//! The reference: what a course's events must come to, read off the whole list of them.

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
    /// How many events were over when the request was.
    pub(super) at: usize,
}

/// What these events come to.
pub(super) fn expected<G: Glue>(plan: &Plan, events: &[Event]) -> Expected {
    let head = events.iter().position(|event| matches!(event, Event::Head(..)));
    match head {
        Some(at) => answered(plan, events, at),
        None => unanswered::<G>(plan, events),
    }
}

fn unanswered<G: Glue>(plan: &Plan, events: &[Event]) -> Expected {
    let (outcome, status) = match (events.last(), plan.head.then) {
        (Some(Event::Failed), Then::Fail(how)) => G::failed(how),
        (Some(Event::Panicked), _) => ("panicked", None),
        _ => ("cancelled", None),
    };
    Expected { outcome, status, bytes: status.map(|_| 0), grpc_status: None, at: events.len() }
}

fn answered(plan: &Plan, events: &[Event], head_at: usize) -> Expected {
    let Event::Head(head, state) = &events[head_at] else { unreachable!("it was found there") };
    let (mut bytes, mut grpc_status) = (0, plan.grpc_status);
    // Answers that have no body, whatever their service makes (RFC 9110 §6.4.1).
    let bodiless = plan.method == "HEAD" || matches!(head.status, 101 | 204 | 304);
    let missing = |bytes: u64| !bodiless && head.promised.is_some_and(|promised| bytes < promised);
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
                let kept = head.sent && head.promised == Some(bytes);
                (kept || state.ended).then_some("completed")
            }
            Event::Trailers(status, state) => {
                grpc_status = status.or(grpc_status);
                state.ended.then_some("completed")
            }
            Event::BodyEnded if missing(bytes) => Some("body_aborted"),
            Event::BodyEnded => Some("completed"),
            Event::BodyFailed => Some("body_aborted"),
            Event::Panicked => Some("panicked"),
            // Of a length that nobody knows something may be missing.
            Event::Dropped if bodiless => Some("completed"),
            Event::Dropped if missing(bytes) || head.promised.is_none() => Some("body_aborted"),
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
    Expected { outcome, status: Some(head.status), bytes: Some(bytes), grpc_status, at }
}

impl Expected {
    /// `protocols.md` §1; gRPC's statuses as OpenTelemetry reads them for servers.
    pub(super) fn level(&self) -> &'static str {
        match (self.outcome, self.status, self.grpc_status) {
            ("panicked" | "service_error", ..) | (_, Some(500..), _) => "ERROR",
            ("cancelled" | "body_aborted" | "timed_out", ..) | (_, Some(400..), _) => "WARN",
            (.., Some(2 | 4 | 12..=15)) => "ERROR",
            (.., Some(1..)) => "WARN",
            _ => "INFO",
        }
    }
}
