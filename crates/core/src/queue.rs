//! The bounded memory between request threads and the worker.
//!
//! ```text
//! request thread ── push ──► shard (one per few threads) ── open chunk ─┐ full chunks
//!                                                                        ▼
//! worker ◄────────────────────────── sweep: whole chunks are swapped out, never single entries
//! ```
//!
//! Memory comes in chunks of a fixed capacity, each paid for from one [`Budget`]; so the bound is exact, and a push
//! touches one uncontended lock and no shared counter until its chunk is full. A push never waits, never allocates
//! beyond the budget and makes no system call below the batch threshold.

// By their paths, and everything around them by `super`: `crates/models` has these files too.
#[path = "queue/budget.rs"]
mod budget;
#[path = "queue/chunk.rs"]
mod chunk;
#[path = "queue/durable.rs"]
mod durable;
#[path = "queue/overflow.rs"]
mod overflow;
#[path = "queue/shard.rs"]
mod shard;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hoplog_entry::DropReason;

pub(crate) use budget::{Budget, MOST_ENTRIES};
pub(crate) use chunk::Chunk;
pub use overflow::Overflow;
use shard::Shard;
pub(crate) use shard::ShardCounts;

use super::count::Count;
use super::durable::Waiter;
use super::sync;
use sync::{AtomicBool, AtomicUsize, Notify, lock, thread_number};

/// Where records wait for the worker.
#[derive(Debug)]
pub(crate) struct Queue {
    shards: Box<[Shard]>,
    /// Entries that somebody waits for.
    durable: durable::Waiting,
    budget: Arc<Budget>,
    /// Entries and bytes in full chunks that were not swept yet.
    full_entries: AtomicUsize,
    full_bytes: AtomicUsize,
    /// Whether the worker has been told; one wake-up per sweep is enough.
    woken: AtomicBool,
    wake_entries: usize,
    wake_bytes: usize,
    wake: Notify,
    overflow: Overflow,
}

/// How the queue is sized.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    pub(crate) bytes: usize,
    pub(crate) entries: usize,
    /// The worker is woken when this many entries or bytes wait.
    pub(crate) wake_entries: usize,
    pub(crate) wake_bytes: usize,
    pub(crate) overflow: Overflow,
}

impl QueueLimits {
    /// These bounds, and the worker woken for a batch as it is by default.
    #[cfg(any(test, feature = "bench"))]
    pub(crate) fn new(bytes: usize, entries: usize) -> Self {
        Self { bytes, entries, wake_entries: 1_000, wake_bytes: 1 << 20, overflow: Overflow::default() }
    }
}

/// How full the queue is: what is captured shrinks before entries are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fill {
    Normal,
    /// Above 75 %: new captures take no body.
    High,
    /// Above 90 %: new captures take no headers; only errors are taken in.
    Critical,
}

impl Queue {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        let shards = sync::shards();
        Self {
            shards: (0..shards).map(|_| Shard::default()).collect(),
            durable: durable::Waiting::default(),
            budget: Arc::new(Budget::new(limits.bytes, limits.entries, shards)),
            full_entries: AtomicUsize::new(0),
            full_bytes: AtomicUsize::new(0),
            woken: AtomicBool::new(false),
            wake_entries: limits.wake_entries,
            wake_bytes: limits.wake_bytes,
            wake: Notify::new(),
            overflow: limits.overflow,
        }
    }

    /// Takes a copy of a record, or counts it as dropped. `urgent` entries (errors) may use the reserved part. Never waits.
    #[inline]
    pub(crate) fn push(&self, record: &[u8], urgent: bool) -> Result<(), DropReason> {
        self.try_push(record, urgent).or_else(|reason| self.push_to_full(record, urgent, reason))
    }

    /// Likewise, from a call that may be made to wait for room, if it is configured so.
    #[inline]
    pub(crate) fn push_from_call(&self, record: &[u8], urgent: bool) -> Result<(), DropReason> {
        self.try_push(record, urgent).or_else(|reason| self.push_or_wait(record, urgent, reason))
    }

    /// A refusal is not counted.
    #[inline(always)] // at its few places
    fn try_push(&self, record: &[u8], urgent: bool) -> Result<(), DropReason> {
        let filled = lock(&self.shard().state).push(record, urgent, &self.budget)?;
        if let Some(chunk) = filled {
            self.announce(chunk.entries, chunk.bytes);
        }
        Ok(())
    }

    /// Counts an entry that is not to be taken.
    pub(crate) fn leave_out(&self, reason: DropReason) {
        lock(&self.shard().state).counts.drop_one(reason);
    }

    #[inline]
    fn shard(&self) -> &Shard {
        &self.shards[thread_number() & (self.shards.len() - 1)]
    }

    fn announce(&self, entries: usize, bytes: usize) {
        let entries = self.full_entries.fetch_add(entries, Ordering::Relaxed) + entries;
        let bytes = self.full_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if entries >= self.wake_entries || bytes >= self.wake_bytes {
            self.hurry();
        }
    }

    /// Wakes the worker, unless it is awake.
    fn hurry(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.wake.notify_one();
        }
    }

    /// Waits until enough has come together for a batch.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Takes everything out, chunk by chunk. For the worker.
    pub(crate) fn sweep(&self) -> Vec<Arc<Chunk>> {
        self.woken.store(false, Ordering::Release);
        self.full_entries.store(0, Ordering::Relaxed);
        self.full_bytes.store(0, Ordering::Relaxed);
        let mut chunks = Vec::new();
        for shard in &self.shards {
            lock(&shard.state).sweep(&mut chunks);
        }
        chunks.into_iter().map(Arc::new).collect()
    }

    /// How many entries had to go for others since this was last asked. They were accepted, and nobody will be handed them.
    pub(crate) fn take_evicted(&self) -> Count {
        match self.overflow {
            Overflow::DropOldest => {
                self.shards.iter().map(|shard| std::mem::take(&mut lock(&shard.state).evicted)).sum()
            }
            _ => Count::default(),
        }
    }

    pub(crate) fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// How much was taken out so far, or gave way and was told of.
    pub(crate) fn swept(&self) -> Count {
        let shards: Count = self.shards.iter().map(|shard| lock(&shard.state).taken_out()).sum();
        shards + self.durable.taken_out()
    }

    /// From now on every push is refused with `after_close`.
    pub(crate) fn close(&self) {
        for shard in &self.shards {
            lock(&shard.state).close();
        }
        self.durable.close();
    }

    /// What went in and what was refused, summed over the shards.
    pub(crate) fn counts(&self) -> ShardCounts {
        let mut sum = ShardCounts::default();
        for shard in &self.shards {
            sum.add(&lock(&shard.state).counts);
        }
        self.durable.add_to(&mut sum);
        sum
    }

    #[inline]
    pub(crate) fn fill(&self) -> Fill {
        self.budget.fill()
    }

    /// How many chunks there may be.
    pub(crate) fn chunks(&self) -> usize {
        self.budget.chunks()
    }

    /// How many there are now, wherever.
    pub(crate) fn used_chunks(&self) -> usize {
        self.budget.used_chunks()
    }

    /// The bytes that are held now, and the most that ever may be.
    pub(crate) fn memory(&self) -> (usize, usize) {
        (self.budget.used_bytes(), self.budget.bound_bytes())
    }
}

#[cfg(test)]
#[path = "queue/tests.rs"]
mod tests;
