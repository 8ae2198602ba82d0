//! Questions to a store, as values.

use crate::config::Limits;
use hoplog_entry::{Level, TraceId};

/// From (inclusive) and to (exclusive), in microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

/// A status, or a class of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// 404
    Code(u16),
    /// 4 for 4xx
    Class(u8),
}

/// A trace id as asked for: a W3C one, or an opaque one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TraceKey {
    pub(crate) id: Option<TraceId>,
    pub(crate) text: String,
}

impl TraceKey {
    pub(crate) fn new(text: &str) -> Self {
        Self { id: TraceId::parse_lenient(text.as_bytes()).ok(), text: text.to_owned() }
    }
}

/// What an entry must be like; everything given must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Filter {
    pub(crate) period: Period,
    pub(crate) service: Option<String>,
    pub(crate) level: Option<Level>,
    /// This level or above.
    pub(crate) min_level: Option<Level>,
    pub(crate) path: Option<String>,
    pub(crate) route: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) status: Option<Status>,
    pub(crate) trace: Option<TraceKey>,
    pub(crate) request_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) client_type: Option<String>,
    /// An address, or whatever stands in the place of one.
    pub(crate) ip: Option<String>,
    pub(crate) slow: Option<bool>,
    /// Codes of the closed lists; any of the kinds, all if there are none.
    pub(crate) outcome: Option<u8>,
    pub(crate) kinds: Vec<u8>,
    /// At least so long, in milliseconds.
    pub(crate) min_duration_ms: Option<f64>,
    /// Each of them is part of message, path, error type or error message; ASCII letters of any case.
    pub(crate) texts: Vec<String>,
    /// Members of `metadata` and their values as text.
    pub(crate) metadata: Vec<(String, String)>,
}

impl Filter {
    /// Whether it says something that entries have to be read for.
    pub(crate) fn reads(&self) -> bool {
        !self.texts.is_empty() || !self.metadata.is_empty()
    }
}

/// A place in the order of all entries, newest first: by time, then day's file, then arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor {
    pub(crate) created_at: i64,
    pub(crate) day: i32,
    pub(crate) seq: i64,
}

impl Cursor {
    /// The opaque text that a client gives back.
    pub(crate) fn to_text(self) -> String {
        format!("{}.{}.{}", self.created_at, self.day, self.seq)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let cursor = Self {
            created_at: parts.next()?.parse().ok()?,
            day: parts.next()?.parse().ok()?,
            seq: parts.next()?.parse().ok()?,
        };
        (cursor.to_text() == text).then_some(cursor)
    }
}

/// A question for a page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Search {
    pub(crate) filter: Filter,
    pub(crate) limit: usize,
    /// Where the last page ended.
    pub(crate) after: Option<Cursor>,
}

/// What an answer may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

impl Room {
    pub(crate) fn of(limits: &Limits) -> Self {
        Self { entries: limits.answer_entries, bytes: limits.answer_bytes }
    }
}

/// Entries as JSON objects.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The objects, with commas between.
    pub(crate) json: String,
    /// Where the next page begins, if there is more.
    pub(crate) next: Option<Cursor>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_from_its_text_only() {
        let cursor = Cursor { created_at: -5, day: 20_000, seq: i64::MAX };
        assert_eq!(Cursor::parse(&cursor.to_text()), Some(cursor));
        for bad in ["", "1", "1.2", "1.2.3.4", "1.2.x", "+1.2.3", "01.2.3", "1.2.9223372036854775808"] {
            assert_eq!(Cursor::parse(bad), None, "{bad}");
        }
    }
}
