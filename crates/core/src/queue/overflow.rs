//! What gives way where memory is full.

use std::time::{Duration, Instant};

use hoplog_entry::DropReason;

use super::Queue;
use super::sync::{lock, may_wait, pause};

/// How often whoever waits for room looks for it.
const LOOK: Duration = Duration::from_millis(1);

/// What gives way when memory is full: [`ClientBuilder::overflow`](crate::ClientBuilder::overflow).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// The entry that comes is dropped, as `queue_full_newest`. A tenth of the memory is reserved for errors.
    #[default]
    DropNewest,
    /// The entries that have waited longest are dropped, as `queue_full_oldest`; the errors among them stay, as long as
    /// they fit that tenth. What a destination is delivering, or was given at a flush, stays with it; where all memory is
    /// that, the newest go.
    DropOldest,
    /// A log call waits for room, so long at most; then its entry is dropped, as `queue_full_newest`. Only a call on a
    /// thread without an asynchronous runtime waits, and none of the middleware: others must not stand still for it.
    Block(Duration),
}

impl Queue {
    /// An entry for which there is no room, or which comes too late.
    #[cold]
    pub(super) fn push_to_full(
        &self,
        record: &[u8],
        urgent: bool,
        reason: DropReason,
    ) -> Result<(), DropReason> {
        if self.overflow == Overflow::DropOldest && reason == DropReason::QueueFullNewest {
            // Once may not do: the record may be large, and others may take what becomes free.
            for _ in 0..self.budget.chunks() {
                if !self.evict_oldest(urgent) {
                    break;
                }
                self.hurry();
                if self.try_push(record, urgent).is_ok() {
                    return Ok(());
                }
            }
        }
        self.leave_out(reason);
        Err(reason)
    }

    /// Likewise, of a call that may wait.
    #[cold]
    pub(super) fn push_or_wait(
        &self,
        record: &[u8],
        urgent: bool,
        reason: DropReason,
    ) -> Result<(), DropReason> {
        let Overflow::Block(patience) = self.overflow else {
            return self.push_to_full(record, urgent, reason);
        };
        let (until, may_wait) = (Instant::now().checked_add(patience), may_wait());
        let mut reason = reason;
        while may_wait
            && reason == DropReason::QueueFullNewest
            && until.is_none_or(|until| Instant::now() < until)
        {
            self.hurry();
            pause(LOOK);
            match self.try_push(record, urgent) {
                Ok(()) => return Ok(()),
                Err(still) => reason = still,
            }
        }
        self.leave_out(reason);
        Err(reason)
    }

    /// Whether there was something that could go.
    fn evict_oldest(&self, urgent: bool) -> bool {
        let oldest = |(at, shard): (usize, &super::Shard)| Some((lock(&shard.state).oldest(urgent)?, at));
        let Some((number, at)) = self.shards.iter().enumerate().filter_map(oldest).min() else {
            return false;
        };
        lock(&self.shards[at].state).evict(number);
        true
    }
}
