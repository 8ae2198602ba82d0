//! What a spool says of itself.

use hoplog_entry::DropReason;

use super::Health;
use crate::count::Count;

/// What became of entries since it was last asked.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Entries of dead processes that were found.
    pub(crate) recovered: Count,
    /// Entries that left the spool otherwise than by [`Spool::resolve`](super::Spool::resolve), by reason.
    pub(crate) dropped: Vec<(DropReason, Count)>,
    /// Bytes of writes that did not end: nothing that was ever durable.
    pub(crate) torn_bytes: u64,
    /// Bytes that could not be read as frames; they are in the quarantine.
    pub(crate) damaged_bytes: u64,
}

impl Changes {
    pub(crate) fn drop(&mut self, reason: DropReason, count: Count) {
        if count.entries == 0 {
            return;
        }
        match self.dropped.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, sum)) => *sum += count,
            None => self.dropped.push((reason, count)),
        }
    }

    /// Entries dropped for one reason.
    #[cfg(test)]
    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped.iter().filter(|(known, _)| *known == reason).map(|(_, count)| count.entries).sum()
    }
}

/// How a spool stands.
#[derive(Debug, Default, Clone, Copy)]
#[non_exhaustive]
pub(crate) struct Status {
    pub(crate) health: Health,
    pub(crate) segments: usize,
    /// Of all its files.
    pub(crate) bytes: u64,
    /// May be handed out.
    pub(crate) idle: Count,
    /// Held, or handed out.
    pub(crate) in_flight: Count,
    /// Bytes of adopted segments that were not read yet.
    pub(crate) unread_bytes: u64,
    /// Directories of dead processes that were taken over since the start.
    pub(crate) adopted: u64,
    /// Directories that living processes write to, when it was last looked.
    pub(crate) live: u64,
    /// Files and directories of others, when it was last looked. They are left alone.
    pub(crate) foreign: u64,
    /// Segments of a version that is not known. They are left alone.
    pub(crate) unknown_versions: u64,
    /// Syncs that failed.
    pub(crate) failed_syncs: u64,
    /// Files that went to the quarantine, and those that had to leave it.
    pub(crate) quarantined: u64,
    pub(crate) quarantine_evicted: u64,
    /// How often the directory had vanished.
    pub(crate) vanished: u64,
}
