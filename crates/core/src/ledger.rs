//! What became of every entry: counted once, never lost from the counts.
//!
//! For each destination, whenever the client is quiet: `accepted = delivered + Σ dropped + filtered + queued +
//! in flight`.
//! Counters only grow and change only through the transitions below; what is queued is derived, so no count can
//! become negative.

use std::sync::Mutex;

use hoplog_entry::DropReason;

use crate::sync::lock;

/// The counts of one destination. Only the worker changes them.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    counts: Mutex<DestinationCounts>,
}

/// What they are made of.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct DestinationCounts {
    delivered: u64,
    duplicates: u64,
    filtered: u64,
    in_flight: u64,
    dropped: [u64; DropReason::ALL.len()],
    /// Entries of the client that came before this destination.
    before: u64,
    /// How many were meant for it, once it has ended.
    ended: Option<u64>,
    retries: u64,
    bytes_raw: u64,
    bytes_sent: u64,
}

impl Ledger {
    /// Entries left the queue for the wire.
    pub(crate) fn begin_send(&self, entries: u64) {
        lock(&self.counts).in_flight += entries;
    }

    /// The destination has them; `duplicates` of them it had before.
    pub(crate) fn delivered(&self, entries: u64, duplicates: u64) {
        let mut c = lock(&self.counts);
        c.in_flight -= entries.min(c.in_flight);
        c.delivered += entries;
        c.duplicates += duplicates;
    }

    /// Entries that the destination's filter left out.
    pub(crate) fn filtered(&self, entries: u64) {
        lock(&self.counts).filtered += entries;
    }

    /// Entries that were in flight are lost.
    pub(crate) fn drop_in_flight(&self, entries: u64, reason: DropReason) {
        let mut c = lock(&self.counts);
        c.in_flight -= entries.min(c.in_flight);
        c.dropped[usize::from(reason.code())] += entries;
    }

    /// Everything in flight is lost.
    pub(crate) fn drop_all_in_flight(&self, reason: DropReason) {
        let mut c = lock(&self.counts);
        c.dropped[usize::from(reason.code())] += std::mem::take(&mut c.in_flight);
    }

    /// The destination lost its memory: of the entries handed to it, all that have no fate yet are lost.
    pub(crate) fn write_off(&self, handed: u64, reason: DropReason) {
        let mut c = lock(&self.counts);
        let settled = c.delivered + c.filtered + c.dropped.iter().sum::<u64>();
        c.in_flight = 0;
        c.dropped[usize::from(reason.code())] += handed.saturating_sub(settled);
    }

    /// Entries that were queued are lost.
    pub(crate) fn drop_queued(&self, entries: u64, reason: DropReason) {
        lock(&self.counts).dropped[usize::from(reason.code())] += entries;
    }

    /// The destination begins when the client has handed out so many entries. One of the same name that ended before
    /// goes on counting.
    pub(crate) fn begin_after(&self, handed_out: u64) {
        let mut c = lock(&self.counts);
        c.before = handed_out - c.ended.take().unwrap_or_default().min(handed_out);
    }

    /// Nothing more is meant for it.
    #[cfg(feature = "toml")]
    pub(crate) fn end_with(&self, handed: u64) {
        lock(&self.counts).ended = Some(handed);
    }

    /// How many entries were meant for it when it ended.
    pub(crate) fn ended(&self) -> Option<u64> {
        lock(&self.counts).ended
    }

    /// Bytes of a batch before and after compression, counted once however often it is sent.
    pub(crate) fn encoded(&self, raw: usize, sent: usize) {
        let mut c = lock(&self.counts);
        c.bytes_raw += raw as u64;
        c.bytes_sent += sent as u64;
    }

    pub(crate) fn retried(&self) {
        lock(&self.counts).retries += 1;
    }

    /// The counts as they are now.
    pub(crate) fn counts(&self) -> DestinationCounts {
        *lock(&self.counts)
    }
}

impl DestinationCounts {
    /// They add up if the queue's `accepted` was read after them: then it has all that they tell of.
    pub(crate) fn stats(&self, name: &str, accepted: u64) -> DestinationStats {
        let c = self;
        let accepted = c.ended.unwrap_or(accepted.saturating_sub(c.before));
        let dropped = Drops(c.dropped);
        DestinationStats {
            name: name.to_owned(),
            accepted,
            delivered: c.delivered,
            duplicates: c.duplicates,
            filtered: c.filtered,
            in_flight: c.in_flight,
            queued: accepted.saturating_sub(c.delivered + c.filtered + c.in_flight + dropped.total()),
            dropped,
            retries: c.retries,
            bytes_raw: c.bytes_raw,
            bytes_sent: c.bytes_sent,
        }
    }
}

/// Entries lost, by reason.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Drops([u64; DropReason::ALL.len()]);

impl Drops {
    pub(crate) fn new(counts: [u64; DropReason::ALL.len()]) -> Self {
        Self(counts)
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Those lost for one reason.
    #[must_use]
    pub fn of(&self, reason: DropReason) -> u64 {
        self.0[usize::from(reason.code())]
    }

    /// The reasons that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        DropReason::ALL.iter().map(|&r| (r, self.of(r))).filter(|(_, n)| *n > 0)
    }
}

/// A client's counts since it was built, from [`Client::stats`](crate::Client::stats).
#[derive(Debug, Default, Clone)]
#[non_exhaustive]
pub struct Stats {
    /// Entries taken into the queue.
    pub accepted: u64,
    /// Bytes of those entries as records.
    pub accepted_bytes: u64,
    /// Entries that the queue refused; beside them, as `sampled`, requests that sampling left out.
    pub refused: Drops,
    /// Bytes that the queue holds now.
    pub queue_bytes: usize,
    /// The most bytes that the queue can hold.
    pub queue_bytes_max: usize,
    /// Per destination, what became of the accepted entries.
    pub destinations: Vec<DestinationStats>,
}

/// What became of the accepted entries at one destination:
/// `accepted = delivered + dropped + filtered + queued + in_flight`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DestinationStats {
    /// `collector`, `otlp`, `log_collector`, `console`, `file`, `own` or `memory`, with a number from the second on
    /// (`file-2`), or as you called it.
    pub name: String,
    /// Entries that were meant for it: all that the client took while it had this destination.
    pub accepted: u64,
    /// Entries that the destination has.
    pub delivered: u64,
    /// Of those, entries that it had before (a retry after an answer was lost).
    pub duplicates: u64,
    /// Entries that its level and filters left out: no loss.
    pub filtered: u64,
    /// Entries that are being sent, or wait for their next attempt.
    pub in_flight: u64,
    /// Entries that wait in memory.
    pub queued: u64,
    /// Entries lost on the way.
    pub dropped: Drops,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Bytes of the batches before compression.
    pub bytes_raw: u64,
    /// Bytes of the batches as they are sent.
    pub bytes_sent: u64,
}

impl Stats {
    /// Requests that sampling left out: no loss, for others stand for them by their weight.
    #[must_use]
    pub fn sampled(&self) -> u64 {
        self.refused.of(DropReason::Sampled)
    }

    /// Every loss: what the queue refused and what the destinations dropped.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.refused.total() - self.sampled()
            + self.destinations.iter().map(|d| d.dropped.total()).sum::<u64>()
    }

    /// Entries that are neither delivered nor dropped yet, at the destination that is furthest behind.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.destinations.iter().map(|d| d.queued + d.in_flight).max().unwrap_or(0)
    }
}
