//! The JSON of an existing log-collector server: its columns within their limits, everything else under `metadata`.
//!
//! The server takes a batch in one transaction, so an entry that its schema refuses fails all the others. What does
//! not fit a column goes under `metadata` whole, and into the column as far as it fits. NUL exists in no text of
//! PostgreSQL and is left out everywhere. Entries stand one per line, by which a batch can be parted.

use std::borrow::Cow;
use std::ops::Range;

use hoplog_entry::{Field, Malformed, Record, Value};

use super::entry::Entry;
use super::{contained, json};
use crate::destination::Source;

const OPENING: &[u8] = b"{\"logs\":[\n";
const BETWEEN: &[u8] = b",\n";
const CLOSING: &[u8] = b"\n]}";

/// The words of its enums; another one would be refused.
const ENVIRONMENTS: [&str; 5] = ["production", "staging", "development", "test", "local"];
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

/// The most that `numeric(10,3)` holds, as milliseconds in nanoseconds.
const LONGEST: u64 = 9_999_999_999_000;

/// The text columns with a limit, which PostgreSQL counts in characters.
const COLUMNS: [(Field, usize); 8] = [
    (Field::UserId, 255),
    (Field::SessionId, 100),
    (Field::ErrorType, 200),
    (Field::StackTrace, usize::MAX),
    (Field::Path, 500),
    (Field::ActionType, 50),
    (Field::FunctionName, 300),
    (Field::FilePath, 1_000),
];

/// A batch under way.
#[derive(Debug)]
pub(crate) struct LogCollectorBatch {
    json: Vec<u8>,
    metadata: Vec<u8>,
    entries: usize,
    /// What all entries of one process have in common: members of the entry, and of its metadata.
    source: Vec<u8>,
    source_metadata: Vec<u8>,
}

impl LogCollectorBatch {
    pub(crate) fn new(source: &Source) -> Self {
        let mut batch = Self {
            json: OPENING.to_vec(),
            metadata: Vec::new(),
            entries: 0,
            source: Vec::new(),
            source_metadata: Vec::new(),
        };
        batch.written_by(source);
        batch
    }

    /// The entries that come were written by that process.
    pub(crate) fn written_by(&mut self, source: &Source) {
        let (entry, metadata) = (&mut self.source, &mut self.source_metadata);
        entry.clear();
        metadata.clear();
        column(entry, metadata, "service", &source.service, 100);
        column(entry, metadata, "service_version", &source.service_version, 50);
        if ENVIRONMENTS.contains(&source.environment.as_str()) {
            member(entry, "environment", &source.environment);
        } else {
            member(metadata, "environment", &source.environment);
        }
        if let Some(log_type) = &source.log_type {
            member(entry, "log_type", log_type);
        }
        member(metadata, "host", &source.host);
        json::key(metadata, "pid");
        json::uint(metadata, source.pid.into());
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
        let written = contained(|| {
            let entry = Entry::read(record)?;
            if self.entries > 0 {
                self.json.extend_from_slice(BETWEEN);
            }
            self.metadata.clear();
            self.write(&entry);
            Ok(())
        });
        match written {
            Ok(()) => self.entries += 1,
            Err(_) => self.json.truncate(start),
        }
        written
    }

    pub(crate) fn seal(&mut self) -> &[u8] {
        self.json.extend_from_slice(CLOSING);
        &self.json
    }

    /// Starts over in the same memory.
    pub(crate) fn clear(&mut self) {
        self.json.clear();
        self.json.extend_from_slice(OPENING);
        self.entries = 0;
    }

    fn write(&mut self, entry: &Entry<'_>) {
        let Self { json: out, metadata, source, source_metadata, .. } = self;
        let record = &entry.record;
        out.extend_from_slice(b"{\"level\":");
        json::quoted(out, record.level().as_str().as_bytes());
        out.extend_from_slice(b",\"created_at\":");
        json::seconds(out, record.created_unix_ns());
        out.extend_from_slice(source);
        if let Some(message) = entry.message() {
            member(out, "message", &message);
        }
        for (field, limit) in COLUMNS {
            if let Some(text) = entry.text(field) {
                column(out, metadata, field.name(), text, limit);
            }
        }
        if let Some(method) = entry.text(Field::Method) {
            member(if METHODS.contains(&method) { out } else { metadata }, "method", method);
        }
        if let Some(Value::TraceId(id)) = entry.get(Field::TraceId) {
            // 32 digits without hyphens, as the column wants it.
            json::key(out, "trace_id");
            json::quoted(out, &id.to_ascii());
        }
        if let Some(Value::Nanos(ns)) = entry.get(Field::Duration) {
            json::key(out, "duration_ms");
            // To the microsecond: rounding up could leave the column's range.
            json::millis(out, ns.min(LONGEST) / 1_000 * 1_000);
            if ns > LONGEST {
                json::key(metadata, "duration_ms");
                json::millis(metadata, ns);
            }
        }
        write_metadata(metadata, entry);
        metadata.extend_from_slice(source_metadata);
        out.extend_from_slice(b",\"metadata\":{");
        // Members follow one another; the first needs no comma.
        out.extend_from_slice(metadata.get(1..).unwrap_or_default());
        out.extend_from_slice(b"}}");
    }
}

