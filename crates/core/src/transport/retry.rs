//! How long to wait before the next attempt.

use std::time::Duration;

const BASE: Duration = Duration::from_millis(500);
const CAP: Duration = Duration::from_secs(60);

/// Exponential backoff with full jitter: 0.5 s, doubled per failure, at most 60 s. A wait that the server named is
/// kept, with up to a fifth on top so that its clients do not return all at once.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure; `random` is uniform in 0..=1.
    pub(crate) fn failed(&mut self, server_says: Option<Duration>, random: f64) -> Duration {
        let bound = BASE.saturating_mul(1 << self.failures.min(10)).min(CAP);
        self.failures = self.failures.saturating_add(1);
        match server_says {
            Some(wait) => wait.saturating_add(wait.max(BASE).mul_f64(random / 5.0)),
            None => bound.mul_f64(random),
        }
    }

    /// The wait where only a person can help: the longest, with jitter.
    pub(crate) fn paused(&mut self, random: f64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        CAP.mul_f64(0.5 + random / 2.0)
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
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_the_cap_and_start_over_after_a_success() {
        let mut b = Backoff::default();
        let waits: Vec<u64> = (0..10).map(|_| b.failed(None, 1.0).as_millis() as u64).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
        assert!(b.is_failing());
        b.succeeded();
        assert!(!b.is_failing());
        assert_eq!(b.failed(None, 0.5), Duration::from_millis(250));
        for _ in 0..100 {
            assert!(b.failed(None, 0.0).is_zero());
        }
    }

    #[test]
    fn the_servers_word_is_never_undercut() {
        let mut b = Backoff::default();
        for random in [0.0, 0.3, 1.0] {
            let wait = b.failed(Some(Duration::from_secs(10)), random);
            assert!((10.0..=12.0).contains(&wait.as_secs_f64()), "{wait:?}");
        }
        assert!(b.is_failing());
        assert_eq!(b.answered(1.0), BASE);
        assert!(!b.is_failing(), "it is there");
        assert!(b.failed(Some(Duration::ZERO), 1.0) <= Duration::from_millis(100));
        assert!(b.paused(0.0) >= Duration::from_secs(30) && b.paused(1.0) <= CAP);
    }
}
