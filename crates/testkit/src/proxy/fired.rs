//! How often what came to pass.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fired {
    /// Connections that clients made.
    pub connections: u64,
    /// Of these, those that found the server away, or were refused.
    pub refused: u64,
    /// Cuts that came to pass, and connections that were severed.
    pub cuts: u64,
    /// Connections that were left half open.
    pub stranded: u64,
    /// Bytes that were swallowed.
    pub swallowed: u64,
    /// Pieces that were held up.
    pub delayed: u64,
    /// Bytes that passed upward.
    pub up: u64,
    /// Bytes that passed downward.
    pub down: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) connections: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) cuts: AtomicU64,
    pub(super) stranded: AtomicU64,
    pub(super) swallowed: AtomicU64,
    pub(super) delayed: AtomicU64,
    pub(super) up: AtomicU64,
    pub(super) down: AtomicU64,
}

impl Counts {
    pub(super) fn fired(&self) -> Fired {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Fired {
            connections: of(&self.connections),
            refused: of(&self.refused),
            cuts: of(&self.cuts),
            stranded: of(&self.stranded),
            swallowed: of(&self.swallowed),
            delayed: of(&self.delayed),
            up: of(&self.up),
            down: of(&self.down),
        }
    }
}

pub(super) fn add(count: &AtomicU64, n: usize) {
    count.fetch_add(n as u64, Ordering::Relaxed);
}
