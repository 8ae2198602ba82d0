//! What holds for every entry of a scope or a request: who it is for, and fields of the application's own.

use std::panic::RefUnwindSafe;
use std::sync::{Arc, OnceLock, Weak};

use hoplog_entry::{EntryId, Field, Kind, RecordWriter};

use crate::pipeline::Pipeline;
use crate::redact::is_unasked;

/// The most fields that are kept.
const MAX_FIELDS: usize = 64;
/// The most bytes of their names and values.
const MAX_BYTES: usize = 32 * 1024;
/// The most bytes of an id; an entry keeps fewer.
const MAX_ID: usize = 1024;

const IDS: [Field; 3] = [Field::UserId, Field::SessionId, Field::TenantId];

/// Ids and fields as they were said; they are masked when they are written.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    ids: [Option<Box<str>>; IDS.len()],
    /// Name and JSON, each name once.
    fields: Vec<(Box<str>, Box<str>)>,
    /// Of the fields.
    bytes: usize,
    /// Fields that found no room.
    left_out: u64,
    written: OnceLock<Written>,
}

/// The notes as one client's rules leave them: written once, copied into every entry.
#[derive(Debug)]
struct Written {
    /// Weak, so that the address is nobody else's while this lives.
    pipeline: Weak<Pipeline>,
    record: RecordWriter,
}

// What is kept beside the client is whole or not there at all.
impl RefUnwindSafe for Notes {}

impl Clone for Notes {
    fn clone(&self) -> Self {
        let (ids, fields) = (self.ids.clone(), self.fields.clone());
        Self { ids, fields, bytes: self.bytes, left_out: self.left_out, written: OnceLock::new() }
    }
}

/// The longest start of an id that is kept.
fn cut(id: &str) -> &str {
    let end = (0..=MAX_ID.min(id.len())).rev().find(|end| id.is_char_boundary(*end));
    &id[..end.unwrap_or(0)]
}

impl Notes {
    /// Sets or clears who or what it is for: `UserId`, `SessionId` or `TenantId`.
    pub(crate) fn set_id(&mut self, field: Field, id: Option<&str>) {
        self.written = OnceLock::new();
        if let Some(at) = IDS.iter().position(|known| *known == field) {
            self.ids[at] = id.map(|id| cut(id).into());
        }
    }

    /// Sets a field, in the place of one of the same name. What finds no room is counted.
    pub(crate) fn set_field(&mut self, name: &str, json: &str) {
        self.remove_field(name);
        if self.fields.len() == MAX_FIELDS || self.bytes + name.len() + json.len() > MAX_BYTES {
            self.left_out += 1;
            return;
        }
        self.bytes += name.len() + json.len();
        self.fields.push((name.into(), json.into()));
    }

    pub(crate) fn remove_field(&mut self, name: &str) {
        self.written = OnceLock::new();
        if let Some(at) = self.fields.iter().position(|(known, _)| **known == *name) {
            let (name, json) = self.fields.remove(at);
            self.bytes -= name.len() + json.len();
        }
    }

    /// What `inner` says besides, or instead.
    pub(super) fn overlay(&mut self, inner: &Self) {
        for (field, id) in IDS.iter().zip(&inner.ids) {
            if let Some(id) = id {
                self.set_id(*field, Some(id));
            }
        }
        inner.fields.iter().for_each(|(name, json)| self.set_field(name, json));
        self.left_out += inner.left_out;
    }

    /// Writes it all as the client's rules have it.
    pub(crate) fn write(&self, record: &mut RecordWriter, pipeline: &Arc<Pipeline>) {
        // What a hook was not asked about is not kept for those who come when it is.
        if self.written.get().is_none() && !is_unasked() {
            // Not within `get_or_init`: a hook of the application's may come by here again.
            let mut written = RecordWriter::default();
            written.begin(Kind::Event, EntryId::from_bytes([0; 16]), 0);
            self.write_out(&mut written, pipeline);
            let _ = self.written.set(Written { pipeline: Arc::downgrade(pipeline), record: written });
        }
        match self.written.get() {
            Some(written) if written.pipeline.as_ptr() == Arc::as_ptr(pipeline) => {
                record.append(&written.record);
            }
            _ => self.write_out(record, pipeline),
        }
    }

    fn write_out(&self, record: &mut RecordWriter, pipeline: &Pipeline) {
        for (field, id) in IDS.iter().zip(&self.ids) {
            if let Some(id) = id {
                record.text(*field, &pipeline.redactor.text(id));
            }
        }
        for (name, json) in &self.fields {
            if let Some(json) = pipeline.redactor.field(name, json) {
                record.custom_json(&pipeline.redactor.text(name), &json);
            }
        }
        if self.left_out > 0 {
            record.custom_json("fields_left_out", &self.left_out.to_string());
        }
    }
}
