//! Forming batches: chunks in, sealed bytes out.

use std::collections::VecDeque;

use hoplog_entry::{DropReason, EntryId, Record};

use crate::destination::{Parcel, Surroundings};
use crate::encode::{Gzip, NativeBatch, json};
use crate::transport::SealedBatch;

/// Below this a batch is not worth compressing.
const GZIP_FROM: usize = 1024;

/// When a batch is full.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchLimits {
    pub(crate) entries: usize,
    /// Of its JSON, uncompressed. One entry may exceed it.
    pub(crate) bytes: usize,
}

impl BatchLimits {
    /// Whether a batch should go out now. `due`: its second is over, or somebody waits for it.
    fn ready(&self, waiting_entries: usize, waiting_bytes: usize, due: bool) -> bool {
        waiting_entries > 0 && (due || waiting_entries >= self.entries || waiting_bytes >= self.bytes)
    }
}

/// Forms the batches of one collector. Its buffers are kept from batch to batch.
pub(super) struct Former {
    limits: BatchLimits,
    around: Surroundings,
    boot_id: EntryId,
    /// Chunks, and how far each has been read.
    waiting: VecDeque<(Parcel, usize)>,
    waiting_entries: usize,
    waiting_bytes: usize,
    /// Entries that ever came in.
    received: u64,
    due: bool,
    json: NativeBatch,
    gzip: Option<Gzip>,
    /// Entries sealed so far: the `seq` of the next batch, so that a gap shows at the collector.
    sealed: u64,
    reported_losses: [u64; DropReason::ALL.len()],
}

impl Former {
    pub(super) fn new(limits: BatchLimits, gzip: bool, boot_id: EntryId, around: Surroundings) -> Self {
        Self {
            limits,
            around,
            boot_id,
            waiting: VecDeque::new(),
            waiting_entries: 0,
            waiting_bytes: 0,
            received: 0,
            due: false,
            json: NativeBatch::new(),
            gzip: gzip.then(Gzip::new),
            sealed: 0,
            reported_losses: [0; DropReason::ALL.len()],
        }
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
            if self.json.entries() > 0 {
                return Some(self.seal(first, false));
            }
        }
        None
    }

    /// An empty batch that says that this process ends cleanly; none where nothing was ever sent.
    pub(super) fn goodbye(&mut self) -> Option<SealedBatch> {
        (self.sealed > 0).then(|| self.seal(self.received, true))
    }

    /// Moves records from the waiting chunks into the batch until it is full.
    fn fill(&mut self) {
        let mut unreadable = 0;
        while self.json.entries() < self.limits.entries && self.json.len() < self.limits.bytes {
            let Some((chunk, read)) = self.waiting.front_mut() else { break };
            match Record::read(chunk.bytes().get(*read..).unwrap_or_default()) {
                Ok((record, _)) => {
                    *read += record.bytes().len();
                    self.waiting_entries -= 1;
                    self.waiting_bytes -= record.bytes().len();
                    if self.around.takes(&record) {
                        unreadable += u64::from(self.json.push(&record).is_err());
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
        let entries = self.json.entries() as u64;
        self.around.ledger.begin_send(entries);
        let beside = Beside::new(self, closing);
        let plain = self.json.seal(|out| beside.write(out));
        let packed = match &mut self.gzip {
            Some(gzip) if plain.len() >= GZIP_FROM => gzip.compress(plain).ok(),
            _ => None,
        };
        let gzip = packed.is_some();
        let raw = plain.len();
        let bytes = packed.unwrap_or_else(|| plain.to_vec());
        self.around.ledger.encoded(raw, bytes.len());
        self.json.clear();
        self.sealed += entries;
        SealedBatch { bytes: bytes.into(), gzip, entries, first }
    }
}

/// What stands beside a batch's entries: who sends, which batch, how the counts are.
struct Beside {
    around: Surroundings,
    batch_id: EntryId,
    boot_id: EntryId,
    seq: u64,
    accepted: u64,
    delivered: u64,
    dropped: [u64; DropReason::ALL.len()],
    losses: [u64; DropReason::ALL.len()],
    closing: bool,
}

impl Beside {
    fn new(former: &mut Former, closing: bool) -> Self {
        let pipeline = &former.around.pipeline;
        let queue = pipeline.queue.counts();
        let stats = former.around.ledger.stats("collector", queue.accepted);
        let mut dropped = queue.dropped;
        for (reason, n) in stats.dropped.iter() {
            dropped[usize::from(reason.code())] += n;
        }
        let mut losses = dropped;
        for (now, before) in losses.iter_mut().zip(former.reported_losses) {
            *now -= before;
        }
        // Left out on purpose; the ledger has the count.
        losses[usize::from(DropReason::Sampled.code())] = 0;
        former.reported_losses = dropped;
        Self {
            around: former.around.clone(),
            batch_id: EntryId::generate(pipeline.clock.unix_ns(pipeline.clock.now()) / 1_000_000),
            boot_id: former.boot_id,
            seq: former.sealed,
            accepted: queue.accepted,
            delivered: stats.delivered,
            dropped,
            losses,
            closing,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"batch_id\":");
        json::quoted(out, &self.batch_id.to_ascii());
        out.extend_from_slice(b",\"boot_id\":");
        json::quoted(out, &self.boot_id.to_ascii());
        out.extend_from_slice(b",\"seq\":");
        json::uint(out, self.seq);
        // The source's members follow one another; the first needs no comma.
        let mut source = Vec::new();
        self.around.source.write_json(&mut source);
        out.extend_from_slice(b",\"source\":{");
        out.extend_from_slice(source.get(1..).unwrap_or_default());
        out.extend_from_slice(b"},\"ledger\":{\"accepted\":");
        json::uint(out, self.accepted);
        out.extend_from_slice(b",\"delivered\":");
        json::uint(out, self.delivered);
        out.extend_from_slice(b",\"dropped\":");
        by_reason(out, &self.dropped);
        out.push(b'}');
        if self.losses.iter().any(|&n| n > 0) {
            out.extend_from_slice(b",\"losses\":");
            by_reason(out, &self.losses);
        }
        if self.closing {
            out.extend_from_slice(b",\"closing\":true");
        }
    }
}

fn by_reason(out: &mut Vec<u8>, counts: &[u64]) {
    out.push(b'{');
    let mut first = true;
    for (reason, &n) in DropReason::ALL.iter().zip(counts).filter(|(_, n)| **n > 0) {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        json::quoted(out, reason.as_str().as_bytes());
        out.push(b':');
        json::uint(out, n);
    }
    out.push(b'}');
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
