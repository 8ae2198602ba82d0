//! One entry: a JSON object becomes a row, leniently. An entry is refused only when it cannot be kept at all (no
//! object, too large, too deep); a value that does not fit its field is kept under `metadata` instead.

use super::metadata::own_metadata;
use super::user_agent::UserAgents;
use super::value;
use crate::fields::{Field, Shape, UNKNOWN_SERVICE};
use crate::json::{Token, Walk, clean, clean_text, quote};
use crate::store::batch::{Batch, Cell, Head, Home, Mark, Slice, Value};
use crate::time::{DAY, Day};
use hoplog_entry::{EntryId, Kind, Level};
use serde::Serialize;
use std::collections::HashSet;

/// What an entry may be at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryLimits {
    /// Bytes of JSON.
    pub(crate) bytes: usize,
    /// Containers within containers, the entry itself included.
    pub(crate) depth: usize,
}

/// Microseconds for which an id names its day whatever is kept, as copies may come for so long: 8 days.
const LATE: i64 = 8 * DAY;

/// A longer service is a text that went astray: services are counted by name, in memory too.
const SERVICE_BYTES: usize = 256;

/// A refused entry.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Rejected {
    pub(crate) index: usize,
    pub(crate) id: Option<String>,
    pub(crate) reason: String,
    /// The same in a word, for counts.
    #[serde(skip)]
    pub(crate) class: &'static str,
}

/// Reads entries one after another into a batch.
pub(crate) struct Reader<'a> {
    batch: Batch,
    rejected: Vec<Rejected>,
    limits: EntryLimits,
    /// An id older than this (microseconds) does not name its day's file, which is gone or soon will be.
    oldest: i64,
    now: i64,
    /// What the batch says of its source, for entries that do not say it themselves.
    source: Vec<Cell>,
    source_service: Option<Slice>,
    /// `"deleted": true` is the mark of the old schema, and no field of the application's own.
    has_marks: bool,
    unknown_service: Slice,
    /// Kept between entries for its memory.
    extras: Vec<(&'a str, &'a str)>,
    json_fields: Vec<(Field, &'a str)>,
    agents: UserAgents,
}

/// An entry half read.
#[derive(Default)]
struct Draft<'a> {
    id: Option<EntryId>,
    created_at: Option<i64>,
    timestamp: Option<&'a str>,
    level: Option<Level>,
    service: Option<Slice>,
    metadata: Option<&'a str>,
    deleted: bool,
    /// A bit per field that is set.
    seen: u128,
    replaced: bool,
}

impl<'a> Reader<'a> {
    /// `text` and `entries` say how much to expect; `retention` (microseconds) how long entries are kept.
    pub(crate) fn new(text: usize, entries: usize, limits: EntryLimits, now: i64, retention: i64) -> Self {
        let mut batch = Batch::with_capacity(text, entries, now);
        let (unknown_service, ()) = batch.write(|out| out.push_str(UNKNOWN_SERVICE));
        Self {
            batch,
            rejected: Vec::new(),
            limits,
            oldest: now.saturating_sub(retention.max(LATE)),
            now,
            source: Vec::new(),
            source_service: None,
            has_marks: false,
            unknown_service,
            extras: Vec::new(),
            json_fields: Vec::new(),
            agents: UserAgents::default(),
        }
    }

    /// The entries come as they would stand in a table of log-collector's: what is marked as deleted there, is.
    pub(crate) fn take_marks(&mut self) {
        self.has_marks = true;
    }

    /// Takes the batch's `source`; its unknown members describe the sender, not the entries.
    pub(crate) fn source(&mut self, raw: &'a str) {
        let mark = self.batch.mark();
        let mut draft = Draft::default();
        let mut walk = Walk::new(raw);
        while let Some((name, value)) = walk.member() {
            self.member(name, value, mark, &mut draft);
        }
        self.source = self.batch.take_cells(mark);
        self.source_service = draft.service;
        self.clear();
    }

