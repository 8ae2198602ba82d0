//! How long to wait before the next attempt.

use std::time::Duration;

use super::Cause;

const BASE: Duration = Duration::from_millis(500);
const CAP: Duration = Duration::from_secs(60);
/// Where nobody is reached: an attempt costs the server nothing, and its return is to be noticed soon.
const UNREACHABLE_CAP: Duration = Duration::from_secs(5);

/// Beyond the minute between two probes where only a person can help, up to so much of it.
const SPREAD: f64 = 0.1;

/// Exponential backoff: 0.5 s, doubled per failure, at most 60 s, or 5 s where the server is not even reached; of that a
/// random part (full jitter), or, where the server asks for it, half and a random part (equal jitter). A wait that the server
/// named is kept, and up to half as much on top, at most 60 s, so that its clients do not return all at once. There is no end
/// to it: what may end an entry's life is the age and the size of a spool.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure; `random` is uniform in 0..=1.
    pub(crate) fn failed(&mut self, server_says: Option<Duration>, cause: Cause, random: f64) -> Duration {
        let cap = if cause == Cause::Unreachable { UNREACHABLE_CAP } else { CAP };
        let bound = BASE.saturating_mul(1 << self.failures.min(10)).min(cap);
        self.failures = self.failures.saturating_add(1);
        match server_says {
            Some(wait) => wait.saturating_add((wait.max(bound) / 2).min(CAP).mul_f64(random)),
            // Full jitter may be next to nothing right after the server asked to slow down.
            None if cause == Cause::Throttled => bound.mul_f64(0.5 + random / 2.0),
            None => bound.mul_f64(random),
        }
    }

    /// The wait where only a person can help: a minute, and a little more.
    pub(crate) fn paused(&mut self, random: f64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        CAP.mul_f64(1.0 + SPREAD * random)
    }

    /// The wait after an answer that finds fault with an entry: the server is there, so it is the shortest.
    pub(crate) fn answered(&mut self, random: f64) -> Duration {
        self.failures = 0;
        BASE.mul_f64(random)
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Failures since the last success.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }
}

#[cfg(test)]
mod tests;
