//! Entries that somebody waits for stand apart, so that who waits is swept together with what is waited for.

use std::sync::Arc;

use hoplog_entry::DropReason;

use super::shard::ShardState;
use super::sync::{Mutex, lock};
use super::{Chunk, Count, Queue, ShardCounts, Waiter};

/// Their own part of the queue, paid for from the same budget.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    shard: ShardState,
    waiters: Vec<Waiter>,
}

impl Waiting {
    pub(super) fn close(&self) {
        lock(&self.0).shard.close();
    }

    pub(super) fn taken_out(&self) -> Count {
        lock(&self.0).shard.taken_out()
    }

    pub(super) fn add_to(&self, sum: &mut ShardCounts) {
        sum.add(&lock(&self.0).shard.counts);
    }
}

impl Queue {
    /// As [`Queue::push`], and the worker is woken at once: `waiter` hears when the entry is on the disk.
    pub(crate) fn push_durable(&self, record: &[u8], urgent: bool, waiter: Waiter) -> Result<(), DropReason> {
        {
            let mut state = lock(&self.durable.0);
            if let Err(reason) = state.shard.push(record, urgent, &self.budget) {
                state.shard.counts.drop_one(reason);
                return Err(reason);
            }
            state.waiters.push(waiter);
        }
        self.hurry();
        Ok(())
    }

    /// Takes those out, and who waits for them. After [`Queue::sweep`].
    pub(crate) fn sweep_durable(&self) -> Option<(Vec<Arc<Chunk>>, Vec<Waiter>)> {
        let mut state = lock(&self.durable.0);
        let mut chunks = Vec::new();
        state.shard.sweep(&mut chunks);
        let waiters = std::mem::take(&mut state.waiters);
        (!chunks.is_empty()).then(|| (chunks.into_iter().map(Arc::new).collect(), waiters))
    }
}