    /// Reads the entry that stands at `index` of what was sent; `replaced` if it is not quite what was sent.
    pub(crate) fn entry(&mut self, index: usize, raw: &'a str, replaced: bool) {
        if raw.len() > self.limits.bytes {
            let reason = format!("{} bytes; an entry may have {}", raw.len(), self.limits.bytes);
            return self.reject(index, None, "too_large", reason);
        }
        if !raw.starts_with('{') {
            return self.reject(index, None, "no_entry", "not a JSON object".to_owned());
        }
        let mark = self.batch.mark();
        let mut draft = Draft { replaced, ..Draft::default() };
        let mut walk = Walk::new(raw);
        while let Some((name, value)) = walk.member() {
            self.member(name, value, mark, &mut draft);
        }
        if walk.deepest() > self.limits.depth {
            self.batch.return_to(mark);
            self.clear();
            let reason = format!("nested {} deep; an entry may be {}", walk.deepest(), self.limits.depth);
            return self.reject(index, draft.id, "too_deep", reason);
        }
        let hash = draft.id.map_or(0, |_| hash(raw));
        let (home, day, id, suspect) = self.place(draft.id);
        let created_at = self.time(&draft).unwrap_or(self.now);
        let service = draft.service.or(self.source_service).unwrap_or(self.unknown_service);
        let source = self.source.iter().filter(|c| draft.seen & bit(c.field) == 0);
        self.batch.extend(source.copied());
        self.kind(mark);
        self.agents.add_to(&mut self.batch, mark);
        let detail = self.detail(&mut draft);
        let metadata = self.metadata(&draft, suspect);
        self.clear();
        let level = draft.level.unwrap_or(Level::Info);
        let deleted = draft.deleted;
        let head = Head { index, id, day, home, created_at, level, hash, service, detail, metadata, deleted };
        self.batch.finish(mark, head);
    }

    pub(crate) fn finish(self) -> (Batch, Vec<Rejected>) {
        (self.batch, self.rejected)
    }

    fn reject(&mut self, index: usize, id: Option<EntryId>, class: &'static str, reason: String) {
        self.rejected.push(Rejected { index, id: id.map(|id| id.to_string()), reason, class });
    }

    fn clear(&mut self) {
        self.extras.clear();
        self.json_fields.clear();
    }

    /// Takes one member: to its field, or to the extras that end up under `metadata`.
    fn member(&mut self, name: &'a str, raw: &'a str, mark: Mark, draft: &mut Draft<'a>) {
        let token = Token::of(raw);
        let mut unescaped = String::new();
        let known = if name.contains('\\') {
            crate::json::unescape(name, &mut unescaped);
            unescaped.as_str()
        } else {
            name
        };
        if token == Token::Null && (Field::from_name(known).is_some() || is_apart(known)) {
            return; // known and null: absent
        }
        let taken = match known {
            "id" => {
                let id = value::text(token).and_then(|t| t.value.trim().parse().ok());
                draft.id = id.or(draft.id);
                id.is_some()
            }
            "created_at" => match value::time(token) {
                Some(time) => {
                    draft.created_at = time;
                    true
                }
                None => false,
            },
            "timestamp" => {
                draft.timestamp = Some(raw);
                true
            }
            "level" => {
                let level = value::text(token).and_then(|t| Level::parse_lenient(&t.value));
                draft.level = level.or(draft.level);
                level.is_some()
            }
            "service" => match value::text(token) {
                Some(text) if text.value.len() <= SERVICE_BYTES => {
                    draft.replaced |= text.replaced;
                    let slice = self.batch.write(|out| out.push_str(&text.value)).0;
                    draft.service = (!text.value.is_empty()).then_some(slice);
                    true
                }
                _ => false,
            },
            "metadata" => {
                draft.metadata = Some(raw);
                true
            }
            "deleted" if self.has_marks => match token {
                Token::Bool(mark) => {
                    draft.deleted = mark == "true";
                    true
                }
                _ => false,
            },
            _ => match Field::from_name(known) {
                Some(field) if field.shape() == Shape::Json => {
                    self.json_fields.retain(|(f, _)| *f != field);
                    self.json_fields.push((field, raw));
                    true
                }
                Some(field) => self.field(field, token, mark, draft),
                None => false,
            },
        };
        if !taken {
            self.extras.push((name, raw));
        }
    }

    fn field(&mut self, field: Field, token: Token<'_>, mark: Mark, draft: &mut Draft<'a>) -> bool {
        match value::field(field, token, &mut self.batch) {
            Some(read) => {
                draft.replaced |= read.replaced;
                let again = draft.seen & bit(field) != 0;
                self.batch.set(mark, again, Cell { field, value: read.value });
                draft.seen |= bit(field);
                true
            }
            None => false,
        }
    }

    /// The entry's time, if it says one that can be read. Of two times, the one under the field's own name counts;
    /// the other one is kept.
    fn time(&mut self, draft: &Draft<'a>) -> Option<i64> {
        let Some(raw) = draft.timestamp else { return draft.created_at };
        let alias = value::time(Token::of(raw));
        if draft.created_at.is_some() || alias.is_none() {
            self.extras.push(("timestamp", raw));
        }
        draft.created_at.or(alias.flatten())
    }

