//! What waits for a destination under [`Overflow::DropOldest`](crate::Overflow): what the worker has not handed over yet it
//! can take back, however the destination stands.

use std::collections::VecDeque;

use crate::count::Count;
use crate::destination::{Holding, Parcel};

/// Chunks in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Stage {
    waiting: VecDeque<Parcel>,
}

impl Stage {
    pub(super) fn add(&mut self, parcel: Parcel) {
        if !self.waiting.back_mut().is_some_and(|last| last.absorb(&parcel)) {
            self.waiting.push_back(parcel);
        }
    }

    /// How many chunks' worth of memory it holds.
    pub(super) fn chunks(&self) -> usize {
        self.waiting.iter().map(|parcel| parcel.price()).sum()
    }

    pub(super) fn count(&self) -> Count {
        self.waiting.iter().map(|parcel| parcel.count()).sum()
    }

    pub(super) fn next(&mut self) -> Option<Parcel> {
        self.waiting.pop_front()
    }

    /// Lets the oldest go until the destination holds its share and no more, the errors among them last. Returns what
    /// went.
    pub(super) fn shed(&mut self, holding: &Holding, share: usize) -> Count {
        let mut lost = Count::default();
        while holding.chunks() > share {
            let mixed = self.waiting.iter().position(|parcel| !parcel.is_errors_only());
            let at = mixed.unwrap_or_default();
            let Some(oldest) = self.waiting.remove(at) else { break };
            let errors = oldest.errors();
            lost += oldest.count() - errors.as_ref().map(|errors| errors.count()).unwrap_or_default();
            let Some(errors) = errors else { continue };
            let before = at.checked_sub(1).and_then(|before| self.waiting.get_mut(before));
            if !before.is_some_and(|before| before.absorb(&errors)) {
                self.waiting.insert(at, errors);
            }
        }
        lost
    }
}
