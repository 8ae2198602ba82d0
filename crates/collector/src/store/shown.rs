//! How an entry looks in an answer: protocols §1 names at the top level, everything else under `metadata`.

use crate::fields::{Field, Shape};
use crate::json::quote;
use crate::time::write_seconds;
use hoplog_entry::{EntryId, Level};
use std::fmt::Write as _;

/// A stored value, as any store hands it over.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stored<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// Writes one entry as a JSON object; absent fields are shown as null.
pub(crate) struct Shown<'a> {
    out: &'a mut String,
}

impl<'a> Shown<'a> {
    pub(crate) fn begin(
        out: &'a mut String,
        id: EntryId,
        created_at: i64,
        level: i64,
        service: &str,
    ) -> Self {
        // Writing to a String does not fail, here and below.
        let _ = write!(out, "{{\"id\":\"{id}\",\"created_at\":");
        write_seconds(out, created_at);
        let level = u8::try_from(level).ok().and_then(Level::from_code).unwrap_or(Level::Info);
        let _ = write!(out, ",\"level\":\"{level}\",\"service\":");
        quote(service, out);
        Self { out }
    }

    pub(crate) fn field(&mut self, field: Field, value: Stored<'_>) {
        let _ = write!(self.out, ",\"{}\":", field.name());
        match (value, field.shape()) {
            (Stored::Null, _) => match field.default_text() {
                Some(text) => quote(text, self.out),
                None => self.out.push_str("null"),
            },
            (Stored::Integer(code), Shape::Word(words)) => {
                match u8::try_from(code).ok().and_then(|code| words.word(code)) {
                    Some(word) => quote(word, self.out),
                    None => self.out.push_str("null"),
                }
            }
            (Stored::Integer(n), Shape::Bool) => self.out.push_str(if n == 0 { "false" } else { "true" }),
            (Stored::Integer(n), _) => {
                let _ = write!(self.out, "{n}");
            }
            (Stored::Real(n), _) if n.is_finite() => {
                let _ = write!(self.out, "{n:?}"); // the shortest text that reads back, also for 1e300
            }
            (Stored::Real(_), _) => self.out.push_str("null"),
            (Stored::Text(text), _) => quote(text, self.out),
            (Stored::Bytes(bytes), Shape::Id) => match <[u8; 16]>::try_from(bytes) {
                Ok(id) => {
                    let _ = write!(self.out, "\"{}\"", EntryId::from_bytes(id));
                }
                Err(_) => self.out.push_str("null"),
            },
            (Stored::Bytes(bytes), _) => {
                self.out.push('"');
                for byte in bytes {
                    let _ = write!(self.out, "{byte:02x}");
                }
                self.out.push('"');
            }
        }
    }

    /// The last step: `detail`'s members at the top level, `metadata` as it is.
    pub(crate) fn end(self, detail: Option<&str>, metadata: Option<&str>) {
        if let Some(members) = detail.and_then(|d| d.strip_prefix('{')?.strip_suffix('}')) {
            self.out.push(',');
            self.out.push_str(members);
        }
        self.out.push_str(",\"metadata\":");
        self.out.push_str(metadata.unwrap_or("null"));
        self.out.push('}');
    }
}
