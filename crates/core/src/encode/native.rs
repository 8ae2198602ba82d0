//! The native JSON of `POST /logs`: one object per entry, and what stands beside them in a batch.

mod fragments;
mod members;
mod part;

use hoplog_entry::{Malformed, Record};

use super::entry::Entry;
use super::{contained, json, write_source};
use crate::destination::Source;
use crate::failpoint;
pub(crate) use part::part;

/// A batch under way: entries are appended one by one, what stands beside them comes at the end.
#[derive(Debug)]
pub(crate) struct NativeBatch {
    json: Vec<u8>,
    entries: usize,
}

const OPENING: &[u8] = b"{\"logs\":[";

impl NativeBatch {
    pub(crate) fn new() -> Self {
        Self { json: OPENING.to_vec(), entries: 0 }
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    pub(crate) fn len(&self) -> usize {
        self.json.len()
    }

    /// Appends an entry. A record that cannot be read leaves no trace in the batch.
    pub(crate) fn push(&mut self, record: &Record<'_>) -> Result<(), Malformed> {
        let start = self.json.len();
        if self.entries > 0 {
            self.json.push(b',');
        }
        self.json.push(b'{');
        match contained(|| entry(&mut self.json, record)) {
            Ok(()) => {
                self.json.push(b'}');
                self.entries += 1;
                Ok(())
            }
            Err(error) => {
                self.json.truncate(start);
                Err(error)
            }
        }
    }

    /// Closes the array and lets `beside` add `,"key":value` pairs; the buffer is then whole, and a new batch may be
    /// begun with [`NativeBatch::clear`].
    pub(crate) fn seal(&mut self, beside: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        self.json.push(b']');
        beside(&mut self.json);
        self.json.push(b'}');
        &self.json
    }

    /// Starts over in the same memory.
    pub(crate) fn clear(&mut self) {
        self.json.clear();
        self.json.extend_from_slice(OPENING);
        self.entries = 0;
    }
}

/// One entry as a JSON object of its own, the sender's constant fields included: a line in a file.
pub(crate) fn entry_line(out: &mut Vec<u8>, record: &Record<'_>, source: &Source) -> Result<(), Malformed> {
    let start = out.len();
    out.push(b'{');
    match entry(out, record) {
        Ok(()) => {
            write_source(out, source);
            out.extend_from_slice(b"}\n");
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

fn entry(out: &mut Vec<u8>, record: &Record<'_>) -> Result<(), Malformed> {
    failpoint::encode(record);
    let start = out.len();
    if !members::in_order(out, record)? {
        out.truncate(start);
        members::gathered(out, &Entry::read(record)?);
    }
    Ok(())
}

#[cfg(test)]
#[path = "native_tests.rs"]
mod tests;
