//! Time: one monotonic reading per event, wall time from an anchor.
//!
//! Durations never come from the wall clock. Its anchor is renewed by the worker, so that a corrected system clock
//! is followed within a flush interval, without a second clock read per request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment on the monotonic clock: nanoseconds since the client was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Moment(u64);

impl Moment {
    /// Nanoseconds since an earlier moment; zero if that one is later.
    #[inline]
    pub(crate) fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The client's clock. Tests move it by hand.
#[derive(Debug)]
pub(crate) struct Clock {
    base: Instant,
    /// Unix nanoseconds at `base`.
    anchor: AtomicU64,
    /// `Some` in tests: the nanoseconds since `base`.
    by_hand: Option<AtomicU64>,
}

impl Clock {
    pub(crate) fn system() -> Self {
        let clock = Self { base: Instant::now(), anchor: AtomicU64::new(0), by_hand: None };
        clock.renew_anchor();
        clock
    }

    #[cfg(test)]
    pub(crate) fn by_hand(unix: Duration) -> Self {
        Self { base: Instant::now(), anchor: AtomicU64::new(nanos(unix)), by_hand: Some(AtomicU64::new(0)) }
    }

    #[cfg(test)]
    pub(crate) fn advance(&self, by: Duration) {
        if let Some(now) = &self.by_hand {
            now.fetch_add(nanos(by), Ordering::Relaxed);
        }
    }

    #[inline]
    pub(crate) fn now(&self) -> Moment {
        match &self.by_hand {
            None => Moment(nanos(self.base.elapsed())),
            Some(now) => Moment(now.load(Ordering::Relaxed)),
        }
    }

    /// Nanoseconds since the Unix epoch at a moment.
    #[inline]
    pub(crate) fn unix_ns(&self, moment: Moment) -> u64 {
        self.anchor.load(Ordering::Relaxed).saturating_add(moment.0)
    }

    /// Reads the wall clock again.
    pub(crate) fn renew_anchor(&self) {
        if self.by_hand.is_none() {
            let wall = nanos(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
            self.anchor.store(wall.saturating_sub(nanos(self.base.elapsed())), Ordering::Relaxed);
        }
    }
}

#[inline]
fn nanos(duration: Duration) -> u64 {
    // 584 years fit.
    duration.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(duration.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_follows_the_monotonic_clock_from_its_anchor() {
        let clock = Clock::by_hand(Duration::from_secs(100));
        let start = clock.now();
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(clock.now().since(start), 1_500_000_000);
        assert_eq!(start.since(clock.now()), 0);
        assert_eq!(clock.unix_ns(clock.now()), 101_500_000_000);
    }

    #[test]
    fn the_system_clock_is_close_to_the_systems_own() {
        let clock = Clock::system();
        let wall = nanos(SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
        assert!(clock.unix_ns(clock.now()).abs_diff(wall) < 1_000_000_000);
    }
}
