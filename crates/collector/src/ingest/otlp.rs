//! `POST /v1/logs`: OTLP/HTTP, in both of its encodings.
//!
//! ```text
//! body ─► protobuf ─┐ LogRecord, Around                 ┌─► Reader, as for every entry
//!      └► json ─────┴──────────────────► names, record ─┘
//! ```
//!
//! Attributes that are one of our fields go there, all others into the entry's metadata. The protocol has no ids: a
//! record gets one here, so that sent twice it is stored twice, unless it bears a UUID as `log.record.uid`, as our own
//! SDK's do.

pub(super) mod answer;
mod around;
mod json;
mod names;
mod protobuf;
mod record;
mod value;
mod wire;

#[cfg(test)]
mod tests;

use super::envelope::{BatchLimits, Unreadable};
use super::translated::{Room, Translated, Unread};
use around::Around;
use record::LogRecord;
use serde::de::IgnoredAny;
use wire::Malformed;

/// The two encodings; an answer is in that of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

impl From<Malformed> for Unread {
    fn from(_: Malformed) -> Self {
        Self::Unreadable(Unreadable::Malformed("not an ExportLogsServiceRequest".to_owned()))
    }
}

/// Takes records.
struct Sink<'s, 'g> {
    translated: &'s mut Translated<'g>,
    limits: BatchLimits,
    count: usize,
}

impl Sink<'_, '_> {
    /// How deep a value is written: one deeper than what is taken, so that it is refused.
    fn depth(&self) -> usize {
        self.limits.entry.depth
    }

    fn take<'r>(
        &mut self,
        bytes: usize,
        around: &Around,
        read: impl FnOnce() -> Result<LogRecord<'r>, Malformed>,
    ) -> Result<(), Unread> {
        self.count += 1;
        if self.count > self.limits.entries {
            return Err(Unread::Unreadable(Unreadable::TooMany(self.count)));
        }
        let depth = self.depth();
        let mut malformed = false;
        self.translated.entry(bytes + around.bytes(), |members| {
            let replaced = read().and_then(|record| record.write(around, depth, members));
            malformed = replaced.is_err();
            replaced.unwrap_or_default()
        })?;
        if malformed { Err(Malformed.into()) } else { Ok(()) }
    }
}

/// Translates a body.
pub(super) fn translate<'g>(
    body: &[u8],
    encoding: Encoding,
    room: Room<'g>,
    limits: BatchLimits,
) -> Result<Translated<'g>, Unread> {
    let mut translated = Translated::new(room, limits.entry);
    let mut sink = Sink { translated: &mut translated, limits, count: 0 };
    match encoding {
        Encoding::Protobuf => protobuf::read(body, &mut sink)?,
        Encoding::Json => {
            let malformed = |why: String| Unread::Unreadable(Unreadable::Malformed(why));
            let text = std::str::from_utf8(body)
                .map_err(|e| malformed(format!("not UTF-8 after byte {}", e.valid_up_to())))?;
            serde_json::from_str::<IgnoredAny>(text).map_err(|e| malformed(format!("not JSON: {e}")))?;
            json::read(text.trim_ascii(), &mut sink)?;
        }
    }
    Ok(translated)
}
