//! When a sender that has nothing to say says that it is still there: else nobody could tell it from one that died.

use std::time::{Duration, Instant};

/// A third of the silence after which the collector takes a sender for dead.
const EVERY: Duration = Duration::from_secs(60);

/// Counts from the last batch. One that never sent anything stays silent.
#[derive(Debug)]
pub(super) struct Pulse {
    every: Duration,
    next: Option<Instant>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { every: EVERY, next: None }
    }
}

impl Pulse {
    #[cfg(test)]
    pub(super) fn every(every: Duration) -> Self {
        Self { every, next: None }
    }

    /// A batch goes out.
    pub(super) fn sent(&mut self, now: Instant) {
        self.next = Some(now + self.every);
    }

    /// When it should speak, if nothing else does.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next.is_some_and(|next| next <= now)
    }
}
