//! Which traces are kept, decided by the trace id alone: whoever keeps the same share keeps the same traces.
//!
//! As in OpenTelemetry's consistent probability sampling (TraceState: Probability Sampling,
//! <https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/>): the last 7 bytes of a trace id
//! are its randomness R (W3C Trace Context level 2 §3.2.2.5.2 has them random), a probability p gives the threshold
//! T = (1 − p) · 2⁵⁶, and a trace is kept where R ≥ T. A smaller share keeps a part of what a larger one keeps.
//! Neither `tracestate` nor the sampled flag of the caller is asked.

use hoplog_entry::TraceId;

use super::Fate;

/// The number of values that R has.
const RANGE: u64 = 1 << 56;

/// A share of all traces: for so many values of R a trace is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Share(u64);

impl Share {
    pub(crate) const ALL: Self = Self(RANGE);

    /// From a probability; the next value of R's 56 bits.
    pub(super) fn of(probability: f64) -> Self {
        // A float that is out of range or no number ends at the nearer bound, or at 0.
        Self(((probability * RANGE as f64).round() as u64).min(RANGE))
    }

    #[inline]
    pub(crate) fn is_all(self) -> bool {
        self == Self::ALL
    }

    #[inline]
    pub(crate) fn keeps(self, trace_id: &TraceId) -> bool {
        randomness(trace_id) >= RANGE - self.0
    }

    /// How many traces a kept one stands for.
    pub(super) fn weight(self) -> f64 {
        RANGE as f64 / self.0.max(1) as f64
    }
}

#[inline]
fn randomness(trace_id: &TraceId) -> u64 {
    let [.., a, b, c, d, e, f, g] = *trace_id.as_bytes();
    u64::from_be_bytes([0, a, b, c, d, e, f, g])
}

/// The shares of one route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sampling {
    /// Captured at all.
    pub(crate) head: Share,
    /// Kept at the end, of all: what is neither an error nor slow nor broken off.
    both: Share,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { head: Share::ALL, both: Share::ALL }
    }
}

impl Sampling {
    /// One threshold after the other would keep the smaller share only, for R is one number: shares multiply.
    pub(super) fn new(head: f64, tail: f64) -> Self {
        Self { head: Share::of(head), both: Share::of(head * tail) }
    }

    #[inline]
    pub(crate) fn is_all(self) -> bool {
        self.both.is_all()
    }

    /// At the end. `special` requests are kept whenever they are captured.
    pub(super) fn fate(self, trace_id: &TraceId, special: bool) -> Fate {
        let share = if special { self.head } else { self.both };
        if share.keeps(trace_id) { Fate::Keep(share.weight()) } else { Fate::Sampled }
    }
}
