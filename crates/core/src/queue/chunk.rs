//! A buffer full of records on its way from the queue to the destinations.

use std::sync::Arc;

use hoplog_entry::{Level, Record};

use super::{Budget, Count};

/// Records, one after the other. Its memory returns to the budget when the last destination lets go of it.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) entries: usize,
    pub(super) price: usize,
    pub(super) errors_only: bool,
    /// The older, the lower.
    pub(super) number: u64,
    pub(super) budget: Arc<Budget>,
}

impl Chunk {
    /// Takes another chunk's records in behind its own, where both fit one; the other's memory can go then. Without
    /// it an outage would keep a nearly empty chunk per sweep.
    pub(crate) fn absorb(&mut self, other: &Self) -> bool {
        let fits = self.price == 1
            && other.price == 1
            && self.bytes.len() + other.bytes.len() <= self.budget.chunk_bytes()
            && self.entries + other.entries <= self.budget.chunk_entries();
        if fits {
            self.bytes.extend_from_slice(&other.bytes);
            self.entries += other.entries;
            self.errors_only &= other.errors_only;
        }
        fits
    }

    /// A copy of its errors, paid for from the part that is reserved for them; `None` if it has none, has nothing else, or
    /// there is no room.
    pub(crate) fn errors(&self) -> Option<Self> {
        let errors = || records(&self.bytes).filter(|record| record.level() >= Level::Error);
        let (entries, bytes) =
            errors().fold((0, 0), |(n, bytes), error| (n + 1, bytes + error.bytes().len()));
        let price = self.budget.price(bytes);
        if entries == 0 || self.errors_only || !self.budget.take(price, true) {
            return None;
        }
        let mut copy = if price == 1 { self.budget.buffer() } else { Vec::with_capacity(bytes) };
        errors().for_each(|error| copy.extend_from_slice(error.bytes()));
        let (number, budget) = (self.number, Arc::clone(&self.budget));
        Some(Self { bytes: copy, entries, price, errors_only: true, number, budget })
    }

    /// Whether it holds errors and nothing else.
    pub(crate) fn is_errors_only(&self) -> bool {
        self.errors_only
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many chunks of the budget it takes.
    pub(crate) fn price(&self) -> usize {
        self.price
    }

    /// Bytes of the budget that it takes, full or not.
    pub(crate) fn memory(&self) -> usize {
        self.price * self.budget.chunk_bytes()
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    pub(crate) fn count(&self) -> Count {
        Count::of(&self.bytes, self.entries)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.budget.give_back(self.price, std::mem::take(&mut self.bytes));
    }
}

fn records(mut bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    std::iter::from_fn(move || {
        let (record, rest) = Record::read(bytes).ok()?;
        bytes = rest;
        Some(record)
    })
}
