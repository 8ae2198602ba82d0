//! Which traces are kept, decided by the trace id alone: whoever keeps the same share keeps the same traces.
//!
//! As in OpenTelemetry's consistent probability sampling (TraceState: Probability Sampling,
//! <https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/>): the last 7 bytes of a trace id
//! are its randomness R (W3C Trace Context level 2 §3.2.2.5.2 has them random), a probability p gives the threshold
//! T = (1 − p) · 2⁵⁶, and a trace is kept where R ≥ T. A smaller share keeps a part of what a larger one keeps.
//! Neither `tracestate` nor the sampled flag of the caller is asked.

use hoplog_entry::TraceId;

/// The number of values that R has.
const RANGE: u64 = 1 << 56;

/// A trace's R.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Randomness(u64);

impl Randomness {
    pub(super) fn of(trace_id: &TraceId) -> Self {
        let [.., a, b, c, d, e, f, g] = *trace_id.as_bytes();
        Self(u64::from_be_bytes([0, a, b, c, d, e, f, g]))
    }
}

/// A share of all traces: for so many values of R a trace is kept. Default: all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Share(u64);

impl Default for Share {
    fn default() -> Self {
        Self(RANGE)
    }
}

impl Share {
    pub(super) fn of(probability: f64) -> Self {
        // What is out of range ends at the nearer bound, and what is no number at 0.
        Self(((probability * RANGE as f64).round() as u64).min(RANGE))
    }

    #[inline]
    pub(super) fn is_all(self) -> bool {
        self.0 == RANGE
    }

    #[inline]
    pub(super) fn keeps(self, Randomness(r): Randomness) -> bool {
        r >= RANGE - self.0
    }

    /// How many traces a kept one stands for.
    pub(super) fn weight(self) -> f64 {
        RANGE as f64 / self.0.max(1) as f64
    }
}

/// The shares of one route. Default: all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sampling {
    /// Captured at all.
    pub(super) head: Share,
    /// Kept at the end, of all: what is neither an error nor slow nor broken off.
    pub(super) both: Share,
}

impl Sampling {
    /// The shares multiply: held against the same R one after the other, they would keep the smaller of the two.
    pub(super) fn new(head: f64, tail: f64) -> Self {
        Self { head: Share::of(head), both: Share::of(head * tail) }
    }

    #[inline]
    pub(super) fn is_all(self) -> bool {
        self.both.is_all()
    }
}
