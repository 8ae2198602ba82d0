//! Forming batches: records in, sealed bytes out.

use std::sync::Arc;

use hoplog_entry::{DropReason, Malformed, Record};

use super::lane::Lane;
use super::load::{Load, Part};
use super::packer::Packer;
use crate::count::Count;
use crate::destination::dialect::{Dialect, Mark};
use crate::destination::{Source, Surroundings};
use crate::encode::PANICKED;
use crate::ledger::Home;
use crate::transport::SealedBatch;

/// When a batch is full.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchLimits {
    pub(crate) entries: usize,
    /// As the destination takes it, uncompressed. One entry may exceed it.
    pub(crate) bytes: usize,
}

impl BatchLimits {
    /// Whether a batch should go out now. `due`: its second is over, or somebody waits for it.
    pub(super) fn ready(&self, waiting_entries: usize, waiting_bytes: usize, due: bool) -> bool {
        waiting_entries > 0 && (due || waiting_entries >= self.entries || waiting_bytes >= self.bytes)
    }
}

/// A batch, and what it was formed of.
pub(super) struct Formed {
    pub(super) batch: SealedBatch,
    /// Of all of its entries.
    pub(super) home: Home,
    /// How many entries came to the destination before its own; of a batch from the backlog, more than ever come: no flush
    /// waits for it.
    pub(super) first: u64,
    /// Entries of this process that were sealed before.
    pub(super) seq: u64,
    /// Empty where nobody asks for them.
    pub(super) parts: Vec<Part>,
}

/// Forms the batches of one destination. Its buffers are kept from batch to batch.
pub(super) struct Former {
    limits: BatchLimits,
    around: Surroundings,
    /// What comes from the application now.
    pub(super) live: Lane,
    /// What was in the spool.
    pub(super) backlog: Lane,
    /// Entries that ever came in alive.
    received: u64,
    pub(super) dialect: Box<dyn Dialect>,
    pub(super) packer: Packer,
    /// Sizes of the records of the batch under way.
    sizes: Vec<u32>,
    /// Entries sealed so far: the `seq` of the next batch, so that a gap shows at the collector.
    sealed: u64,
    /// Batches formed so far.
    formed: u64,
    /// Whether to tell what a batch was formed of.
    keeps_parts: bool,
    /// Records over which the encoding panicked twice, and which other process wrote them.
    pub(super) poison: Vec<(Vec<u8>, Option<Arc<Source>>)>,
}

impl Former {
    pub(super) fn new(
        limits: BatchLimits,
        dialect: Box<dyn Dialect>,
        packer: Packer,
        around: Surroundings,
        keeps_parts: bool,
    ) -> Self {
        Self {
            limits,
            around,
            live: Lane::default(),
            backlog: Lane::default(),
            received: 0,
            dialect,
            packer,
            sizes: Vec::new(),
            sealed: 0,
            formed: 0,
            keeps_parts,
            poison: Vec::new(),
        }
    }

    pub(super) fn dialect(&self) -> &dyn Dialect {
        &*self.dialect
    }

    #[cfg(feature = "zstd")]
    pub(super) fn packer(&mut self) -> &mut Packer {
        &mut self.packer
    }

    pub(super) fn add(&mut self, load: Load) {
        self.received += load.entries() as u64;
        self.live.add(load);
    }

    /// Takes back what waits, as far as it can be, the oldest first, until so many bytes are left: it goes to the spool, and
    /// comes again or not.
    pub(super) fn take_back(&mut self, keep: usize) -> Vec<Load> {
        let loads = self.live.drain(keep);
        self.took_back(&loads);
        loads
    }

    /// Takes back what waits in memory alone.
    pub(super) fn take_back_memory(&mut self) -> Vec<Load> {
        let loads = self.live.drain_memory();
        self.took_back(&loads);
        loads
    }

