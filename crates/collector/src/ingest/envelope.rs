//! What stands around the entries: `{"logs": […], …}` (protocols §1), one bare entry, or a bare array.

use super::entry::{EntryLimits, Reader, Rejected};
use crate::json::{Token, unescape};
use crate::store::batch::{Batch, Sender};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// What a path takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// An object with `logs`.
    Logs,
    /// One entry.
    One,
    /// An object with `logs`, or a bare array of entries.
    LogsOrArray,
}

/// Bounds of one batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchLimits {
    pub(crate) entries: usize,
    pub(crate) entry: EntryLimits,
}

/// The most bytes of `source`: every entry of the batch bears its fields.
const SOURCE_BYTES: usize = 4096;
/// The most bytes of `ledger` and `losses`, each a handful of counts, and of the ids beside them.
const LEDGER_BYTES: usize = 64 * 1024;

/// A batch that was read.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) batch: Batch,
    pub(crate) rejected: Vec<Rejected>,
    /// Entries sent.
    pub(crate) count: usize,
    pub(crate) batch_id: Option<String>,
}

/// Why a body is no batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// 400
    Malformed(String),
    /// 413
    TooMany(usize),
}

/// Reads a body; `now` and `retention` in microseconds. `nulled` says where in it a null took the place of what is
/// not JSON.
pub(crate) fn parse(
    body: &[u8],
    nulled: &[usize],
    form: Form,
    limits: BatchLimits,
    now: i64,
    retention: i64,
) -> Result<Parsed, Unreadable> {
    let (text, entries, envelope) = open(body, form, limits.entries)?;
    let count = entries.len();
    let mut reader = Reader::new(text.len(), count, limits.entry, now, retention);
    if let Some(source) = object("source", envelope.source, SOURCE_BYTES)? {
        reader.source(source);
    } else {
        // Our own client says who it is, and its entries have fields of any name.
        reader.take_marks();
    }
    for (index, raw) in entries.into_iter().enumerate() {
        reader.entry(index, raw, has_one(raw, text, nulled));
    }
    let (mut batch, rejected) = reader.finish();
    batch.sender = envelope.sender(count, rejected.len())?;
    let batch_id = batch.sender.as_ref().map(|s| s.batch_id.clone()).filter(|id| !id.is_empty());
    Ok(Parsed { batch, rejected, count, batch_id })
}

/// The texts of the entries, no more than `most`.
pub(super) fn entries(body: &[u8], most: usize) -> Result<(&str, Vec<&str>), Unreadable> {
    open(body, Form::Logs, most).map(|(text, entries, _)| (text, entries))
}

/// Whether one of the places in `text` lies in `piece`, which is a piece of it.
pub(super) fn has_one(piece: &str, text: &str, places: &[usize]) -> bool {
    let start = piece.as_ptr().addr() - text.as_ptr().addr();
    let next = places.get(places.partition_point(|&at| at < start));
    next.is_some_and(|&at| at < start + piece.len())
}

/// The body as text, the texts of its entries, and what stands around them.
fn open(body: &[u8], form: Form, most: usize) -> Result<(&str, Vec<&str>, Envelope<'_>), Unreadable> {
    let malformed = |e: serde_json::Error| Unreadable::Malformed(format!("not a valid batch: {e}"));
    let text = std::str::from_utf8(body)
        .map_err(|e| Unreadable::Malformed(format!("not UTF-8 after byte {}", e.valid_up_to())))?;
    let bare_array = text.trim_ascii_start().starts_with('[');
    let mut envelope = match form {
        Form::One => {
            let entry: &RawValue = serde_json::from_str(text).map_err(malformed)?;
            if !entry.get().starts_with('{') {
                return Err(Unreadable::Malformed("expected one entry: a JSON object".to_owned()));
            }
            Envelope { logs: Some(Logs::Array(vec![entry.get()], 1)), ..Envelope::default() }
        }
        Form::LogsOrArray if bare_array => {
            let logs = serde_json::from_str(text).map_err(malformed)?;
            Envelope { logs: Some(logs), ..Envelope::default() }
        }
        Form::Logs | Form::LogsOrArray if !text.trim_ascii_start().starts_with('{') => {
            // Bad JSON is named as such; only good JSON of the wrong type comes to the second line.
            serde_json::from_str::<IgnoredAny>(text).map_err(malformed)?;
            return Err(Unreadable::Malformed("expected a JSON object with `logs`".to_owned()));
        }
        Form::Logs | Form::LogsOrArray => serde_json::from_str(text).map_err(malformed)?,
    };
    let (entries, count) = match envelope.logs.take() {
        Some(Logs::Array(entries, count)) => (entries, count),
        Some(Logs::Other) => return Err(Unreadable::Malformed("`logs` is not an array".to_owned())),
        None => {
            return Err(Unreadable::Malformed("`logs` is missing: send {\"logs\": [entry, …]}".to_owned()));
        }
    };
    if count > most {
        return Err(Unreadable::TooMany(count));
    }
    Ok((text, entries, envelope))
}

