//! Forming batches: chunks in, sealed bytes out.

use std::collections::VecDeque;

use hoplog_entry::{DropReason, Record};

use super::packer::{Packer, unpack};
use crate::destination::dialect::{Dialect, Mark};
use crate::destination::{Parcel, Surroundings};
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
    fn ready(&self, waiting_entries: usize, waiting_bytes: usize, due: bool) -> bool {
        waiting_entries > 0 && (due || waiting_entries >= self.entries || waiting_bytes >= self.bytes)
    }
}

/// Forms the batches of one destination. Its buffers are kept from batch to batch.
pub(super) struct Former {
    limits: BatchLimits,
    around: Surroundings,
    /// Chunks, and how far each has been read.
    waiting: VecDeque<(Parcel, usize)>,
    waiting_entries: usize,
    waiting_bytes: usize,
    /// Entries that ever came in.
    received: u64,
    due: bool,
    dialect: Box<dyn Dialect>,
    packer: Packer,
    /// Entries sealed so far: the `seq` of the next batch, so that a gap shows at the collector.
    sealed: u64,
}

impl Former {
    pub(super) fn new(
        limits: BatchLimits,
        dialect: Box<dyn Dialect>,
        packer: Packer,
        around: Surroundings,
    ) -> Self {
        Self {
            limits,
            around,
            waiting: VecDeque::new(),
            waiting_entries: 0,
            waiting_bytes: 0,
            received: 0,
            due: false,
            dialect,
            packer,
            sealed: 0,
        }
    }

    pub(super) fn dialect(&self) -> &dyn Dialect {
        &*self.dialect
    }

    #[cfg(feature = "zstd")]
    pub(super) fn packer(&mut self) -> &mut Packer {
        &mut self.packer
    }

    pub(super) fn add(&mut self, chunk: Parcel) {
        self.waiting_entries += chunk.entries();
        self.waiting_bytes += chunk.bytes().len();
        self.received += chunk.entries() as u64;
        if !self.waiting.back_mut().is_some_and(|(last, _)| last.absorb(&chunk)) {
            self.waiting.push_back((chunk, 0));
        }
    }

    /// What waits now goes out also where it fills no batch.
    pub(super) fn seal_rest(&mut self) {
        self.due = self.waiting_entries > 0;
    }

    pub(super) fn has_work(&self) -> bool {
        self.limits.ready(self.waiting_entries, self.waiting_bytes, self.due)
    }

    /// How many entries ever came in, and how many of them wait no longer.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.received, self.received - self.waiting_entries as u64)
    }

    /// Forgets what waits; returns how many entries that were.
    pub(super) fn discard(&mut self) -> u64 {
        self.waiting.clear();
        self.waiting_bytes = 0;
        std::mem::take(&mut self.waiting_entries) as u64
    }

    /// The next full or due batch.
    pub(super) fn next_batch(&mut self) -> Option<SealedBatch> {
        while self.has_work() {
            let (_, first) = self.progress();
            self.fill();
            if self.dialect.entries() > 0 {
                return Some(self.seal(first, false));
            }
        }
        None
    }

    /// An empty batch that says that this process ends cleanly; none where nothing was ever sent.
    pub(super) fn goodbye(&mut self) -> Option<SealedBatch> {
        (self.sealed > 0 && self.dialect.says_goodbye()).then(|| self.seal(self.received, true))
    }

    /// An empty batch that says that this process is there; none where nothing was ever sent.
    pub(super) fn sign_of_life(&mut self) -> Option<SealedBatch> {
        (self.sealed > 0 && self.dialect.says_goodbye()).then(|| self.seal(self.received, false))
    }

    /// Moves records from the waiting chunks into the batch until it is full.
    fn fill(&mut self) {
        let mut unreadable = 0;
        while self.dialect.entries() < self.limits.entries && self.dialect.len() < self.limits.bytes {
            let Some((chunk, read)) = self.waiting.front_mut() else { break };
            match Record::read(chunk.bytes().get(*read..).unwrap_or_default()) {
                Ok((record, _)) => {
                    *read += record.bytes().len();
                    self.waiting_entries -= 1;
                    self.waiting_bytes -= record.bytes().len();
                    if self.around.takes(&record) {
                        unreadable += u64::from(self.dialect.push(&record).is_err());
                    }
                }
                Err(_) => {
                    // The chunk's end; anything else would be a fault of ours, and still no entry may go uncounted.
                    self.waiting.pop_front();
                }
            }
        }
        if self.waiting.is_empty() {
            unreadable += std::mem::take(&mut self.waiting_entries) as u64;
            self.waiting_bytes = 0;
            self.due = false;
        }
        if unreadable > 0 {
            self.around.ledger.drop_queued(unreadable, DropReason::SerializeError);
        }
    }

    fn seal(&mut self, first: u64, closing: bool) -> SealedBatch {
        let entries = self.dialect.entries() as u64;
        self.around.ledger.begin_send(entries);
        let plain = self.dialect.seal(Mark { seq: self.sealed, closing });
        let (bytes, encoding) = self.packer.pack(plain);
        self.around.ledger.encoded(plain.len(), bytes.len());
        self.dialect.clear();
        self.sealed += entries;
        SealedBatch { bytes: bytes.into(), encoding, entries, first, lone: None }
    }

    /// A compressed batch as it goes to a server that does not know its coding; `None` where it is plain.
    pub(super) fn repack(&mut self, batch: &SealedBatch) -> Option<SealedBatch> {
        self.packer.give_up(batch.encoding).then_some(())?;
        let (bytes, encoding) = self.packer.pack(&unpack(&batch.bytes, batch.encoding).ok()?);
        Some(SealedBatch { bytes: bytes.into(), encoding, ..batch.clone() })
    }

    /// A sealed batch in two, where it has two entries and its dialect can part them.
    pub(super) fn halves(&mut self, batch: &SealedBatch) -> Option<[SealedBatch; 2]> {
        let plain = (batch.entries > 1).then(|| unpack(&batch.bytes, batch.encoding).ok())??;
        let halves = self.dialect.halves(&plain)?;
        let mut seal = |plain: &[u8], entries| {
            let (bytes, encoding) = self.packer.pack(plain);
            SealedBatch { bytes: bytes.into(), encoding, entries, first: batch.first, lone: None }
        };
        let in_first = halves.entries_in_first;
        Some([seal(&halves.first, in_first), seal(&halves.second, batch.entries - in_first)])
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