/// Some entries of a sealed batch as a batch of their own; `None` where it does not have them.
pub(crate) fn part(sealed: &[u8], entries: Range<u64>) -> Option<Vec<u8>> {
    let inner = sealed.strip_prefix(OPENING)?.strip_suffix(CLOSING)?;
    let (from, to) = (usize::try_from(entries.start).ok()?, usize::try_from(entries.end).ok()?);
    // A text has no line feed but an escaped one.
    let lines: Vec<&[u8]> = inner.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let lines = lines.get(from..to).filter(|lines| !lines.is_empty())?.join(&b'\n');
    Some([OPENING, lines.strip_suffix(b",").unwrap_or(&lines), CLOSING].concat())
}

/// What the server has no column for, under the names of the native protocol.
fn write_metadata(out: &mut Vec<u8>, entry: &Entry<'_>) {
    json::key(out, "id");
    json::quoted(out, &entry.record.id().to_ascii());
    json::key(out, "kind");
    json::quoted(out, entry.record.kind().as_str().as_bytes());
    if let Some(outcome) = entry.record.outcome() {
        json::key(out, "outcome");
        json::quoted(out, outcome.as_str().as_bytes());
    }
    for (field, value) in entry.fields() {
        if is_column(field) {
            continue;
        }
        json::key(out, field.name());
        match value {
            Value::Text(text) => json::string(out, &without_nul(text)),
            value => json::value(out, value),
        }
    }
    headers(out, "request_headers", entry.request_headers());
    headers(out, "response_headers", entry.response_headers());
    for (name, value) in entry.custom() {
        let name = without_nul(name);
        out.extend_from_slice(b",");
        // A field of the application's own does not take the place of one of ours.
        json::string(out, &if is_ours(&name) { Cow::Owned(format!("field.{name}")) } else { name });
        out.push(b':');
        match value {
            Value::Text(text) => json::string(out, &without_nul(text)),
            Value::Json(text) => jsonb(out, text),
            value => json::value(out, value),
        }
    }
}

/// Whether a member of metadata may have that name, or one that gave way to it.
fn is_ours(name: &str) -> bool {
    RESERVED.contains(&name)
        || Field::ALL.iter().any(|field| field.name() == name)
        || name.strip_prefix("field.").is_some_and(is_ours)
}

/// Members of metadata that are no fields.
const RESERVED: [&str; 8] =
    ["id", "kind", "outcome", "host", "pid", "service", "service_version", "environment"];

fn is_column(field: Field) -> bool {
    let other = [Field::Message, Field::Method, Field::TraceId, Field::Duration];
    other.contains(&field) || COLUMNS.iter().any(|(column, _)| *column == field)
}

/// `,"name":"…"`
fn member(out: &mut Vec<u8>, name: &str, text: &str) {
    json::key(out, name);
    json::string(out, &without_nul(text));
}

/// A text of at most `limit` characters; a longer one is whole under metadata.
fn column(out: &mut Vec<u8>, metadata: &mut Vec<u8>, name: &str, text: &str, limit: usize) {
    let text = without_nul(text);
    match text.char_indices().nth(limit) {
        None => member(out, name, &text),
        Some((end, _)) => {
            member(out, name, &text[..end]);
            member(metadata, name, &text);
        }
    }
}

/// `,"name":{"header":["value",…]}`; nothing where there are none.
fn headers<'a>(out: &mut Vec<u8>, name: &str, pairs: impl Iterator<Item = (&'a str, &'a [u8])>) {
    let mut last = None;
    for (header, value) in pairs {
        if last.is_none() {
            json::key(out, name);
        }
        if last == Some(header) {
            out.push(b',');
        } else {
            out.extend_from_slice(if last.is_none() { b"{" } else { b"]," });
            json::string(out, header);
            out.extend_from_slice(b":[");
        }
        json::string(out, &without_nul(&String::from_utf8_lossy(value)));
        last = Some(header);
    }
    if last.is_some() {
        out.extend_from_slice(b"]}");
    }
}

fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "").into() } else { text.into() }
}

/// JSON as `jsonb` takes it: no NUL, no half of a surrogate pair, no number beyond a double, not too deep. What cannot
/// be read so is shown as a text.
fn jsonb(out: &mut Vec<u8>, text: &str) {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(mut value) if text.contains("\\u") || text.contains('\n') => {
            strip(&mut value);
            out.extend_from_slice(value.to_string().as_bytes());
        }
        Ok(_) => out.extend_from_slice(text.as_bytes()),
        Err(_) => json::string(out, &without_nul(text)),
    }
}

/// As deep as serde_json reads.
fn strip(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(text) => text.retain(|c| c != '\0'),
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Object(members) => {
            *members = std::mem::take(members)
                .into_iter()
                .map(|(name, mut value)| {
                    strip(&mut value);
                    (name.replace('\0', ""), value)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
