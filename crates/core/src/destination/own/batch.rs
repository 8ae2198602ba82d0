//! What an own destination is given: entries, borrowed from the chunks that hold them.

use std::collections::VecDeque;

use hoplog_entry::{DropReason, Record};

use crate::count::Count;
use crate::destination::{Entry, Parcel, Source, Surroundings};
use crate::ledger::Home;
use crate::queue::MOST_ENTRIES;

/// The most entries per batch; a chunk has no more.
const ENTRIES: usize = MOST_ENTRIES;

/// Entries to deliver, oldest first within one thread.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    contents: &'a Contents,
    source: &'a Source,
}

impl<'a> Batch<'a> {
    pub(super) fn new(contents: &'a Contents, source: &'a Source) -> Self {
        Self { contents, source }
    }

    /// How many; never 0.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.contents.places.len()
    }

    /// The entries.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let (contents, source) = (self.contents, self.source);
        contents.places.iter().filter_map(move |&(parcel, start)| {
            let bytes = contents.parcels.get(parcel)?.bytes().get(start..)?;
            Record::read(bytes).ok().map(|(record, _)| Entry::new(record, source))
        })
    }

    /// All of them as JSON objects, one per line; see [`Entry::write_json`].
    #[must_use]
    pub fn json_lines(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for entry in self.entries() {
            entry.write_json(&mut out);
        }
        out
    }
}

/// A batch's chunks, and where in them its entries begin.
#[derive(Debug)]
pub(super) struct Contents {
    parcels: Vec<Parcel>,
    places: Vec<(usize, usize)>,
    /// Of the entries.
    count: Count,
    /// Entries in the chunks, also those that nobody is to see.
    pub(super) taken: u64,
}

impl Contents {
    /// The next batch of whole chunks out of those that wait. Entries that the filter leaves out, or that cannot be
    /// read, find their fate here; `None` where none is left over, and `taken` is in `settled` then.
    pub(super) fn gather(
        waiting: &mut VecDeque<Parcel>,
        settled: &mut u64,
        around: &Surroundings,
    ) -> Option<Self> {
        while !waiting.is_empty() {
            let mut new = Self { parcels: Vec::new(), places: Vec::new(), count: Count::default(), taken: 0 };
            while let Some(next) = waiting.front()
                && (new.parcels.is_empty() || new.places.len() + next.entries() <= ENTRIES)
            {
                new.parcels.extend(waiting.pop_front());
                new.read_last(around);
            }
            if !new.places.is_empty() {
                around.ledger.begin_send(Home::Memory, new.count);
                return Some(new);
            }
            *settled += new.taken;
        }
        None
    }

    fn read_last(&mut self, around: &Surroundings) {
        let Some(parcel) = self.parcels.last() else { return };
        let (at, mut rest, mut seen) = (self.parcels.len() - 1, parcel.bytes(), Count::default());
        while let Ok((record, after)) = Record::read(rest) {
            let entry = Count::one(record.bytes());
            if around.takes(&record, Home::Memory) {
                self.count += entry;
                self.places.push((at, parcel.bytes().len() - rest.len()));
            }
            seen += entry;
            rest = after;
        }
        self.taken += parcel.entries() as u64;
        let unreadable = parcel.count().saturating_sub(seen);
        if unreadable.entries > 0 {
            around.ledger.drop_waiting(Home::Memory, unreadable, DropReason::SerializeError);
        }
    }

    pub(super) fn count(&self) -> Count {
        self.count
    }
}
