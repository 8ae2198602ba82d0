//! A buffer full of records on its way from the queue to the destinations.

use std::sync::Arc;

use super::Budget;

/// Records, one after the other. Its memory returns to the budget when the last destination lets go of it.
#[derive(Debug)]
pub(crate) struct Chunk {
    bytes: Vec<u8>,
    entries: usize,
    price: usize,
    budget: Arc<Budget>,
}

impl Chunk {
    pub(super) fn new(bytes: Vec<u8>, entries: usize, price: usize, budget: Arc<Budget>) -> Self {
        Self { bytes, entries, price, budget }
    }

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
        }
        fits
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many chunks of the budget it takes.
    pub(crate) fn price(&self) -> usize {
        self.price
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.budget.give_back(self.price, std::mem::take(&mut self.bytes));
    }
}
