//! `POST /logs` of hoplog's own collector: entries, and beside them who sends, which batch, how the counts are.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use hoplog_entry::{DropReason, EntryId, Malformed, Record};

use super::{Dialect, Mark};
use crate::destination::{Source, Surroundings};
use crate::encode::{NativeBatch, json, native_part, truncate_json, write_source};
use crate::transport::{Answer, Verdict};

pub(super) struct Native {
    batch: NativeBatch,
    boot_id: EntryId,
    around: Surroundings,
    /// Which other process wrote the batch's entries.
    other: Option<Arc<Source>>,
    reported_losses: [u64; DropReason::ALL.len()],
}

impl Native {
    pub(super) fn new(boot_id: EntryId, around: Surroundings) -> Self {
        let reported_losses = [0; DropReason::ALL.len()];
        Self { batch: NativeBatch::new(), boot_id, around, other: None, reported_losses }
    }
}

impl Native {
    fn batch_id(&self) -> EntryId {
        let clock = &self.around.pipeline.clock;
        EntryId::generate(clock.unix_ns(clock.now()) / 1_000_000)
    }
}

impl Dialect for Native {
    fn begin(&mut self, source: Option<&Arc<Source>>) {
        self.other = source.cloned();
    }

    fn push(&mut self, record: &Record<'_>) -> Result<(), Malformed> {
        self.batch.push(record)
    }

    fn entries(&self) -> usize {
        self.batch.entries()
    }

    fn len(&self) -> usize {
        self.batch.len()
    }

    fn seal(&mut self, mark: Mark) -> &[u8] {
        let batch_id = self.batch_id();
        if let Some(other) = &self.other {
            // What this process has counted, and its place in what it sent, say nothing of another one's entries.
            return self.batch.seal(|out| {
                write_id(out, batch_id);
                // But where it had sealed them before, they fill that place.
                if let Some(place) = &other.place {
                    write_place(place.boot, mark.seq, out);
                    if place.closed {
                        write_closing(out);
                    }
                }
                write_sender(out, other);
            });
        }
        let beside = Beside::new(self, mark);
        let source = &self.around.source;
        self.batch.seal(|out| {
            write_id(out, batch_id);
            beside.write(source, out);
        })
    }

    fn clear(&mut self) {
        self.batch.clear();
    }

    fn verdict(&self, answer: &Answer, entries: u64, now: SystemTime) -> Verdict {
        Verdict::of_native(answer, entries, now)
    }

    fn says_goodbye(&self) -> bool {
        true
    }

    fn part(&self, plain: &[u8], entries: Range<u64>, tell_losses: bool) -> Option<Vec<u8>> {
        native_part(plain, entries, tell_losses)
    }

    fn truncated(&self, plain: &[u8]) -> Option<Vec<u8>> {
        truncate_json(plain)
    }
}

/// What stands beside a batch's entries.
struct Beside {
    boot_id: EntryId,
    mark: Mark,
    accepted: u64,
    delivered: u64,
    dropped: [u64; DropReason::ALL.len()],
    losses: [u64; DropReason::ALL.len()],
}

impl Beside {
    fn new(native: &mut Native, mark: Mark) -> Self {
        let pipeline = &native.around.pipeline;
        let counts = native.around.ledger.counts();
        let queue = pipeline.queue.counts();
        let stats = counts.stats("collector", queue.taken_in());
        let mut dropped = queue.dropped;
        for (reason, n) in stats.dropped.iter() {
            dropped[usize::from(reason.code())] += n;
        }
        let mut losses = dropped;
        for (now, before) in losses.iter_mut().zip(native.reported_losses) {
            *now -= before;
        }
        // Left out on purpose; the ledger has the count.
        losses[usize::from(DropReason::Sampled.code())] = 0;
        native.reported_losses = dropped;
        Self {
            boot_id: native.boot_id,
            mark,
            accepted: queue.accepted,
            delivered: counts.delivered_own(),
            dropped,
            losses,
        }
    }

    fn write(&self, source: &Source, out: &mut Vec<u8>) {
        write_place(self.boot_id, self.mark.seq, out);
        write_sender(out, source);
        out.extend_from_slice(b",\"ledger\":{\"accepted\":");
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
        if self.mark.closing {
            write_closing(out);
        }
    }
}

fn write_closing(out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"closing\":true");
}

fn write_id(out: &mut Vec<u8>, batch_id: EntryId) {
    out.extend_from_slice(b",\"batch_id\":");
    json::quoted(out, &batch_id.to_ascii());
}

fn write_place(boot_id: EntryId, seq: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"boot_id\":");
    json::quoted(out, &boot_id.to_ascii());
    out.extend_from_slice(b",\"seq\":");
    json::uint(out, seq);
}

fn write_sender(out: &mut Vec<u8>, source: &Source) {
    // Members follow one another; the first needs no comma.
    let mut members = Vec::new();
    write_source(&mut members, source);
    out.extend_from_slice(b",\"source\":{");
    out.extend_from_slice(members.get(1..).unwrap_or_default());
    out.push(b'}');
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
