//! A log record, whichever encoding it came in, as a native entry.

use super::around::{Around, Attribute};
use super::names::{Place, place};
use super::value::{Any, Written};
use super::wire::Malformed;
use crate::ingest::translated::Members;
use crate::json::quote;
use crate::time::write_seconds;
use hoplog_entry::Level;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;

/// A `LogRecord` taken apart.
#[derive(Default)]
pub(super) struct LogRecord<'a> {
    /// Nanoseconds since the Unix epoch; 0 is none.
    pub(super) time: u64,
    pub(super) observed: u64,
    pub(super) severity: i64,
    pub(super) severity_text: Cow<'a, str>,
    pub(super) body: Option<Any<'a>>,
    pub(super) attributes: Vec<Attribute<'a>>,
    pub(super) dropped_attributes: u64,
    pub(super) flags: u64,
    /// As text; empty if there is none.
    pub(super) trace_id: Cow<'a, str>,
    pub(super) span_id: Cow<'a, str>,
    pub(super) event_name: Cow<'a, str>,
    /// A text in it was not UTF-8.
    pub(super) replaced: bool,
}

impl LogRecord<'_> {
    /// Writes it with what its resource and its scope say; true if something in it had to be replaced.
    pub(super) fn write(
        &self,
        around: &Around,
        depth: usize,
        members: &mut Members<'_>,
    ) -> Result<bool, Malformed> {
        let mut written = Written { replaced: self.replaced || around.replaced, malformed: false };
        let time = if self.time == 0 { self.observed } else { self.time };
        if time != 0 {
            write_seconds(members.name("created_at"), micros(time));
        }
        let level = level(self.severity, &self.severity_text);
        members.text("level", level.as_str());
        for (name, id) in [("trace_id", &self.trace_id), ("span_id", &self.span_id)] {
            // All zeros mean none.
            if !id.bytes().all(|b| b == b'0') {
                members.text(name, id);
            }
        }
        let mut shown = String::new();
        if let Some(body) = self.body {
            body.write(&mut shown, depth, &mut written);
            if shown.starts_with('"') {
                members.raw("message", &shown);
            } else if shown != "null" {
                members.text("message", &shown);
            }
        }
        members.written(&around.fields);
        let mut placed = Placed { around, depth, written, names: Vec::new(), left: Vec::new() };
        placed.fields(self, members);
        members.object("metadata", |metadata| {
            placed.metadata(self, level, metadata);
            if !(shown.is_empty() || shown.starts_with('"') || shown == "null") {
                metadata.raw("body", &shown);
            }
        });
        if placed.written.malformed { Err(Malformed) } else { Ok(placed.written.replaced) }
    }

    fn attribute(&self, name: &str) -> Option<Any<'_>> {
        self.attributes.iter().rfind(|(other, _)| other == name).map(|(_, value)| *value)
    }
}

/// The attributes of a record on their way to their places.
struct Placed<'r> {
    around: &'r Around,
    depth: usize,
    written: Written,
    /// The fields that have their value.
    names: Vec<&'static str>,
    /// Which attributes are no fields.
    left: Vec<usize>,
}

