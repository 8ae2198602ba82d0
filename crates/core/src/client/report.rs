//! What flush and shutdown did.

use crate::ledger::Stats;

/// What a flush did, summed over the destinations.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushReport {
    /// Entries delivered meanwhile.
    pub delivered: u64,
    /// Entries dropped meanwhile.
    pub dropped: u64,
    /// Entries that are in memory still, at the destination that is furthest behind.
    pub left: u64,
    /// Entries that wait in the spools of all destinations now: they are delivered later, by this process or the next.
    pub spooled: u64,
}

impl FlushReport {
    /// The worker did not answer: nothing is known to have moved.
    pub(super) fn stuck(now: &Stats) -> Self {
        Self { left: now.pending(), spooled: now.spooled(), ..Self::default() }
    }

    pub(super) fn between(before: &Stats, after: &Stats) -> Self {
        let delivered = |s: &Stats| s.destinations.iter().map(|d| d.delivered).sum::<u64>();
        Self {
            delivered: delivered(after) - delivered(before),
            dropped: after.lost() - before.lost(),
            left: after.pending(),
            spooled: after.spooled(),
        }
    }
}

/// What a shutdown did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownReport(FlushReport);

impl std::ops::Deref for ShutdownReport {
    type Target = FlushReport;

    fn deref(&self) -> &FlushReport {
        &self.0
    }
}

impl From<FlushReport> for ShutdownReport {
    fn from(report: FlushReport) -> Self {
        Self(report)
    }
}
