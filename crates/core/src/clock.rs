//! Time: one monotonic reading per event, wall time from an anchor.
//!
//! Durations never come from the wall clock. Its anchor is renewed by the worker, so that a corrected system clock
//! is followed within a flush interval, without a second clock read per request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment on the monotonic clock, in nanoseconds since some moment before the process began.
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
    /// Unix nanoseconds at the moment 0.
    anchor: AtomicU64,
    /// `Some` in tests: the nanoseconds at present.
    by_hand: Option<AtomicU64>,
}

impl Clock {
    pub(crate) fn system() -> Self {
        let clock = Self { anchor: AtomicU64::new(0), by_hand: None };
        clock.renew_anchor();
        clock
    }

    #[cfg(test)]
    pub(crate) fn by_hand(unix: Duration) -> Self {
        Self { anchor: AtomicU64::new(nanos(unix)), by_hand: Some(AtomicU64::new(0)) }
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
            None => Moment(monotonic()),
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
            self.anchor.store(wall.saturating_sub(monotonic()), Ordering::Relaxed);
        }
    }
}

/// The system's own count: an `Instant` tells it only as the difference to another one, which costs more than to read it.
#[cfg(unix)]
#[inline]
fn monotonic() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    // Never negative; 584 years fit.
    (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64)
}

#[cfg(not(unix))]
fn monotonic() -> u64 {
    static BASE: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    nanos(BASE.elapsed())
}

#[inline]
fn nanos(duration: Duration) -> u64 {
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