    fn took_back(&mut self, loads: &[Load]) {
        // Released loads are waited for by nobody; those to be written come again, or pass.
        self.received -= loads
            .iter()
            .filter(|load| load.home() == Home::Memory)
            .map(|load| load.entries() as u64)
            .sum::<u64>();
    }

    /// Entries came in alive, and are in the spool.
    pub(super) fn pass(&mut self, entries: u64) {
        self.received += entries;
    }

    /// What was in the spool goes out as it comes: nothing is gained by waiting for more.
    pub(super) fn add_backlog(&mut self, loads: Vec<Load>) {
        loads.into_iter().for_each(|load| self.backlog.push(load));
        self.backlog.seal_rest();
    }

    /// What waits now goes out also where it fills no batch.
    pub(super) fn seal_rest(&mut self) {
        self.live.seal_rest();
    }

    pub(super) fn has_live_work(&self) -> bool {
        self.live.is_ready(self.limits)
    }

    pub(super) fn has_backlog(&self) -> bool {
        self.backlog.is_ready(self.limits)
    }

    /// How many entries ever came in alive, and how many of them wait no longer.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.received, self.received - self.live.entries() as u64)
    }

    /// The next full or due batch; from the backlog, or of what is alive.
    pub(super) fn next_batch(&mut self, from_backlog: bool) -> Option<Formed> {
        while if from_backlog { self.has_backlog() } else { self.has_live_work() } {
            let first = if from_backlog { u64::MAX } else { self.progress().1 };
            let (home, whose, parts) = self.fill(from_backlog);
            if self.dialect.entries() > 0 {
                let seq = self.sealed;
                let batch = self.seal(home, whose, false);
                return Some(Formed { batch, home, first, seq, parts });
            }
            parts.iter().for_each(Part::settle);
        }
        None
    }

    /// An empty batch that says that this process ends cleanly; none where nothing was ever sent.
    pub(super) fn goodbye(&mut self) -> Option<SealedBatch> {
        self.seal_empty(true)
    }

    /// An empty batch that says that this process is there; none where nothing was ever sent.
    pub(super) fn sign_of_life(&mut self) -> Option<SealedBatch> {
        self.seal_empty(false)
    }

    fn seal_empty(&mut self, closing: bool) -> Option<SealedBatch> {
        (self.sealed > 0 && self.dialect.says_goodbye()).then(|| {
            self.dialect.begin(None);
            self.seal(Home::Memory, Whose::Ours, closing)
        })
    }

    /// Moves records of one home and one process into the batch until it is full.
    fn fill(&mut self, from_backlog: bool) -> (Home, Whose, Vec<Part>) {
        let lane = if from_backlog { &mut self.backlog } else { &mut self.live };
        let (home, source) = (lane.home(), lane.source());
        self.dialect.begin(source.as_ref());
        let whose = source.as_ref().unwrap_or(&self.around.source);
        // Entries that have a place keep it: a batch of them ends where one is left out. Each load has another place.
        let place = source.as_ref().and_then(|source| source.place);
        let mut before = 0;
        let (mut parts, mut unreadable, mut poison) = (Vec::new(), Count::default(), Count::default());
        while self.dialect.entries() < self.limits.entries && self.dialect.len() < self.limits.bytes {
            if place.is_some() && self.dialect.entries() > 0 {
                break;
            }
            let alike = |load: &Load| load.home() == home && load.source() == source.as_ref();
            let Some(waiting) = lane.front().filter(|waiting| alike(&waiting.load)) else { break };
            let (from_byte, from_entry) = (waiting.read, waiting.done);
            let mut left_out = Vec::new();
            let load = Arc::clone(&waiting.load);
            while self.dialect.entries() < self.limits.entries && self.dialect.len() < self.limits.bytes {
                let Ok((record, _)) = Record::read(load.bytes().get(waiting.read..).unwrap_or_default())
                else {
                    // The load's end; anything else would be a fault of ours, and still no entry may go uncounted.
                    let rest = waiting.rest();
                    unreadable += rest;
                    left_out.extend((0..rest.entries as usize).map(|at| waiting.done - from_entry + at));
                    (waiting.read, waiting.done) = (load.bytes().len(), load.entries());
                    break;
                };
                let entry = Count::one(record.bytes());
                waiting.read += record.bytes().len();
                waiting.done += 1;
                if self.around.takes_of(whose, &record, home) {
                    match push(&mut *self.dialect, &record) {
                        Ok(()) => {
                            if self.sizes.is_empty() {
                                before = waiting.done as u64 - 1;
                            }
                            self.sizes.push(entry.bytes as u32);
                            continue;
                        }
                        Err(PANICKED) => {
                            poison += entry;
                            self.poison.push((record.bytes().to_vec(), source.clone()));
                        }
                        Err(_) => unreadable += entry,
                    }
                }
                left_out.push(waiting.done - 1 - from_entry);
                if place.is_some() && self.dialect.entries() > 0 {
                    break;
                }
            }
            let (bytes, entries) = (from_byte..waiting.read, from_entry..waiting.done);
            lane.took(bytes.len(), entries.len());
            if self.keeps_parts {
                parts.push(Part { load, bytes, entries, left_out });
            }
        }
        for (lost, reason) in [(unreadable, DropReason::SerializeError), (poison, DropReason::Poison)] {
            if lost.entries > 0 {
                self.around.ledger.drop_waiting(home, lost, reason);
            }
        }
        let whose = match source {
            None => Whose::Ours,
            Some(_) => Whose::Others { seq: place.map_or(0, |place| place.seq.saturating_add(before)) },
        };
        (home, whose, parts)
    }

    fn seal(&mut self, home: Home, whose: Whose, closing: bool) -> SealedBatch {
        let (foreign, seq) = match whose {
            Whose::Ours => (false, self.sealed),
            Whose::Others { seq } => (true, seq),
        };
        let sizes: Arc<[u32]> = self.sizes.drain(..).collect();
        let entries = self.dialect.entries() as u64;
        crate::failpoint::pass(&self.around.source.service, "before a batch is sealed");
        self.around.ledger.begin_send(home, Count::of_sizes(&sizes));
        crate::failpoint::pass(&self.around.source.service, "after a batch is counted");
        let plain = self.dialect.seal(Mark { seq, closing });
        let (bytes, encoding) = self.packer.pack(plain);
        self.around.ledger.encoded(plain.len(), bytes.len());
        self.dialect.clear();
        // What another process had accepted is no part of what this one has.
        self.sealed += if foreign { 0 } else { entries };
        self.formed += 1;
        SealedBatch {
            bytes: bytes.into(),
            encoding,
            entries,
            sizes,
            number: self.formed,
            offset: 0,
            foreign,
            unsure: false,
            lone: None,
            search: None,
            truncated: false,
        }
    }
}

/// Which process wrote the entries of a batch.
#[derive(Debug, Clone, Copy)]
enum Whose {
    Ours,
    /// `seq`: entries that it had sealed before, if these have a place.
    Others {
        seq: u64,
    },
}

/// Once more where it panicked: that may have been for once.
fn push(dialect: &mut dyn Dialect, record: &Record<'_>) -> Result<(), Malformed> {
    match dialect.push(record) {
        Err(PANICKED) => dialect.push(record),
        pushed => pushed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_goes_out_when_it_is_full_or_due() {
        let limits = BatchLimits { entries: 1_000, bytes: 1 << 20 };
        for (entries, bytes, due, ready) in [
            (0, 0, true, false),
            (1, 100, false, false),
            (1, 100, true, true),
            (999, 1 << 19, false, false),
            (1_000, 1 << 19, false, true),
            (3, 1 << 20, false, true),
        ] {
            assert_eq!(limits.ready(entries, bytes, due), ready, "{entries} {bytes} {due}");
        }
    }
}
