//! What became of every entry: counted once, never lost from the counts.
//!
//! For each destination, whenever the client is quiet: `accepted + recovered = delivered + Σ dropped + filtered +
//! queued + in flight + spooled + left behind`, in entries and in the bytes of their records as they were accepted. An entry
//! has one home, memory or spool; each transition below moves entries with their bytes between two cells in one step. What is
//! queued is derived. A transition that finds less than it is to move is a fault of ours, and so are bytes in a cell without
//! entries: that is counted as drift, never as a negative number.

mod stats;

use std::sync::Mutex;

use hoplog_entry::DropReason;

use crate::count::Count;
use crate::sync::lock;
pub use stats::{DestinationBytes, DestinationStats, Drops, SpoolStats, Stats};

/// Where an entry is kept until it has its fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// It goes with the process.
    Memory,
    /// A frame on the disk.
    Spool,
}

/// The counts of one destination. Only hoplog's own threads change them.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    counts: Mutex<DestinationCounts>,
}

/// What they are made of.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct DestinationCounts {
    delivered: Count,
    duplicates: u64,
    filtered: Count,
    in_flight: Count,
    /// Found in the spool of a dead process.
    recovered: Count,
    /// Of those delivered, entries that are known to be another process's.
    forwarded: u64,
    /// In the spool, and idle.
    spooled: Count,
    /// In the spool, and being sent.
    spool_in_flight: Count,
    /// Left in the spool by an earlier run of this destination; whoever finds them counts them as recovered.
    left_behind: Count,
    /// Entries that were made to outlast a power cut, because somebody waited for it.
    durable: u64,
    /// Entries that were not written before they were sent, for the disk stood still.
    went_past: u64,
    /// What a transition did not find where it should have been.
    drift: Count,
    /// How the spool stands.
    spool: Option<SpoolStats>,
    dropped: [Count; DropReason::ALL.len()],
    /// Entries of the client that came before this destination.
    before: Count,
    /// What was meant for it, once it has ended.
    ended: Option<Count>,
    retries: u64,
    outages: u64,
    bytes_raw: u64,
    bytes_sent: u64,
}

impl Ledger {
    /// Entries go out.
    pub(crate) fn begin_send(&self, home: Home, entries: Count) {
        let mut c = lock(&self.counts);
        match home {
            Home::Memory => c.in_flight += entries,
            Home::Spool => {
                c.leave_spool(entries);
                c.spool_in_flight += entries;
            }
        }
    }

    /// The destination has entries that were in flight; `duplicates` of them it had before.
    pub(crate) fn delivered(&self, home: Home, entries: Count, duplicates: u64) {
        let mut c = lock(&self.counts);
        c.land(home, entries);
        c.delivered += entries;
        c.duplicates += duplicates;
    }

    /// Of those that the destination has, so many were another process's.
    pub(crate) fn forwarded(&self, entries: u64) {
        lock(&self.counts).forwarded += entries;
    }

    /// The destination has entries that never were in flight.
    pub(crate) fn written(&self, entries: Count) {
        lock(&self.counts).delivered += entries;
    }

    /// Entries that the destination's filter left out.
    pub(crate) fn filtered(&self, home: Home, entries: Count) {
        let mut c = lock(&self.counts);
        if home == Home::Spool {
            c.leave_spool(entries);
        }
        c.filtered += entries;
    }

    /// Entries that were in flight are lost.
    pub(crate) fn drop_in_flight(&self, home: Home, entries: Count, reason: DropReason) {
        let mut c = lock(&self.counts);
        c.land(home, entries);
        c.dropped[usize::from(reason.code())] += entries;
    }

    /// Everything in memory that is in flight is lost.
    pub(crate) fn drop_all_in_flight(&self, reason: DropReason) {
        let mut c = lock(&self.counts);
        let lost = std::mem::take(&mut c.in_flight);
        c.dropped[usize::from(reason.code())] += lost;
    }

    /// The destination lost its memory: of the entries handed to it, all that have no fate and are not in the spool are
    /// lost.
    pub(crate) fn write_off(&self, handed: Count, reason: DropReason) {
        let mut c = lock(&self.counts);
        c.in_flight = Count::default();
        c.leave_behind();
        let settled = c.delivered + c.filtered + c.left_behind + c.dropped.iter().copied().sum();
        let lost = (handed + c.recovered).saturating_sub(settled);
        c.dropped[usize::from(reason.code())] += lost;
    }

    /// Entries that waited are lost.
    pub(crate) fn drop_waiting(&self, home: Home, entries: Count, reason: DropReason) {
        let mut c = lock(&self.counts);
        if home == Home::Spool {
            c.leave_spool(entries);
        }
        c.dropped[usize::from(reason.code())] += entries;
    }

    /// Entries that waited in memory are in the spool.
    pub(crate) fn spill(&self, entries: Count) {
        lock(&self.counts).spooled += entries;
    }

    /// Entries that were in flight from memory are in the spool beside.
    pub(crate) fn secure(&self, entries: Count) {
        let mut c = lock(&self.counts);
        c.land(Home::Memory, entries);
        c.spool_in_flight += entries;
    }

