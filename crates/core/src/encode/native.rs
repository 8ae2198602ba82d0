//! The native JSON of `POST /logs`: one object per entry, and what stands beside them in a batch.

use std::fmt::Write as _;

use hoplog_entry::{Field, Item, Kind, Malformed, Outcome, Record, Value};

use super::json::{self, Utf8};
use crate::destination::Source;

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
        match entry(&mut self.json, record) {
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
            source.write_json(out);
            out.extend_from_slice(b"}\n");
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

/// What an entry's message is made of where it has none.
#[derive(Default)]
struct Summary<'a> {
    method: Option<&'a str>,
    path: Option<&'a str>,
    route: Option<&'a str>,
    status: Option<u64>,
    message: bool,
}

fn entry(out: &mut Vec<u8>, record: &Record<'_>) -> Result<(), Malformed> {
    out.extend_from_slice(b"\"id\":");
    json::quoted(out, &record.id().to_ascii());
    out.extend_from_slice(b",\"kind\":");
    json::quoted(out, record.kind().as_str().as_bytes());
    out.extend_from_slice(b",\"level\":");
    json::quoted(out, record.level().as_str().as_bytes());
    out.extend_from_slice(b",\"created_at\":");
    json::seconds(out, record.created_unix_ns());
    if let Some(outcome) = record.outcome() {
        out.extend_from_slice(b",\"outcome\":");
        json::quoted(out, outcome.as_str().as_bytes());
    }
    let mut summary = Summary::default();
    let (mut request_headers, mut response_headers, mut custom) = (Vec::new(), Vec::new(), Vec::new());
    for item in record.items() {
        match item? {
            Item::Field(field, value) => {
                match (field, value) {
                    (Field::Method, Value::Text(t)) => summary.method = Some(t),
                    (Field::Path, Value::Text(t)) => summary.path = Some(t),
                    (Field::Route, Value::Text(t)) => summary.route = Some(t),
                    (Field::StatusCode, Value::Uint(n)) => summary.status = Some(n),
                    (Field::Message, _) => summary.message = true,
                    _ => {}
                }
                key(out, field.name());
                json::value(out, value);
            }
            Item::RequestHeader(name, value) => request_headers.push((name, value)),
            Item::ResponseHeader(name, value) => response_headers.push((name, value)),
            Item::Custom(name, value) => {
                // The last of one name counts.
                custom.retain(|(n, _)| *n != name);
                custom.push((name, value));
            }
        }
    }
    if !summary.message && matches!(record.kind(), Kind::Request | Kind::Outgoing | Kind::Running) {
        out.extend_from_slice(b",\"message\":\"");
        message(out, &summary, record.outcome());
        out.push(b'"');
    }
    headers(out, Field::RequestHeader, &request_headers);
    headers(out, Field::ResponseHeader, &response_headers);
    for (name, value) in &request_headers {
        match *name {
            "user-agent" => header_field(out, Field::UserAgent, value),
            "referer" => header_field(out, Field::Referer, value),
            "content-type" => header_field(out, Field::ContentType, value),
            _ => {}
        }
    }
    if let Some((_, value)) = response_headers.iter().find(|(name, _)| *name == "content-type") {
        header_field(out, Field::ResponseContentType, value);
    }
    if !custom.is_empty() {
        out.extend_from_slice(b",\"metadata\":{");
        for (i, (name, value)) in custom.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            json::string(out, name);
            out.push(b':');
            json::value(out, *value);
        }
        out.push(b'}');
    }
    Ok(())
}

/// `GET /users/{id} 200`; the path where no route is known, the outcome where there is no status.
fn message(out: &mut Vec<u8>, summary: &Summary<'_>, outcome: Option<Outcome>) {
    json::escaped(out, summary.method.unwrap_or("-"));
    out.push(b' ');
    json::escaped(out, summary.route.or(summary.path).unwrap_or("-"));
    out.push(b' ');
    match (summary.status, outcome) {
        (Some(status), _) => json::uint(out, status),
        (None, Some(outcome)) => out.extend_from_slice(outcome.as_str().as_bytes()),
        (None, None) => out.push(b'-'),
    }
}

/// `"name":["value",…]`; values of one name come next to each other.
fn headers(out: &mut Vec<u8>, field: Field, pairs: &[(&str, &[u8])]) {
    if pairs.is_empty() {
        return;
    }
    key(out, field.name());
    for (i, group) in pairs.chunk_by(|a, b| a.0 == b.0).enumerate() {
        let Some((name, _)) = group.first() else { continue };
        out.push(if i == 0 { b'{' } else { b',' });
        json::string(out, name);
        out.push(b':');
        for (i, (_, value)) in group.iter().enumerate() {
            out.push(if i == 0 { b'[' } else { b',' });
            json::string(out, &String::from_utf8_lossy(value));
        }
        out.push(b']');
    }
    out.push(b'}');
}

fn header_field(out: &mut Vec<u8>, field: Field, value: &[u8]) {
    key(out, field.name());
    json::string(out, &String::from_utf8_lossy(value));
}

fn key(out: &mut Vec<u8>, name: &str) {
    let _ = write!(Utf8(out), ",\"{name}\":");
}

#[cfg(test)]
#[path = "native_tests.rs"]
mod tests;
