//! The counts as the application sees them.

use hoplog_entry::DropReason;

/// Entries lost, by reason.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Drops(pub(super) [u64; DropReason::ALL.len()]);

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
    /// The most bytes that hoplog holds on behalf of entries, the queue's included: beside it per server four batches under
    /// way and one being formed, with a spool what is read from it and what is not synced yet, per file or console a
    /// buffer of lines. Known before the first entry; what is never passed but for the allocator's own.
    pub memory_ceiling: usize,
    /// Requests of which no note could be made for the case that the process dies: more were open at a time than
    /// [`Spool::open_requests`](crate::Spool::open_requests) allows, or the disk failed.
    pub requests_not_noted: u64,
    /// Per destination, what became of the accepted entries.
    pub destinations: Vec<DestinationStats>,
}

/// What became of the accepted entries at one destination:
/// `accepted + recovered = delivered + dropped + filtered + queued + in_flight + spooled + left_behind`.
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
    /// Entries of processes before this one, found in the spool. Counted as they are read.
    pub recovered: u64,
    /// Entries that wait in the spool.
    pub spooled: u64,
    /// Of those in flight, entries that are in the spool until they are answered.
    pub spool_in_flight: u64,
    /// Entries that this destination left in the spool when it was begun anew, by a reload or after a panic; found
    /// there again, they are counted as `recovered`.
    pub left_behind: u64,
    /// Entries for which [`EntryBuilder::durable`](crate::EntryBuilder::durable) said that they are on the disk.
    pub durable: u64,
    /// Under write-through, entries that were sent without being written, for the disk had not answered for 2 s.
    pub went_past: u64,
    /// Entries that are counted wrongly, and bytes that are: 0, or a fault of hoplog's that should be reported.
    pub drift: u64,
    /// The same in bytes.
    pub bytes: DestinationBytes,
    /// How its spool stands; `None` without one.
    pub spool: Option<SpoolStats>,
    /// Entries lost on the way.
    pub dropped: Drops,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Times that five attempts in a row found the server away, so that its circuit breaker opened: one attempt at a
    /// time from then on, with nothing encoded meanwhile, until it answers.
    pub outages: u64,
    /// Bytes of the batches before compression.
    pub bytes_raw: u64,
    /// Bytes of the batches as they are sent.
    pub bytes_sent: u64,
}

/// What became of the accepted entries at one destination, in bytes of their records as they were accepted, like
/// [`Stats::accepted_bytes`]: `accepted + recovered = delivered + dropped + filtered + queued + in_flight + spooled +
/// left_behind` holds of them too. Where a batch is taken in part and nobody says which entries were not, each is taken to
/// be of mean size.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationBytes {
    /// Of the entries that were meant for it.
    pub accepted: u64,
    /// Of those that the destination has.
    pub delivered: u64,
    /// Of those that were lost on the way, for whatever reason.
    pub dropped: u64,
    /// Of those that its level and filters left out.
    pub filtered: u64,
    /// Of those that are being sent, or wait for their next attempt.
    pub in_flight: u64,
    /// Of those that wait in memory.
    pub queued: u64,
    /// Of those of processes before this one, as far as they could be read.
    pub recovered: u64,
    /// Of those that wait in the spool.
    pub spooled: u64,
    /// Of those that this destination left in the spool when it was begun anew.
    pub left_behind: u64,
}

/// How the spool of a destination stands, as of a moment ago.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolStats {
    /// Whether the disk refuses what is written, and memory alone is left. It is tried again every 5 to 30 s.
    pub degraded: bool,
    /// Bytes of its files.
    pub bytes: u64,
    /// Of those, bytes that dead processes wrote and that were not read yet.
    pub unread_bytes: u64,
    /// Files with what could not be read, or was refused as poison; they are in its `quarantine`.
    pub quarantined: u64,
    /// Syncs that failed.
    pub failed_syncs: u64,
}

impl Stats {
    /// Entries and bytes that are counted wrongly, at all destinations: 0, or a fault of hoplog's that should be reported.
    #[must_use]
    pub fn drift(&self) -> u64 {
        self.destinations.iter().map(|d| d.drift).sum()
    }

    /// Entries that wait in spools.
    #[must_use]
    pub fn spooled(&self) -> u64 {
        self.destinations.iter().map(|d| d.spooled + d.spool_in_flight).sum()
    }

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

    /// Entries that are in memory alone, neither delivered nor dropped yet, at the destination that is furthest behind.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.destinations.iter().map(|d| d.queued + d.in_flight - d.spool_in_flight).max().unwrap_or(0)
    }
}
