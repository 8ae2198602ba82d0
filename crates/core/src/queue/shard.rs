//! One part of the queue: a lock, the chunk that is being filled, the chunks that are full, and what was counted.

use std::sync::Arc;

use hoplog_entry::DropReason;

use super::sync::Mutex;
use super::{Budget, Chunk, Count};

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
    /// Entries that had to go for others, and that the worker has not heard of.
    pub(super) evicted: Count,
}

#[derive(Debug)]
struct OpenChunk {
    bytes: Vec<u8>,
    entries: usize,
    /// Paid for from the part reserved for urgent entries.
    reserved: bool,
    /// The older, the lower.
    number: u64,
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

    pub(crate) fn taken_in(&self) -> Count {
        Count { entries: self.accepted, bytes: self.accepted_bytes }
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
    /// A refusal is for the caller to count: there may be another way.
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
            return Err(DropReason::AfterClose);
        }
        let (price, reserved) = (budget.price(record.len()), !budget.take(budget.price(record.len()), false));
        if reserved && !(urgent && budget.take(price, true)) {
            return Err(DropReason::QueueFullNewest);
        }
        let (number, budget) = (budget.next_number(), Arc::clone(budget));
        if price > 1 {
            // A record larger than a chunk travels alone, in a buffer of exactly its size.
            self.full.push(Chunk {
                bytes: record.to_vec(),
                entries: 1,
                price,
                errors_only: reserved,
                number,
                budget,
            });
            return Ok(Some(Filled { entries: 1, bytes: record.len() }));
        }
        let mut fresh = OpenChunk { bytes: budget.buffer(), entries: 0, reserved, number, budget };
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

    /// The number of the chunk that has waited longest; of those that hold errors alone only for another error.
    pub(super) fn oldest(&self, urgent: bool) -> Option<u64> {
        let full = self.full.iter().filter(|chunk| urgent || !chunk.errors_only).map(|chunk| chunk.number);
        let open = self.open.as_ref().filter(|open| urgent || !open.reserved).map(|open| open.number);
        full.chain(open).min()
    }

    /// Has that chunk go, but for its errors as far as there is room for them. It may have been swept meanwhile.
    pub(super) fn evict(&mut self, number: u64) {
        let open = self.open.take_if(|open| open.number == number).map(OpenChunk::close);
        let full = self.full.iter().position(|chunk| chunk.number == number);
        let Some(chunk) = open.or_else(|| full.map(|at| self.full.remove(at))) else { return };
        let errors = chunk.errors();
        self.evicted += chunk.count() - errors.as_ref().map(Chunk::count).unwrap_or_default();
        let Some(errors) = errors else { return };
        if !self.full.iter_mut().any(|chunk| chunk.errors_only && chunk.absorb(&errors)) {
            self.full.push(errors);
        }
    }

    /// How much was here and is not any more, but for that of which nobody knows yet that it gave way.
    pub(super) fn taken_out(&self) -> Count {
        let full: Count = self.full.iter().map(Chunk::count).sum();
        let open = self.open.as_ref().map(|open| Count::of(&open.bytes, open.entries)).unwrap_or_default();
        self.counts.taken_in() - full - open - self.evicted
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
        let Self { bytes, entries, reserved, number, budget } = self;
        Chunk { bytes, entries, price: 1, errors_only: reserved, number, budget }
    }
}
