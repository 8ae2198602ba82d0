//! Traces, newest first: the question, and what each of them comes to.

use super::search::{Cursor, Filter};
use crate::fields::Words;
use hoplog_entry::{Kind, Level};
use serde::{Serialize, Serializer};
use std::collections::{BTreeSet, HashSet};

/// A question for a page of traces: those with an entry that passes the filter, each at its newest such entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TraceSearch {
    pub(crate) filter: Filter,
    pub(crate) limit: usize,
    pub(crate) after: Option<TraceCursor>,
}

/// Where a page of traces ended: entries after `last` are still to be looked at, and what arrived above `first`, where
/// the first page began, makes no trace come twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceCursor {
    pub(crate) first: Cursor,
    pub(crate) last: Cursor,
}

impl TraceCursor {
    /// The opaque text that a client gives back.
    pub(crate) fn to_text(self) -> String {
        format!("{}_{}", self.first.to_text(), self.last.to_text())
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('_')?;
        Some(Self { first: Cursor::parse(first)?, last: Cursor::parse(last)? })
    }
}

/// A page of traces.
#[derive(Debug, Default)]
pub(crate) struct TraceListing {
    pub(crate) traces: Vec<TraceSummary>,
    pub(crate) next: Option<TraceCursor>,
}

/// One entry of a trace, as far as it matters here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Member {
    /// Microseconds since the Unix epoch.
    pub(crate) created_at: i64,
    pub(crate) level: i64,
    pub(crate) service: String,
    pub(crate) kind: Option<i64>,
    pub(crate) outcome: Option<i64>,
    pub(crate) method: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) route: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) status_code: Option<i64>,
    pub(crate) duration_ms: Option<f64>,
    pub(crate) slow: bool,
    /// As they are stored: only compared.
    pub(crate) span_id: Option<Vec<u8>>,
    pub(crate) parent_span_id: Option<Vec<u8>>,
}

impl Member {
    fn is_span(&self) -> bool {
        let code = |kind: Kind| Some(i64::from(kind.code()));
        [Kind::Request, Kind::Outgoing, Kind::Running].map(code).contains(&self.kind)
    }

    fn ended(&self) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, NaN is 0")]
        let lasted = (self.duration_ms.unwrap_or_default() * 1e3) as i64;
        self.created_at.saturating_add(lasted.max(0))
    }
}

/// What a trace comes to.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct TraceSummary {
    pub(crate) trace_id: String,
    /// Unix seconds.
    #[serde(serialize_with = "seconds")]
    pub(crate) started_at: i64,
    /// From the first begin to the last end that is known.
    pub(crate) duration_ms: f64,
    /// Of the first span: whose it is, what it was asked and how it ended.
    pub(crate) service: String,
    pub(crate) method: Option<String>,
    pub(crate) route: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) status_code: Option<i64>,
    pub(crate) outcome: Option<&'static str>,
    pub(crate) services: BTreeSet<String>,
    pub(crate) spans: u64,
    pub(crate) entries: u64,
    /// Entries at ERROR or above.
    pub(crate) errors: u64,
    pub(crate) slow: bool,
    /// A span is still open.
    pub(crate) running: bool,
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit")]
fn seconds<S: Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(*micros as f64 / 1e6)
}

impl TraceSummary {
    /// Of a trace's entries, whatever their order; `None` of none.
    pub(crate) fn of(trace_id: String, mut members: Vec<Member>) -> Option<Self> {
        members.sort_by_key(|m| (m.created_at, std::cmp::Reverse(m.ended())));
        let here: HashSet<&[u8]> =
            members.iter().filter(|m| m.is_span()).filter_map(|m| m.span_id.as_deref()).collect();
        // The first one that nobody here called; in a cycle, or among events alone, the first one.
        let called = |m: &&Member| m.parent_span_id.as_deref().is_none_or(|span| !here.contains(span));
        let spans = || members.iter().filter(|m| m.is_span());
        let first = spans().find(called).or_else(|| spans().next()).or_else(|| members.first())?;
        let started_at = members.first()?.created_at;
        let ended = members.iter().map(Member::ended).max()?;
        let count = |wanted: &dyn Fn(&Member) -> bool| {
            members.iter().filter(|m| wanted(m)).fold(0, |n: u64, _| n + 1)
        };
        let outcome = first.outcome.and_then(|code| u8::try_from(code).ok());
        #[expect(clippy::cast_precision_loss, reason = "a duration for people")]
        Some(Self {
            trace_id,
            started_at,
            duration_ms: ended.saturating_sub(started_at) as f64 / 1e3,
            service: first.service.clone(),
            method: first.method.clone(),
            route: first.route.clone(),
            path: first.path.clone(),
            message: first.message.clone(),
            status_code: first.status_code,
            outcome: outcome.and_then(|code| Words::Outcome.word(code)),
            services: members.iter().map(|m| m.service.clone()).collect(),
            spans: count(&Member::is_span),
            entries: count(&|_| true),
            errors: count(&|m| m.level >= i64::from(Level::Error.code())),
            slow: members.iter().any(|m| m.slow),
            running: members.iter().any(|m| m.kind == Some(i64::from(Kind::Running.code()))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(at: i64, ms: f64, span: u8, parent: u8) -> Member {
        Member {
            created_at: at,
            kind: Some(Kind::Request.code().into()),
            duration_ms: Some(ms),
            service: format!("s{span}"),
            span_id: Some(vec![span]),
            parent_span_id: (parent > 0).then(|| vec![parent]),
            ..Member::default()
        }
    }

    #[test]
    fn a_trace_is_named_by_the_span_that_nobody_in_it_called() {
        let event = Member { created_at: 500, level: 4, service: "e".into(), ..Member::default() };
        let members = vec![span(2_000, 1.0, 2, 1), event, span(1_000, 9.5, 1, 7)];
        let summary = TraceSummary::of("t".into(), members).unwrap();
        assert_eq!((summary.service.as_str(), summary.started_at, summary.duration_ms), ("s1", 500, 10.0));
        assert_eq!((summary.spans, summary.entries, summary.errors), (2, 3, 1));
        assert_eq!(summary.services.iter().map(String::as_str).collect::<String>(), "es1s2");
        let cycle = TraceSummary::of("t".into(), vec![span(2, 1.0, 1, 2), span(1, 1.0, 2, 1)]).unwrap();
        assert_eq!(cycle.service, "s2");
        assert_eq!(TraceSummary::of("t".into(), Vec::new()), None);
    }

    #[test]
    fn a_cursor_reads_back_from_its_text_only() {
        let place = |created_at| Cursor { created_at, day: 3, seq: 9 };
        let cursor = TraceCursor { first: place(-7), last: place(5) };
        assert_eq!(TraceCursor::parse(&cursor.to_text()), Some(cursor));
        for bad in ["", "_", "1.2.3", "1.2.3_", "1.2.3_4.5", "1.2.3_4.5.6_"] {
            assert_eq!(TraceCursor::parse(bad), None, "{bad}");
        }
    }
}
