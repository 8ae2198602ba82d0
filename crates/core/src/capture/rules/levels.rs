//! The level of a request's entry, by how it ended.

use std::ops::{Range, RangeInclusive};

use hoplog_entry::{Level, Outcome};

/// Statuses of responses: one, or a range; for [`Requests::level`](super::Requests::level).
///
/// ```
/// use hoplog::{Level, Requests};
///
/// let rules = Requests::default().level(404, Level::Info).level(500..=599, Level::Fatal);
/// # let _ = rules;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statuses {
    first: u16,
    last: u16,
}

impl Statuses {
    /// Whether there are such statuses (RFC 9110 §15: three digits), and at least one.
    pub(super) fn are_some(self) -> bool {
        100 <= self.first && self.first <= self.last && self.last <= 999
    }

    fn contains(self, status: u16) -> bool {
        (self.first..=self.last).contains(&status)
    }
}

impl From<u16> for Statuses {
    fn from(status: u16) -> Self {
        Self { first: status, last: status }
    }
}

impl From<RangeInclusive<u16>> for Statuses {
    fn from(range: RangeInclusive<u16>) -> Self {
        Self { first: *range.start(), last: *range.end() }
    }
}

impl From<Range<u16>> for Statuses {
    fn from(range: Range<u16>) -> Self {
        // An empty range stays one.
        if range.is_empty() {
            return Self { first: range.start.max(1), last: 0 };
        }
        Self { first: range.start, last: range.end - 1 }
    }
}

/// What the application said about levels; what comes later counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Levels {
    pub(super) statuses: Vec<(Statuses, Level)>,
    pub(super) outcomes: Vec<(Outcome, Level)>,
}

impl Levels {
    /// The more serious of what the outcome says and what the answer says.
    #[inline]
    pub(super) fn of(&self, outcome: Outcome, status: u16, grpc_status: Option<u16>) -> Level {
        if self.statuses.is_empty() && self.outcomes.is_empty() {
            return by_outcome(outcome).max(by_answer(status, grpc_status));
        }
        self.told(outcome, status, grpc_status)
    }

    #[cold]
    fn told(&self, outcome: Outcome, status: u16, grpc_status: Option<u16>) -> Level {
        let told = self.statuses.iter().rev().find(|(s, _)| s.contains(status)).map(|(_, level)| *level);
        let of_answer = match told {
            Some(level) => level.max(by_grpc_status(grpc_status)),
            None => by_answer(status, grpc_status),
        };
        // Where the status is what makes it a timeout, a word about the status is a word about the outcome.
        let is_answered = told.is_some() && outcome == Outcome::TimedOut && matches!(status, 408 | 504);
        let of_outcome = match self.outcomes.iter().rev().find(|(o, _)| *o == outcome) {
            Some((_, level)) => *level,
            None if is_answered => of_answer,
            None => by_outcome(outcome),
        };
        of_outcome.max(of_answer)
    }
}

#[inline]
fn by_outcome(outcome: Outcome) -> Level {
    match outcome {
        Outcome::Panicked | Outcome::ServiceError | Outcome::ProcessDied => Level::Error,
        Outcome::Cancelled | Outcome::BodyAborted | Outcome::TimedOut => Level::Warn,
        Outcome::Completed | Outcome::Upgraded => Level::Info,
    }
}

#[inline]
fn by_answer(status: u16, grpc_status: Option<u16>) -> Level {
    match status {
        500.. => Level::Error,
        400.. => Level::Warn,
        _ => by_grpc_status(grpc_status),
    }
}

/// gRPC answers 200 and says in its status how it went: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
/// UNAVAILABLE and DATA_LOSS are the server's fault (OpenTelemetry's rule for server spans).
#[inline]
fn by_grpc_status(status: Option<u16>) -> Level {
    match status {
        Some(2 | 4 | 12 | 13 | 14 | 15) => Level::Error,
        Some(1..) => Level::Warn,
        _ => Level::Info,
    }
}
