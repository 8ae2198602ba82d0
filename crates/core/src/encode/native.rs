//! The native JSON of `POST /logs`: one object per entry, and what stands beside them in a batch.

mod part;

use hoplog_entry::{Field, Item, Items, Kind, Malformed, Record, Value};

use super::entry::Summary;
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

/// How often fields come in a record: as a rule once.
enum Said {
    /// The ids of those that came.
    Once(u128),
    /// Some come again, and then the last one counts.
    Again,
}

fn entry(out: &mut Vec<u8>, record: &Record<'_>) -> Result<(), Malformed> {
    failpoint::encode(record);
    let start = out.len();
    if !members(out, record, &mut Said::Once(0))? {
        out.truncate(start);
        members(out, record, &mut Said::Again)?;
    }
    Ok(())
}

/// False where a field comes again that was taken to come once.
fn members(out: &mut Vec<u8>, record: &Record<'_>, said: &mut Said) -> Result<bool, Malformed> {
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
    let (mut request_headers, mut response_headers) = (Headers::default(), Headers::default());
    let mut custom = Vec::new();
    let mut items = record.items();
    loop {
        let here = items.clone();
        let Some(item) = items.next() else { break };
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
                match said {
                    Said::Once(seen) if *seen & (1 << field.id()) != 0 => return Ok(false),
                    Said::Once(seen) => *seen |= 1 << field.id(),
                    Said::Again
                        if items.clone().any(|i| matches!(i, Ok(Item::Field(f, _)) if f == field)) =>
                    {
                        continue;
                    }
                    Said::Again => {}
                }
                json::key(out, field.name());
                json::value(out, value);
            }
            Item::RequestHeader(..) => request_headers.found(here),
            Item::ResponseHeader(..) => response_headers.found(here),
            Item::Custom(name, value) => {
                // The last of one name counts.
                custom.retain(|(n, _)| *n != name);
                custom.push((name, value));
            }
        }
    }
    if !summary.message && matches!(record.kind(), Kind::Request | Kind::Outgoing | Kind::Running) {
        out.extend_from_slice(b",\"message\":\"");
        summary.write(out, record.outcome(), json::escaped);
        out.push(b'"');
    }
    let (mut user_agent, mut referer, mut content_type, mut response_content_type) = (None, None, None, None);
    request_headers.write(out, Field::RequestHeader, |name, value| match name {
        "user-agent" => user_agent = Some(value),
        "referer" => referer = Some(value),
        "content-type" => content_type = Some(value),
        _ => {}
    });
    response_headers.write(out, Field::ResponseHeader, |name, value| {
        if name == "content-type" {
            response_content_type.get_or_insert(value);
        }
    });
    for (field, value) in [
        (Field::UserAgent, user_agent),
        (Field::Referer, referer),
        (Field::ContentType, content_type),
        (Field::ResponseContentType, response_content_type),
    ] {
        if let Some(value) = value {
            json::key(out, field.name());
            json::lossy(out, value);
        }
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
    Ok(true)
}

/// Where in a record the headers of one side begin, and how many there are: they are written after the other fields,
/// in one object, and are read again for that rather than gathered.
#[derive(Default)]
struct Headers<'a> {
    from: Option<Items<'a>>,
    count: usize,
}

impl<'a> Headers<'a> {
    fn found(&mut self, here: Items<'a>) {
        self.from.get_or_insert(here);
        self.count += 1;
    }

    /// `"name":["value",…]`; values of one name come next to each other. `each` is shown every pair.
    fn write(self, out: &mut Vec<u8>, field: Field, mut each: impl FnMut(&'a str, &'a [u8])) {
        let Some(items) = self.from else { return };
        let pairs = items.filter_map(|item| match item {
            Ok(Item::RequestHeader(name, value)) if field == Field::RequestHeader => Some((name, value)),
            Ok(Item::ResponseHeader(name, value)) if field == Field::ResponseHeader => Some((name, value)),
            _ => None,
        });
        json::key(out, field.name());
        let mut last = None;
        for (name, value) in pairs.take(self.count) {
            if last == Some(name) {
                out.push(b',');
            } else {
                out.extend_from_slice(if last.is_none() { b"{" } else { b"]," });
                json::string(out, name);
                out.extend_from_slice(b":[");
            }
            json::lossy(out, value);
            each(name, value);
            last = Some(name);
        }
        out.extend_from_slice(b"]}");
    }
}

#[cfg(test)]
#[path = "native_tests.rs"]
mod tests;