#[derive(Default, serde::Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Envelope<'a> {
    logs: Option<Logs<'a>>,
    batch_id: Option<&'a RawValue>,
    boot_id: Option<&'a RawValue>,
    seq: Option<&'a RawValue>,
    source: Option<&'a RawValue>,
    ledger: Option<&'a RawValue>,
    losses: Option<&'a RawValue>,
    closing: Option<&'a RawValue>,
}

impl Envelope<'_> {
    /// What the batch says of its sender; `None` if it says nothing.
    fn sender(&self, entries: usize, rejected: usize) -> Result<Option<Sender>, Unreadable> {
        let says = [self.batch_id, self.boot_id, self.seq, self.ledger, self.losses, self.closing];
        if says.iter().all(Option::is_none) {
            return Ok(None);
        }
        let own = |text: Option<&str>| text.map(str::to_owned);
        Ok(Some(Sender {
            boot_id: text("boot_id", self.boot_id)?,
            batch_id: text("batch_id", self.batch_id)?,
            seq: text("seq", self.seq)?.parse().ok().filter(|seq| *seq >= 0),
            entries,
            rejected,
            source: own(object("source", self.source, SOURCE_BYTES)?),
            ledger: own(object("ledger", self.ledger, LEDGER_BYTES)?),
            losses: own(object("losses", self.losses, LEDGER_BYTES)?),
            closing: self.closing.is_some_and(|raw| raw.get() == "true"),
        }))
    }
}

/// A member that is an object of at most `most` bytes, or absent.
fn object<'a>(name: &str, raw: Option<&'a RawValue>, most: usize) -> Result<Option<&'a str>, Unreadable> {
    match raw.map(|raw| (raw.get(), Token::of(raw.get()))) {
        None | Some((_, Token::Null)) => Ok(None),
        Some((text, Token::Object(_))) if text.len() <= most => Ok(Some(text)),
        Some((text, Token::Object(_))) => {
            Err(Unreadable::Malformed(format!("`{name}` has {} bytes; it may have {most}", text.len())))
        }
        Some(_) => Err(Unreadable::Malformed(format!("`{name}` is not an object"))),
    }
}

/// A member that is a short text or a number; empty if absent.
fn text(name: &str, raw: Option<&RawValue>) -> Result<String, Unreadable> {
    const MOST: usize = 200;
    let mut out = String::new();
    match raw.map(|raw| Token::of(raw.get())) {
        None | Some(Token::Null) => {}
        Some(Token::Text(inner)) if inner.len() <= MOST => {
            unescape(inner, &mut out);
        }
        Some(Token::Number(raw)) if raw.len() <= MOST => out.push_str(raw),
        Some(_) => {
            return Err(Unreadable::Malformed(format!("`{name}` is not a text of at most {MOST} bytes")));
        }
    }
    Ok(out)
}

/// The entries, each as its text; or something that is no array.
enum Logs<'a> {
    /// No more than [`Logs::MOST`] of the texts, and how many there were.
    Array(Vec<&'a str>, usize),
    Other,
}

impl Logs<'_> {
    /// More are counted, not kept, whatever the configured bound.
    const MOST: usize = 100_000;
}

impl<'de: 'a, 'a> Deserialize<'de> for Logs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Logs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of entries")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while entries.len() < Logs::MOST {
                    match seq.next_element::<&'de RawValue>()? {
                        Some(entry) => entries.push(entry.get()),
                        None => {
                            let count = entries.len();
                            return Ok(Logs::Array(entries, count));
                        }
                    }
                }
                let mut count = entries.len();
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Logs::Array(entries, count))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Logs::Other)
            }

            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Logs::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Logs::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Logs::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Logs::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Logs::Other)
            }
        }

        deserializer.deserialize_any(Entries)
    }
}
