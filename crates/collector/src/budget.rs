//! A bound on the bytes of all bodies in memory together. A body takes its share as it grows, so that many small
//! bodies never wait for a large one's worst case.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Shares are counted in pieces of this many bytes.
const PIECE: usize = 4096;

/// The bytes that bodies may take together.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    pieces: Arc<Semaphore>,
    wait: Duration,
}

/// No room was free in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Budget {
    /// `wait` is how long a body waits for room.
    pub(crate) fn new(bytes: usize, wait: Duration) -> Self {
        let pieces = bytes.div_ceil(PIECE).min(Semaphore::MAX_PERMITS);
        Self { pieces: Arc::new(Semaphore::new(pieces)), wait }
    }

    pub(crate) fn grant(&self) -> Grant {
        Grant { budget: self.clone(), held: None }
    }
}

/// One body's share; given back when dropped.
#[derive(Debug)]
pub(crate) struct Grant {
    budget: Budget,
    held: Option<OwnedSemaphorePermit>,
}

impl Grant {
    /// Grows the share to `bytes`; does not shrink it.
    pub(crate) async fn cover(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let missing = self.missing(bytes);
        if missing == 0 {
            return Ok(());
        }
        let pieces = Arc::clone(&self.budget.pieces).acquire_many_owned(missing);
        let permit = tokio::time::timeout(self.budget.wait, pieces).await;
        self.hold(permit.map_err(|_| NoRoom)?.map_err(|_| NoRoom)?);
        Ok(())
    }

    /// The same, on a thread that may block.
    pub(crate) fn cover_blocking(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let missing = self.missing(bytes);
        if missing == 0 {
            return Ok(());
        }
        if let Ok(permit) = Arc::clone(&self.budget.pieces).try_acquire_many_owned(missing) {
            self.hold(permit);
            return Ok(());
        }
        tokio::runtime::Handle::try_current().map_err(|_| NoRoom)?.block_on(self.cover(bytes))
    }

    /// Gives back all but `bytes`.
    pub(crate) fn keep(&mut self, bytes: usize) {
        let pieces = bytes.div_ceil(PIECE);
        if let Some(held) = &mut self.held
            && held.num_permits() > pieces
        {
            drop(held.split(held.num_permits() - pieces));
        }
    }

    fn missing(&self, bytes: usize) -> u32 {
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        u32::try_from(bytes.div_ceil(PIECE).saturating_sub(held)).unwrap_or(u32::MAX)
    }

    fn hold(&mut self, permit: OwnedSemaphorePermit) {
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_waits_for_room_and_gives_up_in_time() {
        let budget = Budget::new(10 * PIECE, Duration::from_millis(1));
        let (mut first, mut second) = (budget.grant(), budget.grant());
        assert_eq!(first.cover(6 * PIECE).await, Ok(()));
        assert_eq!(first.cover(1).await, Ok(()), "never shrinks");
        assert_eq!(second.cover(4 * PIECE).await, Ok(()));
        assert_eq!(second.cover(4 * PIECE + 1).await, Err(NoRoom));
        assert_eq!(second.cover(usize::MAX).await, Err(NoRoom));
        first.keep(7 * PIECE);
        assert_eq!(budget.pieces.available_permits(), 0, "no more than there is");
        first.keep(5 * PIECE - 1);
        assert_eq!(second.cover(5 * PIECE).await, Ok(()));
        drop(first);
        assert_eq!(second.cover(10 * PIECE).await, Ok(()));
        drop(second);
        assert_eq!(budget.pieces.available_permits(), 10);
    }
}
