//! One part of the queue: a lock, the chunk that is being filled, the chunks that are full, and what was counted.

use std::sync::{Arc, Mutex};

use hoplog_entry::DropReason;

use super::{Budget, Chunk};

/// Alone on its cache lines, so that threads on neighbouring shards do not slow each other.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Shard {
    pub(super) state: Mutex<ShardState>,
}

#[derive(Debug, Default)]
pub(super) struct ShardState {
    open: Option<OpenChunk>,
    full: Vec<Chunk>,
    closed: bool,
    pub(super) counts: ShardCounts,
}

#[derive(Debug)]
struct OpenChunk {
    bytes: Vec<u8>,
    entries: usize,
    /// Paid for from the part reserved for urgent entries.
    reserved: bool,
    budget: Arc<Budget>,
}

/// What a shard took in and what it refused.
#[derive(Debug, Default, Clone)]
pub(crate) struct ShardCounts {
    pub(crate) accepted: u64,
    pub(crate) accepted_bytes: u64,
    pub(crate) dropped: [u64; DropReason::ALL.len()],
}

impl ShardCounts {
    pub(super) fn drop_one(&mut self, reason: DropReason) {
        self.dropped[usize::from(reason.code())] += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.accepted_bytes += other.accepted_bytes;
        for (sum, n) in self.dropped.iter_mut().zip(other.dropped) {
            *sum += n;
        }
    }
}

/// A chunk that a push completed.
pub(super) struct Filled {
    pub(super) entries: usize,
    pub(super) bytes: usize,
}

impl ShardState {
    #[inline]
    pub(super) fn push(
        &mut self,
        record: &[u8],
        urgent: bool,
        budget: &Arc<Budget>,
    ) -> Result<Option<Filled>, DropReason> {
        let filled = match &mut self.open {
            Some(open) if open.fits(record) && (urgent || !open.reserved) => {
                open.append(record);
                None
            }
            _ => self.push_to_new(record, urgent, budget)?,
        };
        self.counts.accepted += 1;
        self.counts.accepted_bytes += record.len() as u64;
        Ok(filled)
    }

    #[cold]
    fn push_to_new(
        &mut self,
        record: &[u8],
        urgent: bool,
        budget: &Arc<Budget>,
    ) -> Result<Option<Filled>, DropReason> {
        if self.closed {
            self.counts.drop_one(DropReason::AfterClose);
            return Err(DropReason::AfterClose);
        }
        let (price, reserved) = (budget.price(record.len()), !budget.take(budget.price(record.len()), false));
        if reserved && !(urgent && budget.take(price, true)) {
            self.counts.drop_one(DropReason::QueueFullNewest);
            return Err(DropReason::QueueFullNewest);
        }
        if price > 1 {
            // A record larger than a chunk travels alone, in a buffer of exactly its size.
            self.full.push(Chunk::new(record.to_vec(), 1, price, Arc::clone(budget)));
            return Ok(Some(Filled { entries: 1, bytes: record.len() }));
        }
        let mut fresh =
            OpenChunk { bytes: budget.buffer(), entries: 0, reserved, budget: Arc::clone(budget) };
        fresh.append(record);
        let Some(done) = self.open.replace(fresh) else { return Ok(None) };
        let filled = Filled { entries: done.entries, bytes: done.bytes.len() };
        self.full.push(done.close());
        Ok(Some(filled))
    }

    pub(super) fn sweep(&mut self, into: &mut Vec<Chunk>) {
        into.append(&mut self.full);
        into.extend(self.open.take().map(OpenChunk::close));
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        // With no open chunk the next push comes to the check.
        self.full.extend(self.open.take().map(OpenChunk::close));
    }
}

impl OpenChunk {
    #[inline]
    fn fits(&self, record: &[u8]) -> bool {
        self.bytes.len() + record.len() <= self.budget.chunk_bytes()
            && self.entries < self.budget.chunk_entries()
    }

    #[inline]
    fn append(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.entries += 1;
    }

    fn close(self) -> Chunk {
        Chunk::new(self.bytes, self.entries, 1, self.budget)
    }
}
