//! A batch of another protocol on its way to ours: each of its entries is written as the JSON of a native one, and from
//! there on all entries go the same way ([`super::entry`]).

use super::entry::{EntryLimits, Reader, Rejected};
use super::envelope::{Parsed, Unreadable};
use super::inflate::Refused;
use crate::budget::Grant;
use crate::json::quote;
use std::ops::Range;

/// Why a body was not translated.
#[derive(Debug)]
pub(super) enum Unread {
    Refused(Refused),
    Unreadable(Unreadable),
}

impl From<Refused> for Unread {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Unreadable> for Unread {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

/// What a batch may come to, and how much of it is there already.
pub(super) struct Room<'g> {
    pub(super) grant: &'g mut Grant,
    /// Bytes of what is translated, which stays in memory meanwhile.
    pub(super) body: usize,
    /// Bytes of all entries together.
    pub(super) most: usize,
}

/// Entries as native JSON, one after the other.
pub(super) struct Translated<'g> {
    text: String,
    entries: Vec<Entry>,
    refused: Vec<Rejected>,
    room: Room<'g>,
    limits: EntryLimits,
    count: usize,
}

struct Entry {
    index: usize,
    text: Range<usize>,
    /// Not quite what was sent.
    replaced: bool,
}

/// An entry is begun with this much room at least.
const STEP: usize = 64 * 1024;

impl<'g> Translated<'g> {
    pub(super) fn new(room: Room<'g>, limits: EntryLimits) -> Self {
        Self { text: String::new(), entries: Vec::new(), refused: Vec::new(), room, limits, count: 0 }
    }

    /// Writes the next entry's members by `write`, which says whether it had to replace something. `bytes` are what it
    /// has on the wire; one that has too many is refused unread.
    pub(super) fn entry(
        &mut self,
        bytes: usize,
        write: impl FnOnce(&mut Members<'_>) -> bool,
    ) -> Result<(), Refused> {
        let index = self.count;
        self.count += 1;
        if bytes > self.limits.bytes {
            let reason = format!("{bytes} bytes; an entry may have {}", self.limits.bytes);
            self.refused.push(Rejected { index, id: None, reason, class: "too_large" });
            return Ok(());
        }
        self.reserve(2 * bytes)?;
        let start = self.text.len();
        self.text.push('{');
        let replaced = write(&mut Members { text: &mut self.text, any: false });
        self.text.push('}');
        if self.text.len() > self.room.most {
            let most = self.room.most;
            return Err(Refused::TooLarge(format!("the entries come to more than {most} bytes of JSON")));
        }
        self.entries.push(Entry { index, text: start..self.text.len(), replaced });
        Ok(())
    }

    /// Refuses the next entry.
    pub(super) fn refuse(&mut self, reason: &str) {
        self.refused.push(Rejected {
            index: self.count,
            id: None,
            reason: reason.to_owned(),
            class: "no_entry",
        });
        self.count += 1;
    }

    /// Makes room before it is used. What one entry takes beyond is covered with the next.
    fn reserve(&mut self, bytes: usize) -> Result<(), Refused> {
        let bytes = bytes.max(STEP);
        let (len, capacity) = (self.text.len(), self.text.capacity());
        if capacity - len >= bytes {
            return Ok(());
        }
        // Twice the size, up to what all may have; the old and the new one are in memory together for a moment.
        let first = if capacity == 0 { self.room.body } else { capacity };
        let more = first.min(self.room.most.saturating_sub(capacity)).max(bytes);
        self.room.grant.cover_blocking(self.room.body + 2 * capacity + more)?;
        self.text.reserve_exact(capacity - len + more);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| self.text.get(entry.text.clone()).unwrap_or_default())
    }

    /// Reads them as what they are now. What they were translated from is no longer in memory.
    pub(super) fn read(self, now: i64, retention: i64) -> Result<Parsed, Refused> {
        self.room.grant.cover_blocking(self.text.capacity() + self.text.len())?;
        let mut reader = Reader::new(self.text.len(), self.entries.len(), self.limits, now, retention);
        for entry in &self.entries {
            let text = self.text.get(entry.text.clone()).unwrap_or_default();
            reader.entry(entry.index, text, entry.replaced);
        }
        let (batch, mut rejected) = reader.finish();
        rejected.extend(self.refused);
        rejected.sort_by_key(|rejected| rejected.index);
        Ok(Parsed { batch, rejected, count: self.count, batch_id: None })
    }
}

/// The members of an object that is being written.
pub(super) struct Members<'t> {
    text: &'t mut String,
    any: bool,
}

impl<'t> Members<'t> {
    /// Members without an object around them.
    pub(super) fn new(text: &'t mut String) -> Self {
        Self { text, any: false }
    }

    /// Begins a member; its value is written next, by whoever asked.
    pub(super) fn name(&mut self, name: &str) -> &mut String {
        self.comma();
        quote(name, self.text);
        self.text.push(':');
        self.text
    }

    /// A member whose name is JSON text already, without its quotes.
    pub(super) fn raw(&mut self, name: &str, value: &str) {
        self.comma();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
        self.text.push_str(value);
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        quote(text, self.name(name));
    }

    /// Members that are written already.
    pub(super) fn written(&mut self, members: &str) {
        if !members.is_empty() {
            self.comma();
            self.text.push_str(members);
        }
    }

    /// A member that is an object; none where it would have no members.
    pub(super) fn object<R>(&mut self, name: &str, write: impl FnOnce(&mut Members<'_>) -> R) -> R {
        let (before, any) = (self.text.len(), self.any);
        self.name(name).push('{');
        let mut members = Members { text: self.text, any: false };
        let result = write(&mut members);
        if members.any {
            self.text.push('}');
        } else {
            self.text.truncate(before);
            self.any = any;
        }
        result
    }

    fn comma(&mut self) {
        if self.any {
            self.text.push(',');
        }
        self.any = true;
    }
}
