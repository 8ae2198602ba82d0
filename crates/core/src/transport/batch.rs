//! A batch as it travels.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;

use super::Search;
use crate::count::Count;

/// How a batch's bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
    #[cfg(feature = "zstd")]
    Zstd,
}

impl Encoding {
    /// What `Content-Encoding` says.
    pub(super) fn header(self) -> Option<HeaderValue> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
            #[cfg(feature = "zstd")]
            Self::Zstd => Some(HeaderValue::from_static("zstd")),
        }
    }
}

/// A batch whose bytes do not change any more, however often it is sent.
#[derive(Debug, Clone)]
pub(crate) struct SealedBatch {
    /// Shared, so that a retry copies nothing.
    pub(crate) bytes: bytes::Bytes,
    pub(crate) encoding: Encoding,
    pub(crate) entries: u64,
    /// Of all records of the batch that it is, or is a part of, as they were accepted.
    pub(crate) sizes: Arc<[u32]>,
    /// Which batch of its destination it is, or is a part of.
    pub(crate) number: u64,
    /// How many entries of that batch come before its own.
    pub(crate) offset: u64,
    /// Its entries are another process's.
    pub(crate) foreign: bool,
    /// It is a part of what was refused by a server that may itself be at fault. Such parts go out one at a time: whether
    /// others are taken after an entry was refused says who is.
    pub(crate) unsure: bool,
    /// Of an entry that was refused all by itself.
    pub(crate) lone: Option<Lone>,
    /// It was refused for an entry: its bytes hold all that was refused, its entries are those of the part that goes out.
    pub(crate) search: Option<Search>,
    /// Its texts were cut short: it is as small as it gets.
    pub(crate) truncated: bool,
}

impl SealedBatch {
    /// How many entries of the batch that it is a part of come before those that its bytes hold.
    pub(crate) fn begin(&self) -> u64 {
        self.offset - self.search.map_or(0, |search| search.from)
    }

    /// The one of its entries that has this place in what its bytes hold.
    pub(crate) fn one(&self, entry: u64) -> Self {
        Self { offset: self.begin() + entry, entries: 1, search: None, ..self.clone() }
    }

    /// Itself, with this part going out next.
    pub(crate) fn searched(self, search: Search) -> Self {
        let (offset, entries) = (self.begin() + search.from, search.to - search.from);
        Self { offset, entries, search: Some(search), ..self }
    }

    /// Its entries, whatever has been cut of them.
    pub(crate) fn count(&self) -> Count {
        let from = (self.offset as usize).min(self.sizes.len());
        let to = from.saturating_add(self.entries as usize).min(self.sizes.len());
        Count::of_sizes(&self.sizes[from..to])
    }
}

/// How it goes for an entry on its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lone {
    failures: u32,
    since: Instant,
    /// Batches that its server had taken when it first was refused.
    successes: u64,
}

impl Lone {
    /// Failures with nothing delivered meanwhile, and the time they take at least, after which an entry that keeps
    /// others from their turn is at fault all the same.
    const PATIENCE: (u32, Duration) = (20, Duration::from_secs(15 * 60));

    /// Refused for the first time, when its server had taken so many batches.
    pub(crate) fn new(now: Instant, successes: u64) -> Self {
        Self { failures: 0, since: now, successes }
    }

    /// Whether one more refusal is the entry's own fault: something else was taken since the first, or it stands in
    /// the way of others and patience is at an end.
    pub(crate) fn is_at_fault(&mut self, now: Instant, successes: u64, in_the_way: bool) -> bool {
        self.failures += 1;
        let (failures, time) = Self::PATIENCE;
        let at_an_end = self.failures >= failures && now.saturating_duration_since(self.since) >= time;
        successes > self.successes || in_the_way && at_an_end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_blamed_where_others_are_taken_or_where_it_has_kept_them_waiting_for_long() {
        let start = Instant::now();
        let after = |lone: &mut Lone, times: u32, minutes: u64, in_the_way: bool| {
            (0..times).any(|_| lone.is_at_fault(start + Duration::from_secs(60 * minutes), 7, in_the_way))
        };
        assert!(!after(&mut Lone::new(start, 7), 100, 60, false), "nobody waits for its place");
        assert!(!after(&mut Lone::new(start, 7), 100, 14, true), "flushes hurry attempts, not patience");
        assert!(!after(&mut Lone::new(start, 7), 19, 60, true));
        assert!(after(&mut Lone::new(start, 7), 20, 15, true));
        assert!(after(&mut Lone::new(start, 6), 1, 0, false), "another was taken");
    }
}