    /// Old clients know no kinds: what has a method or a status is a request, anything else an event.
    fn kind(&mut self, mark: Mark) {
        let cells = self.batch.cells_since(mark);
        if cells.iter().any(|cell| cell.field == Field::Kind) {
            return;
        }
        let asks = |cell: &Cell| match (cell.field, cell.value) {
            (Field::StatusCode, _) => true,
            (Field::Method, Value::Text(method)) => !self.batch.text(method).is_empty(),
            _ => false,
        };
        let kind = if cells.iter().any(asks) { Kind::Request } else { Kind::Event };
        self.batch.extend([Cell { field: Field::Kind, value: Value::Integer(kind.code().into()) }]);
    }

    /// Where an entry with this id belongs; the last part says whether the id's time cannot be right.
    fn place(&self, id: Option<EntryId>) -> (Home, Day, EntryId, bool) {
        let Some(id) = id else {
            let id = EntryId::generate(u64::try_from(self.now / 1_000).unwrap_or(0));
            return (Home::New, micros_of(id).map_or(Day::of(self.now), Day::of), id, false);
        };
        match micros_of(id) {
            Some(at) if at >= self.oldest && at <= self.now.saturating_add(DAY) => {
                (Home::Id, Day::of(at), id, false)
            }
            at => (Home::Arrival, Day::of(self.now), id, at.is_some()),
        }
    }

    /// The known fields without a column, as one JSON object.
    fn detail(&mut self, draft: &mut Draft<'a>) -> Option<Slice> {
        if self.json_fields.is_empty() {
            return None;
        }
        let fields = &self.json_fields;
        let (slice, replaced) = self.batch.write(|out| {
            let mut replaced = false;
            for (i, (field, raw)) in fields.iter().enumerate() {
                out.push(if i == 0 { '{' } else { ',' });
                quote(field.name(), out);
                out.push(':');
                replaced |= clean(raw, out);
            }
            out.push('}');
            replaced
        });
        draft.replaced |= replaced;
        Some(slice)
    }

    /// `metadata` as sent, and after it everything that found no other place. Where both have a name, the
    /// sender's own metadata keeps it and the other one stands as `entry.name`.
    fn metadata(&mut self, draft: &Draft<'a>, suspect: bool) -> Option<Slice> {
        let mut unescaped = String::new();
        let (own, odd) = match draft.metadata {
            Some(raw) => own_metadata(raw, self.limits.depth, &mut unescaped),
            None => (None, None),
        };
        let own =
            own.and_then(|o| Some(o.strip_prefix('{')?.strip_suffix('}')?.trim())).filter(|o| !o.is_empty());
        if own.is_none() && odd.is_none() && self.extras.is_empty() && !suspect && !draft.replaced {
            return None;
        }
        let taken: HashSet<&str> = match own {
            Some(_) if !self.extras.is_empty() => {
                let mut walk = Walk::new(own.unwrap_or_default());
                std::iter::from_fn(|| walk.member().map(|(name, _)| name)).collect()
            }
            _ => HashSet::new(),
        };
        let extras = &self.extras;
        let (slice, ()) = self.batch.write(|out| {
            let mut members = 0;
            let mut next = |out: &mut String| {
                out.push(if members == 0 { '{' } else { ',' });
                members += 1;
            };
            let mut replaced = draft.replaced;
            if let Some(own) = own {
                next(out);
                replaced |= clean(own, out);
            }
            for &(name, raw) in extras.iter().chain(odd.map(|raw| ("metadata", raw)).iter()) {
                next(out);
                out.push_str(if taken.contains(name) { "\"entry." } else { "\"" });
                replaced |= clean_text(name, out);
                out.push_str("\":");
                replaced |= clean(raw, out);
            }
            if suspect || replaced {
                next(out);
                out.push_str("\"hoplog_flags\":[");
                out.push_str(match (suspect, replaced) {
                    (true, true) => "\"clock_suspect\",\"replaced_values\"]",
                    (true, false) => "\"clock_suspect\"]",
                    _ => "\"replaced_values\"]",
                });
            }
            out.push('}');
        });
        Some(slice)
    }
}

/// CRC-32 of an entry's text. A retry sends the same bytes; two entries under one id by mistake differ here but for
/// one in four thousand million. Nothing is judged by it but what is counted.
fn hash(raw: &str) -> i32 {
    let mut crc = flate2::Crc::new();
    crc.update(raw.as_bytes());
    crc.sum().cast_signed()
}

/// Fields that every row has, and `metadata`.
fn is_apart(name: &str) -> bool {
    matches!(name, "id" | "created_at" | "timestamp" | "level" | "service" | "metadata")
}

fn bit(field: Field) -> u128 {
    1 << field as u8
}

fn micros_of(id: EntryId) -> Option<i64> {
    i64::try_from(id.unix_ms()?).ok()?.checked_mul(1_000)
}
