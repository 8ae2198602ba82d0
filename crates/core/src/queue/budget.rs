//! One budget for all chunks: so many, no more.

use std::sync::atomic::Ordering;

use super::Fill;
use super::sync::{AtomicU64, AtomicUsize, Mutex, lock};

const LARGEST_CHUNK: usize = 64 * 1024;
const SMALLEST_CHUNK: usize = 4 * 1024;
/// The most entries of a chunk: no batch of whole chunks is to be larger than a batch may be.
pub(crate) const MOST_ENTRIES: usize = 1_000;
/// Empty chunks kept for reuse; the rest goes back to the allocator. A batch's worth of entries fills about twenty:
/// with fewer, each batch would be written into memory that the system has to map anew.
const KEPT: usize = 24;

/// What the chunks of one queue may take together.
#[derive(Debug)]
pub(crate) struct Budget {
    chunk_bytes: usize,
    chunk_entries: usize,
    chunks: usize,
    /// Chunks that only errors may take: a tenth.
    reserved: usize,
    used: AtomicUsize,
    /// Chunks begun so far.
    begun: AtomicU64,
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Budget {
    /// Rounds down to whole chunks, but leaves two per shard whatever was asked for.
    pub(super) fn new(bytes: usize, entries: usize, shards: usize) -> Self {
        let chunk_bytes = (bytes / (shards * 8)).clamp(SMALLEST_CHUNK, LARGEST_CHUNK);
        let chunks = (bytes / chunk_bytes).min(entries).max(shards * 2);
        Self {
            chunk_bytes,
            chunk_entries: (entries / chunks).clamp(1, MOST_ENTRIES),
            chunks,
            reserved: chunks.div_ceil(10),
            used: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            spare: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn chunk_bytes(&self) -> usize {
        self.chunk_bytes
    }

    pub(super) fn chunk_entries(&self) -> usize {
        self.chunk_entries
    }

    /// How many chunks' worth a buffer of this many bytes costs.
    pub(super) fn price(&self, bytes: usize) -> usize {
        bytes.div_ceil(self.chunk_bytes)
    }

    /// Pays for `chunks`; false where the budget, or for other than urgent entries its open part, does not cover it.
    pub(super) fn take(&self, chunks: usize, urgent: bool) -> bool {
        let bound = if urgent { self.chunks } else { self.chunks - self.reserved };
        self.used
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |used| {
                (used + chunks <= bound).then_some(used + chunks)
            })
            .is_ok()
    }

    /// Tells which of two chunks is the older one.
    pub(super) fn next_number(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::Relaxed)
    }

    /// An empty buffer of one chunk's capacity; paid for already.
    pub(super) fn buffer(&self) -> Vec<u8> {
        lock(&self.spare).pop().unwrap_or_else(|| Vec::with_capacity(self.chunk_bytes))
    }

    /// Gives back what [`Budget::take`] took, and the buffer for reuse.
    pub(super) fn give_back(&self, chunks: usize, mut buffer: Vec<u8>) {
        if buffer.capacity() == self.chunk_bytes {
            buffer.clear();
            let mut spare = lock(&self.spare);
            if spare.len() < KEPT {
                spare.push(buffer);
            }
        }
        self.used.fetch_sub(chunks, Ordering::AcqRel);
    }

    #[inline]
    pub(crate) fn fill(&self) -> Fill {
        let used = self.used.load(Ordering::Relaxed);
        if used >= self.chunks - self.reserved {
            Fill::Critical
        } else if used * 4 >= self.chunks * 3 {
            Fill::High
        } else {
            Fill::Normal
        }
    }

    pub(crate) fn chunks(&self) -> usize {
        self.chunks
    }

    pub(crate) fn used_chunks(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) fn used_bytes(&self) -> usize {
        self.used_chunks() * self.chunk_bytes
    }

    pub(crate) fn bound_bytes(&self) -> usize {
        self.chunks * self.chunk_bytes
    }
}
