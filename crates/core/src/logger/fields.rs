//! Fields as glue crates find them: one at a time, of any type, for one entry or for many.

use std::cell::Cell;
use std::error::Error as StdError;
use std::fmt::{self, Debug, Write};
use std::sync::{Arc, Weak};

use hoplog_entry::{EntryId, Field, Fragment, Kind, RecordWriter};
use serde::Serialize;

use super::{failure, keep, spare};
use crate::context::append_json;
use crate::encode;
use crate::error_chain::{error_sources, error_text, of_values};
use crate::pipeline::Pipeline;
use crate::redact::is_unasked;

/// The most fields of one [`SharedFields`].
const MAX_FIELDS: u32 = 64;
/// The most bytes of [`SharedFields`].
const MAX_SHARED: usize = 32 * 1024;
/// More bytes than any field keeps of what a value says of itself, so that the cut, and what is left of a secret at the
/// cut, is not in the entry.
const MAX_TEXT: usize = 96 * 1024;
/// A buffer that grew beyond this is not kept.
const LARGEST_KEPT: usize = 16 * 1024;
/// The most bytes of an error's type.
const MAX_TYPE: usize = 128;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Writes fields into an entry; each is judged as [`EntryBuilder::field`](super::EntryBuilder::field) says. A value
/// whose own code panics does no harm.
#[derive(Debug)]
pub struct FieldWriter<'a> {
    pipeline: &'a Pipeline,
    record: &'a mut RecordWriter,
    /// A value on its way.
    scratch: Vec<u8>,
    /// It is an entry of its own: it has a message, and an error.
    is_entry: bool,
    fields: u32,
    /// How many fields there may be, and how large the record may grow.
    most: (u32, usize),
    left_out: u64,
}