impl Placed<'_> {
    fn fields(&mut self, record: &LogRecord<'_>, members: &mut Members<'_>) {
        let ours = self.around.ours;
        let (mut request, mut response) = (Vec::new(), Vec::new());
        let mut address = None;
        for (at, (name, value)) in record.attributes.iter().enumerate() {
            match place(name) {
                Place::Field(field) => self.field(at, field, *value, members),
                Place::Id if self.id(*value, members) => {}
                Place::RequestHeader(header) => request.push((header, *value)),
                Place::ResponseHeader(header) => response.push((header, *value)),
                Place::Method if self.is(*value, "\"_OTHER\"") => {}
                Place::Method => self.field(at, "method", *value, members),
                Place::Address => address = Some((at, *value)),
                Place::Port if record.attribute("server.address").is_some() => {}
                Place::ErrorType if record.attribute("exception.type").is_none() => {
                    // Ours says it of every exchange that failed, beside its status and outcome.
                    if !ours {
                        self.field(at, "error_type", *value, members);
                    }
                }
                Place::ErrorType if self.same(*value, record.attribute("exception.type")) => {}
                Place::Derived if ours => {}
                _ => self.left.push(at),
            }
        }
        if let Some((at, address)) = address {
            self.host(at, address, record.attribute("server.port"), members);
        }
        for (name, headers) in [("request_headers", &request), ("response_headers", &response)] {
            members.object(name, |object| {
                for (header, value) in headers {
                    let out = object.name(header);
                    let one = value.items().is_none();
                    out.push_str(if one { "[" } else { "" });
                    value.write(out, self.depth, &mut self.written);
                    out.push_str(if one { "]" } else { "" });
                }
            });
        }
        for (headers, header, field) in [
            (&request, "referer", "referer"),
            (&request, "content-type", "content_type"),
            (&response, "content-type", "response_content_type"),
        ] {
            let value = headers.iter().find(|(name, _)| *name == header);
            if let Some(first) =
                value.map(|(_, value)| value.items().map_or(Some(*value), |i| i.first().copied()))
                && let Some(first) = first
            {
                first.write(members.name(field), self.depth, &mut self.written);
            }
        }
        if !record.attributes.iter().any(|(name, _)| name == "hoplog.kind") {
            match &*record.event_name {
                "http.server.request" => members.text("kind", "request"),
                "http.client.request" => members.text("kind", "outgoing"),
                _ => {}
            }
        }
    }

    /// A field has the first value that is said of it.
    fn field(&mut self, at: usize, field: &'static str, value: Any<'_>, members: &mut Members<'_>) {
        if self.names.contains(&field) {
            return self.left.push(at);
        }
        self.names.push(field);
        value.write(members.name(field), self.depth, &mut self.written);
    }

    fn id(&mut self, value: Any<'_>, members: &mut Members<'_>) -> bool {
        let mut id = String::new();
        value.write(&mut id, 0, &mut Written::default());
        let is_one = id.trim_matches('"').parse::<hoplog_entry::EntryId>().is_ok();
        if is_one {
            members.raw("id", &id);
        }
        is_one
    }

    fn is(&self, value: Any<'_>, json: &str) -> bool {
        let mut text = String::new();
        value.write(&mut text, 0, &mut Written::default());
        text == json
    }

    fn same(&self, value: Any<'_>, other: Option<Any<'_>>) -> bool {
        let mut text = String::new();
        value.write(&mut text, 0, &mut Written::default());
        other.is_some_and(|other| self.is(other, &text))
    }

    /// `host:port`, as the `Host` header has it.
    fn host(&mut self, at: usize, address: Any<'_>, port: Option<Any<'_>>, members: &mut Members<'_>) {
        let (mut host, mut digits) = (String::new(), String::new());
        address.write(&mut host, self.depth, &mut self.written);
        let Some(name) = host.strip_prefix('"').and_then(|host| host.strip_suffix('"')) else {
            return self.left.push(at);
        };
        if let Some(port) = port {
            port.write(&mut digits, self.depth, &mut self.written);
        }
        let port = digits.trim_matches('"').parse::<u16>().ok();
        let out = members.name("host_header");
        let _ = match port {
            Some(port) if name.contains(':') => write!(out, "\"[{name}]:{port}\""),
            Some(port) => write!(out, "\"{name}:{port}\""),
            None => write!(out, "{host}"),
        };
    }

    fn metadata(&mut self, record: &LogRecord<'_>, level: Level, metadata: &mut Members<'_>) {
        let ours = self.around.ours;
        let mut twice = HashSet::new();
        for &at in &self.left {
            let Some((name, value)) = record.attributes.get(at) else { continue };
            // Our SDK writes so what would have had one of its own names.
            let name = name.strip_prefix("field.").filter(|_| ours).unwrap_or(name);
            if self.around.names.contains(name) {
                twice.insert(name);
            }
            value.write(metadata.name(name), self.depth, &mut self.written);
        }
        for (name, value) in &self.around.metadata {
            if twice.contains(name.as_str()) {
                metadata.raw(&format!("resource.{}", inner(name)), value);
            } else {
                metadata.raw(&inner(name), value);
            }
        }
        // 10, of INFO's four numbers, says more than the level.
        if record.severity != 0 && (level_of(record.severity).is_none() || record.severity % 4 != 1) {
            let _ = write!(metadata.name("severity_number"), "{}", record.severity);
        }
        if !record.severity_text.is_empty() && Level::parse_lenient(&record.severity_text) != Some(level) {
            metadata.text("severity_text", &record.severity_text);
        }
        let event = !matches!(&*record.event_name, "" | "http.server.request" | "http.client.request");
        if event && !ours {
            metadata.text("event_name", &record.event_name);
        }
        if record.time != 0 && record.observed != 0 && record.observed / 1_000 != record.time / 1_000 {
            let _ = write!(metadata.name("observed_time_unix_nano"), "\"{}\"", record.observed);
        }
        for (name, number) in
            [("trace_flags", record.flags), ("dropped_attributes_count", record.dropped_attributes)]
        {
            if number != 0 {
                let _ = write!(metadata.name(name), "{number}");
            }
        }
    }
}

/// What stands between the quotes of a name.
fn inner(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quote(name, &mut quoted);
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

fn micros(nanos: u64) -> i64 {
    i64::try_from(nanos / 1_000).unwrap_or(i64::MAX)
}

/// The level of a severity number, else that of its text.
fn level(severity: i64, text: &str) -> Level {
    level_of(severity).or_else(|| Level::parse_lenient(text)).unwrap_or(Level::Info)
}

fn level_of(severity: i64) -> Option<Level> {
    Some(match severity {
        1..=4 => Level::Trace,
        5..=8 => Level::Debug,
        9..=12 => Level::Info,
        13..=16 => Level::Warn,
        17..=20 => Level::Error,
        21..=24 => Level::Fatal,
        _ => return None,
    })
}
