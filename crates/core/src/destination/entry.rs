//! An entry as filters and own destinations see it.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hoplog_entry::{EntryId, Field, Item, Kind, Level, Outcome, Record, SpanId, TraceId, Value};

use super::Source;
use crate::encode::{entry_line, json};

/// A view of one entry, masked already. Each question walks over its fields; [`Entry::write_json`] has them all.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    record: Record<'a>,
    source: &'a Source,
}

impl<'a> Entry<'a> {
    pub(crate) fn new(record: Record<'a>, source: &'a Source) -> Self {
        Self { record, source }
    }

    /// Its id, the same in every attempt: what to recognise an entry by that comes again.
    #[must_use]
    pub fn id(&self) -> EntryId {
        self.record.id()
    }

    /// What it describes.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.record.kind()
    }

    /// How serious it is.
    #[must_use]
    pub fn level(&self) -> Level {
        self.record.level()
    }

    /// How it ended; `None` for what has no end, such as an event.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.record.outcome()
    }

    /// When it began.
    #[must_use]
    pub fn created_at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.record.created_unix_ns())
    }

    /// How long it took.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        match self.record.get(Field::Duration) {
            Some(Value::Nanos(ns)) => Some(Duration::from_nanos(ns)),
            _ => None,
        }
    }

    /// What an event says. `None` for requests and calls without a message of their own.
    #[must_use]
    pub fn message(&self) -> Option<&'a str> {
        self.text(Field::Message)
    }

    /// The module that spoke.
    #[must_use]
    pub fn target(&self) -> Option<&'a str> {
        self.text(Field::Target)
    }

    /// The request method.
    #[must_use]
    pub fn method(&self) -> Option<&'a str> {
        self.text(Field::Method)
    }

    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> Option<&'a str> {
        self.text(Field::Path)
    }

    /// The route template, where one is known.
    #[must_use]
    pub fn route(&self) -> Option<&'a str> {
        self.text(Field::Route)
    }

    /// The response's status.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.record.get(Field::StatusCode) {
            Some(Value::Uint(status)) => u16::try_from(status).ok(),
            _ => None,
        }
    }

    /// The client's address.
    #[must_use]
    pub fn client_ip(&self) -> Option<IpAddr> {
        match self.record.get(Field::Ip) {
            Some(Value::Ip(ip)) => Some(ip),
            _ => None,
        }
    }

    /// The trace it belongs to.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        match self.record.get(Field::TraceId) {
            Some(Value::TraceId(id)) => Some(id),
            _ => None,
        }
    }

    /// Its place in the trace.
    #[must_use]
    pub fn span_id(&self) -> Option<SpanId> {
        match self.record.get(Field::SpanId) {
            Some(Value::SpanId(id)) => Some(id),
            _ => None,
        }
    }

    /// Who.
    #[must_use]
    pub fn user_id(&self) -> Option<&'a str> {
        self.text(Field::UserId)
    }

    /// A field of the application's own, as JSON: a text has its quotes.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let found = self.record.items().filter_map(|item| match item {
            Ok(Item::Custom(n, value)) if n == name => Some(value),
            _ => None,
        });
        let mut out = Vec::new();
        json::value(&mut out, found.last()?);
        String::from_utf8(out).ok()
    }

    /// Appends the whole entry as one line: a JSON object with the names of `POST /logs`, service and host included, and
    /// a line feed. False, and nothing is appended, where it cannot be read.
    pub fn write_json(&self, out: &mut Vec<u8>) -> bool {
        entry_line(out, &self.record, self.source).is_ok()
    }

    fn text(&self, field: Field) -> Option<&'a str> {
        match self.record.get(field) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("id", &self.id())
            .field("kind", &self.kind())
            .field("level", &self.level())
            .finish_non_exhaustive()
    }
}