impl<'a> FieldWriter<'a> {
    /// Returns how many fields were written, and how many found no room.
    pub(super) fn of_entry(
        pipeline: &'a Pipeline,
        record: &'a mut RecordWriter,
        room: u32,
        write: impl FnOnce(&mut FieldWriter<'_>),
    ) -> (u32, u64) {
        Self::run(pipeline, record, true, (room, usize::MAX), write)
    }

    fn run(
        pipeline: &'a Pipeline,
        record: &'a mut RecordWriter,
        is_entry: bool,
        most: (u32, usize),
        write: impl FnOnce(&mut FieldWriter<'_>),
    ) -> (u32, u64) {
        // Taken out, not borrowed: the code of values may log.
        let scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
        let mut writer = FieldWriter { pipeline, record, scratch, is_entry, fields: 0, most, left_out: 0 };
        write(&mut writer);
        let FieldWriter { scratch, fields, left_out, .. } = writer;
        if scratch.capacity() <= LARGEST_KEPT {
            let _ = SCRATCH.try_with(|kept| kept.set(scratch));
        }
        (fields, left_out)
    }

    /// A value that serializes: numbers, yes or no, lists.
    pub fn value(&mut self, name: &str, value: impl Serialize) {
        self.put(name, |out| append_json(out, value));
    }

    /// A text; of one that no entry has room for, the size is told.
    pub fn text(&mut self, name: &str, text: &str) {
        if text.len() > MAX_TEXT {
            let note = format!("[left out: {} bytes]", text.len());
            return self.put(name, |out| encode::json::string(out, &note));
        }
        self.put(name, |out| encode::json::string(out, text));
    }

    /// What a value says of itself by `Debug`.
    pub fn debug(&mut self, name: &str, value: &dyn Debug) {
        self.put(name, |out| {
            out.push(b'"');
            said(out, value, encode::json::escaped);
            out.push(b'"');
        });
    }

    /// Bytes: as a text, where they are one. What cannot be read cannot be judged: of that the size is told.
    pub fn bytes(&mut self, name: &str, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.text(name, text),
            Err(_) => self.text(name, &format!("[{} bytes]", bytes.len())),
        }
    }

    /// An error as a text, its sources a line each.
    pub fn error_text(&mut self, name: &str, error: &(dyn StdError + 'static)) {
        let message = error_text(error);
        match error_sources(of_values(|| error.source()).flatten()) {
            Some(sources) => self.text(name, &format!("{message}\n{sources}")),
            None => self.text(name, &message),
        }
    }

    /// The error behind the entry: its type as far as it says so, what it says, its sources. In [`SharedFields`] a
    /// field like others.
    pub fn error(&mut self, name: &str, error: &(dyn StdError + 'static)) {
        if !self.is_entry {
            return self.error_text(name, error);
        }
        let sources = error_sources(of_values(|| error.source()).flatten());
        let (pipeline, of) = (self.pipeline, self.type_of(error));
        failure(pipeline, self.record, &pipeline.redactor.text(&of), &error_text(error), sources);
    }

    /// What the entry says. In [`SharedFields`] nothing is.
    pub fn message(&mut self, message: &dyn Debug) {
        if self.is_entry {
            self.scratch.clear();
            said(&mut self.scratch, message, |out, text| out.extend_from_slice(text.as_bytes()));
            let text = std::str::from_utf8(&self.scratch).unwrap_or_default();
            self.record.text(Field::Message, &self.pipeline.redactor.text(text));
        }
    }

    /// An error behind `dyn` does not say its type, but derived `Debug` begins with it.
    fn type_of(&mut self, error: &(dyn StdError + 'static)) -> String {
        if error.is::<std::io::Error>() {
            return "std::io::Error".into();
        }
        self.scratch.clear();
        said(&mut self.scratch, &error, |out, text| out.extend_from_slice(text.as_bytes()));
        let is_name = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
        let name: Vec<u8> = self.scratch.iter().take(MAX_TYPE).take_while(is_name).copied().collect();
        let ends = matches!(self.scratch.get(name.len()), None | Some(b' ' | b'(' | b'{'));
        let name = String::from_utf8(name).ok().filter(|name| ends && name.starts_with(char::is_uppercase));
        name.unwrap_or_else(|| "Error".into())
    }

    fn put(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        if self.fields == self.most.0 {
            self.left_out += 1;
            return;
        }
        self.scratch.clear();
        write(&mut self.scratch);
        let redactor = &self.pipeline.redactor;
        // JSON is UTF-8 as it is written.
        let json = std::str::from_utf8(&self.scratch).unwrap_or("null");
        if let Some(json) = redactor.field(name, json) {
            let name = redactor.text(name);
            if self.record.len() + name.len() + json.len() > self.most.1 {
                self.left_out += 1;
                return;
            }
            self.fields += 1;
            self.record.custom_json(&name, &json);
        }
    }
}

/// Has a value speak; what it says beyond the most is left out, and a panic ends it.
fn said(out: &mut Vec<u8>, value: &dyn Debug, put: fn(&mut Vec<u8>, &str)) {
    let start = out.len();
    let mut said = Said { out, room: MAX_TEXT, put };
    if of_values(|| write!(said, "{value:?}")).is_none() {
        out.truncate(start);
        out.extend_from_slice(b"[its text cannot be told: it panicked]");
    }
}

struct Said<'a> {
    out: &'a mut Vec<u8>,
    room: usize,
    put: fn(&mut Vec<u8>, &str),
}

impl Write for Said<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.room {
            self.room -= text.len();
            (self.put)(self.out, text);
            return Ok(());
        }
        let cut = (0..=self.room).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
        self.room = 0;
        (self.put)(self.out, &text[..cut]);
        Err(fmt::Error)
    }
}

/// Fields that many entries share: judged once, copied as bytes into each. At most 64 of them and 32 KiB.
#[derive(Debug, Clone, Default)]
pub struct SharedFields {
    fragment: Fragment,
    left_out: u64,
    /// A redaction hook that would have been asked was not.
    is_unasked: bool,
    /// Whose rules they were judged by. Weak, so that the address is nobody else's while this lives.
    pipeline: Weak<Pipeline>,
}

impl SharedFields {
    pub(crate) fn new(pipeline: &Arc<Pipeline>, write: impl FnOnce(&mut FieldWriter<'_>)) -> Self {
        let mut record = spare();
        record.begin(Kind::Event, EntryId::from_bytes([0; 16]), 0);
        let (_, left_out) = FieldWriter::run(pipeline, &mut record, false, (MAX_FIELDS, MAX_SHARED), write);
        let fragment = record.fragment();
        keep(record);
        Self { fragment, left_out, is_unasked: is_unasked(), pipeline: Arc::downgrade(pipeline) }
    }

    /// Fields said later, in the place of those of the same name.
    pub fn overlay(&mut self, later: &Self) {
        if !self.is_empty() && !Weak::ptr_eq(&self.pipeline, &later.pipeline) {
            // Judged by the rules of a client that another one has replaced.
            let left_out = self.left_out + self.fragment.fields() as u64;
            *self = later.clone();
            self.left_out += left_out;
            return;
        }
        let both = self.fragment.overlaid(&later.fragment);
        self.left_out += later.left_out;
        if both.fields() > MAX_FIELDS as usize || both.len() > MAX_SHARED {
            self.left_out += later.fragment.fields() as u64;
            return;
        }
        self.fragment = both;
        self.pipeline = Weak::clone(&later.pipeline);
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fragment.is_empty() && self.left_out == 0
    }

    /// Whether others would be judged like this at another time; not so of fields that a redaction hook itself writes.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        !self.is_unasked
    }

    /// Returns how many fields were left out: all of them for a client by whose rules they were not judged.
    pub(super) fn append_to(&self, pipeline: &Arc<Pipeline>, record: &mut RecordWriter) -> u64 {
        if self.pipeline.as_ptr() != Arc::as_ptr(pipeline) {
            return self.left_out + self.fragment.fields() as u64;
        }
        record.append_fragment(&self.fragment);
        self.left_out
    }
}
