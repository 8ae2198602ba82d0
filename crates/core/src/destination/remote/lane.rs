//! Loads that wait for their batch, in the order in which they came.

use std::collections::VecDeque;
use std::sync::Arc;

use super::former::BatchLimits;
use super::load::Load;
use crate::count::Count;
use crate::destination::Source;
use crate::ledger::Home;

/// A load, and how far it has been read.
pub(super) struct Waiting {
    pub(super) load: Arc<Load>,
    /// Bytes.
    pub(super) read: usize,
    /// Entries.
    pub(super) done: usize,
}

impl Waiting {
    /// What has not been read of it.
    pub(super) fn rest(&self) -> Count {
        let all = self.load.count();
        all.saturating_sub(Count { entries: self.done as u64, bytes: self.read as u64 })
    }
}

#[derive(Default)]
pub(super) struct Lane {
    waiting: VecDeque<Waiting>,
    entries: usize,
    bytes: usize,
    due: bool,
}

impl Lane {
    /// Adds a load; where it fits the last one, it goes in there.
    pub(super) fn add(&mut self, mut load: Load) {
        let (entries, bytes) = (load.entries(), load.bytes().len());
        let last = self.waiting.back_mut().and_then(|last| Arc::get_mut(&mut last.load));
        if last.is_some_and(|last| last.absorb(&mut load)) {
            self.entries += entries;
            self.bytes += bytes;
        } else {
            self.push(load);
        }
    }

    /// Adds a load of its own.
    pub(super) fn push(&mut self, load: Load) {
        self.entries += load.entries();
        self.bytes += load.bytes().len();
        self.waiting.push_back(Waiting { load: Arc::new(load), read: 0, done: 0 });
    }

    pub(super) fn seal_rest(&mut self) {
        self.due = self.entries > 0;
    }

    pub(super) fn is_ready(&self, limits: BatchLimits) -> bool {
        limits.ready(self.entries, self.bytes, self.due)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    /// Bytes of memory that they take: more than their records have, where those are small.
    pub(super) fn memory(&self) -> usize {
        self.waiting.iter().map(|waiting| waiting.load.memory()).sum()
    }

    /// Where the next one is at home.
    pub(super) fn home(&self) -> Home {
        self.waiting.front().map_or(Home::Memory, |waiting| waiting.load.home())
    }

    /// Which other process wrote the next one.
    pub(super) fn source(&self) -> Option<Arc<Source>> {
        self.waiting.front().and_then(|waiting| waiting.load.source().cloned())
    }

    /// Whether entries wait that are in memory alone.
    pub(super) fn has_memory(&self) -> bool {
        self.waiting.iter().any(|waiting| waiting.load.home() == Home::Memory)
    }

    pub(super) fn front(&mut self) -> Option<&mut Waiting> {
        self.waiting.front_mut()
    }

    /// The first one was read on by so much; read to its end, it goes.
    pub(super) fn took(&mut self, bytes: usize, entries: usize) {
        self.bytes -= bytes;
        self.entries -= entries;
        if self.waiting.front().is_some_and(|waiting| waiting.done >= waiting.load.entries()) {
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() {
            self.due = false;
            self.bytes = 0;
        }
    }

    /// Takes out what has waited longest, until the rest takes no more than `keep` bytes of memory; of one that was begun in memory the rest.
    /// One that is in the spool and was begun stays: its frame is one thing.
    pub(super) fn drain(&mut self, keep: usize) -> Vec<Load> {
        let mut left = self.memory();
        self.take_out(|waiting| {
            let taken = left > keep;
            left -= if taken { waiting.load.memory() } else { 0 };
            taken
        })
    }

    /// Takes out what is in memory alone.
    pub(super) fn drain_memory(&mut self) -> Vec<Load> {
        self.take_out(|waiting| waiting.load.home() == Home::Memory)
    }

    fn take_out(&mut self, mut wanted: impl FnMut(&Waiting) -> bool) -> Vec<Load> {
        let mut out = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            let begun = waiting.done > 0 && waiting.load.home() == Home::Spool;
            if begun || !wanted(&waiting) {
                self.waiting.push_back(waiting);
            } else if waiting.done > 0 {
                let rest = waiting.load.bytes().get(waiting.read..).unwrap_or_default().to_vec();
                out.push(Load::read(rest, waiting.load.entries() - waiting.done, None));
            } else {
                out.extend(Arc::into_inner(waiting.load));
            }
        }
        let rest: Count = self.waiting.iter().map(Waiting::rest).sum();
        (self.entries, self.bytes) = (rest.entries as usize, rest.bytes as usize);
        self.due &= self.entries > 0;
        out
    }

    /// Forgets everything; returns what of it was in memory alone.
    pub(super) fn discard(&mut self) -> Count {
        let memory = self.waiting.iter().filter(|waiting| waiting.load.home() == Home::Memory);
        let lost = memory.map(Waiting::rest).sum();
        *self = Self::default();
        lost
    }
}