    /// Entries that were in flight wait in the spool.
    pub(crate) fn put_back(&self, entries: Count) {
        let mut c = lock(&self.counts);
        c.land(Home::Spool, entries);
        c.spooled += entries;
    }

    /// Entries of a dead process were found in the spool.
    pub(crate) fn recovered(&self, entries: Count) {
        let mut c = lock(&self.counts);
        c.recovered += entries;
        c.spooled += entries;
    }

    /// The destination begins anew with its spool: what an earlier run left there is found like that of a dead process.
    pub(crate) fn leave_behind(&self) {
        lock(&self.counts).leave_behind();
    }

    /// Entries for which somebody waited outlast a power cut now.
    pub(crate) fn made_durable(&self, entries: u64) {
        lock(&self.counts).durable += entries;
    }

    /// Entries go past a disk that stands still.
    pub(crate) fn went_past(&self, entries: u64) {
        lock(&self.counts).went_past += entries;
    }

    /// How the spool stands.
    pub(crate) fn spool_stands(&self, stats: SpoolStats) {
        lock(&self.counts).spool = Some(stats);
    }

    /// The destination begins when the client has handed out so many entries. One of the same name that ended before
    /// goes on counting.
    pub(crate) fn begin_after(&self, handed_out: Count) {
        let mut c = lock(&self.counts);
        c.before = handed_out - c.ended.take().unwrap_or_default().min(handed_out);
    }

    /// Nothing more is meant for it.
    #[cfg(feature = "toml")]
    pub(crate) fn end_with(&self, handed: Count) {
        lock(&self.counts).ended = Some(handed);
    }

    /// What was meant for it when it ended.
    pub(crate) fn ended(&self) -> Option<Count> {
        lock(&self.counts).ended
    }

    /// Bytes of a batch before and after compression, counted once however often it is sent.
    pub(crate) fn encoded(&self, raw: usize, sent: usize) {
        let mut c = lock(&self.counts);
        c.bytes_raw += raw as u64;
        c.bytes_sent += sent as u64;
    }

    /// The server is taken to be away.
    pub(crate) fn breaker_opened(&self) {
        lock(&self.counts).outages += 1;
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
    /// Entries that were in flight are not any more.
    fn land(&mut self, home: Home, entries: Count) {
        let cell = match home {
            Home::Memory => &mut self.in_flight,
            Home::Spool => &mut self.spool_in_flight,
        };
        let moved = entries.min(*cell);
        *cell -= moved;
        self.drift += entries - moved;
    }

    fn leave_spool(&mut self, entries: Count) {
        let moved = entries.min(self.spooled);
        self.spooled -= moved;
        self.drift += entries - moved;
    }

    fn leave_behind(&mut self) {
        self.left_behind += std::mem::take(&mut self.spooled) + std::mem::take(&mut self.spool_in_flight);
    }

    /// What the destination has of this process's own.
    pub(crate) fn delivered_own(&self) -> u64 {
        self.delivered.entries.saturating_sub(self.forwarded)
    }

    /// What of these entries of the client was meant for this destination.
    pub(crate) fn meant(&self, entries: Count) -> Count {
        self.ended.unwrap_or(entries.saturating_sub(self.before))
    }

    pub(crate) fn dropped(&self) -> [u64; DropReason::ALL.len()] {
        self.dropped.map(|lost| lost.entries)
    }

    /// They add up if the queue's `accepted` was read after them: then it has all that they tell of.
    pub(crate) fn stats(&self, name: &str, accepted: Count) -> DestinationStats {
        let c = self;
        let accepted = c.meant(accepted);
        let dropped: Count = c.dropped.iter().copied().sum();
        let in_flight = c.in_flight + c.spool_in_flight;
        let had = accepted + c.recovered;
        let known = c.delivered + c.filtered + in_flight + c.spooled + c.left_behind + dropped;
        let queued = had.saturating_sub(known);
        // Where no entry is there are no bytes: what is left of them was moved by a wrong size.
        let left_over: u64 =
            [queued, c.in_flight, c.spooled, c.spool_in_flight].map(Count::left_over).iter().sum();
        let drift = c.drift + known.saturating_sub(had);
        DestinationStats {
            name: name.to_owned(),
            accepted: accepted.entries,
            delivered: c.delivered.entries,
            duplicates: c.duplicates,
            filtered: c.filtered.entries,
            in_flight: in_flight.entries,
            queued: queued.entries,
            recovered: c.recovered.entries,
            spooled: c.spooled.entries,
            spool_in_flight: c.spool_in_flight.entries,
            left_behind: c.left_behind.entries,
            durable: c.durable,
            went_past: c.went_past,
            drift: drift.entries + drift.bytes + left_over,
            bytes: DestinationBytes {
                accepted: accepted.bytes,
                delivered: c.delivered.bytes,
                filtered: c.filtered.bytes,
                in_flight: in_flight.bytes,
                queued: queued.bytes,
                recovered: c.recovered.bytes,
                spooled: c.spooled.bytes,
                left_behind: c.left_behind.bytes,
                dropped: dropped.bytes,
            },
            spool: c.spool,
            dropped: Drops(c.dropped()),
            retries: c.retries,
            outages: c.outages,
            bytes_raw: c.bytes_raw,
            bytes_sent: c.bytes_sent,
        }
    }
}

#[cfg(test)]
mod tests;
