//! A chunk on its way to one destination, counted against that destination's share of the memory.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::queue::{Chunk, Overflow};

/// A chunk that several destinations may hold; its memory goes back when the last one lets go of it.
#[derive(Debug)]
pub(crate) struct Parcel {
    chunk: Arc<Chunk>,
    holding: Holding,
}

/// How many chunks' worth of memory one destination holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holding(Arc<AtomicUsize>);

impl Holding {
    pub(crate) fn chunks(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Parcel {
    pub(crate) fn new(chunk: &Arc<Chunk>, holding: &Holding) -> Self {
        holding.0.fetch_add(chunk.price(), Ordering::Relaxed);
        Self { chunk: Arc::clone(chunk), holding: holding.clone() }
    }

    /// [`Chunk::memory`].
    pub(crate) fn memory(&self) -> usize {
        self.chunk.memory()
    }

    /// [`Chunk::absorb`], where nobody else holds this chunk.
    pub(crate) fn absorb(&mut self, other: &Self) -> bool {
        Arc::get_mut(&mut self.chunk).is_some_and(|chunk| chunk.absorb(&other.chunk))
    }

    /// [`Chunk::errors`], for the same destination.
    pub(crate) fn errors(&self) -> Option<Self> {
        self.chunk.errors().map(|errors| Self::new(&Arc::new(errors), &self.holding))
    }
}

impl Deref for Parcel {
    type Target = Chunk;

    fn deref(&self) -> &Chunk {
        &self.chunk
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.holding.0.fetch_sub(self.chunk.price(), Ordering::Relaxed);
    }
}

/// The most chunks that each of several destinations may hold, of all that there are: those that stand still leave at
/// least three tenths to the ones that do not. One alone may have everything, but where the oldest entries give way: what
/// comes has to find something in the queue that can.
pub(crate) fn share(chunks: usize, destinations: usize, overflow: Overflow) -> usize {
    match destinations {
        0 | 1 if overflow == Overflow::DropOldest => chunks * 8 / 10,
        0 | 1 => usize::MAX,
        n => (chunks * 7 / 10 / (n - 1)).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_destinations_but_one_may_stand_still_and_memory_is_left() {
        assert_eq!(share(256, 1, Overflow::DropNewest), usize::MAX);
        assert_eq!(share(256, 1, Overflow::DropOldest), 204);
        for chunks in [16usize, 256, 4_096] {
            for n in 2..8 {
                let stuck = share(chunks, n, Overflow::DropNewest) * (n - 1);
                assert!(stuck * 10 <= chunks * 7 && stuck > 0, "{n} of {chunks}: {stuck}");
            }
        }
    }
}
