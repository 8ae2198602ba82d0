//! Records on their way through a remote destination, and the frames that hold them on the disk meanwhile.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hoplog_entry::Record;
use hoplog_entry::spool::MAX_RECORDS;

use super::keeper::{Order, Orders};
use crate::count::Count;
use crate::destination::{Parcel, Source};
use crate::ledger::Home;
use crate::spool::Position;

/// Records that came together.
#[derive(Debug)]
pub(super) struct Load {
    records: Records,
    entries: usize,
    /// Where they are in the spool, in their order; of all of them, or none.
    frames: Vec<Arc<Frame>>,
    /// Which other process wrote them; `None`: this one, or nobody knows.
    source: Option<Arc<Source>>,
}

#[derive(Debug)]
enum Records {
    /// From the queue, which is paid for.
    Queued(Parcel),
    /// From the spool, or a part of a chunk.
    Read(Vec<u8>),
}

/// Records in the spool. When the last one has its fate the spool is told, and by nothing else: what is dropped with its
/// task is found by the next one.
#[derive(Debug)]
pub(super) struct Frame {
    position: Position,
    count: Count,
    left: AtomicUsize,
    orders: Orders,
}

impl Frame {
    pub(super) fn new(position: Position, count: Count, orders: Orders) -> Arc<Self> {
        Arc::new(Self { position, count, left: AtomicUsize::new(count.entries as usize), orders })
    }

    pub(super) fn position(&self) -> Position {
        self.position
    }

    pub(super) fn count(&self) -> Count {
        self.count
    }

    /// So many of its entries have their fate.
    fn settle(&self, entries: usize) {
        if entries > 0 && self.left.fetch_sub(entries, Ordering::Relaxed) == entries {
            let _ = self.orders.send(Order::Settle(self.position));
        }
    }

    pub(super) fn settle_all(&self) {
        self.settle(self.left.load(Ordering::Relaxed));
    }
}

impl Load {
    pub(super) fn queued(parcel: Parcel) -> Self {
        let entries = parcel.entries();
        Self { records: Records::Queued(parcel), entries, frames: Vec::new(), source: None }
    }

    pub(super) fn read(records: Vec<u8>, entries: usize, frame: Option<Arc<Frame>>) -> Self {
        let frames = frame.into_iter().collect();
        Self { records: Records::Read(records), entries, frames, source: None }
    }

    /// They were written by that process.
    pub(super) fn written_by(mut self, source: Option<Arc<Source>>) -> Self {
        self.source = source;
        self
    }

    pub(super) fn source(&self) -> Option<&Arc<Source>> {
        self.source.as_ref()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match &self.records {
            Records::Queued(parcel) => parcel.bytes(),
            Records::Read(bytes) => bytes,
        }
    }

    /// Bytes of memory that it takes, full or not.
    pub(super) fn memory(&self) -> usize {
        match &self.records {
            Records::Queued(parcel) => parcel.memory(),
            Records::Read(bytes) => bytes.len(),
        }
    }

    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    pub(super) fn count(&self) -> Count {
        Count::of(self.bytes(), self.entries)
    }

    pub(super) fn home(&self) -> Home {
        if self.frames.is_empty() { Home::Memory } else { Home::Spool }
    }

    pub(super) fn frames(&self) -> &[Arc<Frame>] {
        &self.frames
    }

    /// All of it is in the spool now.
    pub(super) fn framed(&mut self, frame: Arc<Frame>) {
        self.frames = vec![frame];
    }

    /// Takes another one in behind itself, where both have the same home and fit one chunk. The other is then to be let
    /// go of.
    pub(super) fn absorb(&mut self, other: &mut Self) -> bool {
        let (Records::Queued(own), Records::Queued(its)) = (&mut self.records, &other.records) else {
            return false;
        };
        if self.frames.is_empty() != other.frames.is_empty() || !own.absorb(its) {
            return false;
        }
        self.entries += other.entries;
        self.frames.append(&mut other.frames);
        true
    }

    /// The entries of this range have their fate.
    fn settle(&self, entries: &Range<usize>) {
        let mut at = 0;
        for frame in &self.frames {
            let end = at + frame.count.entries as usize;
            frame.settle(entries.end.min(end).saturating_sub(entries.start.max(at)));
            at = end;
        }
    }
}

/// The part of a load that went into one batch.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) load: Arc<Load>,
    pub(super) bytes: Range<usize>,
    pub(super) entries: Range<usize>,
    /// Entries, counted from the first of the part, that the batch does not have.
    pub(super) left_out: Vec<usize>,
}

impl Part {
    pub(super) fn records(&self) -> &[u8] {
        self.load.bytes().get(self.bytes.clone()).unwrap_or_default()
    }

    pub(super) fn settle(&self) {
        self.load.settle(&self.entries);
    }

    fn taken(&self) -> usize {
        self.entries.len() - self.left_out.len()
    }

    /// The records that the batch has, and how many they are.
    fn taken_records(&self) -> (Cow<'_, [u8]>, usize) {
        if self.left_out.is_empty() {
            return (self.records().into(), self.entries.len());
        }
        let (mut taken, mut rest) = (Vec::new(), self.records());
        for at in 0..self.entries.len() {
            let Ok((record, after)) = Record::read(rest) else { break };
            if !self.left_out.contains(&at) {
                taken.extend_from_slice(record.bytes());
            }
            rest = after;
        }
        (taken.into(), self.taken())
    }
}

/// The records that a batch has of these parts, and how many they are, by what one frame holds.
pub(super) fn frames_of(parts: &[Part]) -> Vec<(Vec<u8>, usize)> {
    let mut frames = Vec::<(Vec<u8>, usize)>::new();
    for (records, entries) in parts.iter().map(Part::taken_records).filter(|(_, entries)| *entries > 0) {
        match frames.last_mut() {
            Some((all, count)) if all.len() + records.len() <= MAX_RECORDS => {
                all.extend_from_slice(&records);
                *count += entries;
            }
            _ => frames.push((records.into_owned(), entries)),
        }
    }
    frames
}

/// The record of a batch's entry, by its number in there.
pub(super) fn record_of(parts: &[Part], mut number: usize) -> Option<&[u8]> {
    for part in parts {
        if number >= part.taken() {
            number -= part.taken();
            continue;
        }
        let mut rest = part.records();
        for at in 0..part.entries.len() {
            let (record, after) = Record::read(rest).ok()?;
            if !part.left_out.contains(&at) {
                if number == 0 {
                    return Some(record.bytes());
                }
                number -= 1;
            }
            rest = after;
        }
    }
    None
}
