//! Traces, newest first: entries that pass the filter are walked through, and each trace is met at the newest of its own.

use super::listing::{newest_first, places};
use super::readers::Files;
use super::running::{self, Finals};
use super::select::{Conditions, conditions};
use crate::store::StoreError;
use crate::store::search::{Cursor, Filter, TraceKey};
use crate::store::traces::{Member, TraceCursor, TraceListing, TraceSearch, TraceSummary};
use crate::time::Day;
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension as _, Row, params_from_iter};
use std::collections::HashSet;

/// Entries walked through at a time, and for one page: beyond, the page ends early and says where to go on.
const STEP: usize = 500;
const MOST: usize = 20_000;
/// Entries of one trace that are looked at.
const MOST_MEMBERS: usize = 10_000;

pub(super) fn traces(files: &Files, search: &TraceSearch) -> Result<TraceListing, StoreError> {
    let mut listing = TraceListing::default();
    let (mut finals, mut seen) = (Finals::of(files), HashSet::new());
    let (mut first, mut last) = (search.after.map(|after| after.first), search.after.map(|after| after.last));
    for _ in 0..MOST / STEP {
        let found = newest_first(files, &mut finals, last, STEP, &search.filter.period, &|| {
            let mut all = conditions(&search.filter);
            all.and("trace_id IS NOT NULL", []);
            all
        })?;
        let done = found.len() < STEP;
        for place in found {
            if listing.traces.len() == search.limit {
                listing.next = first.zip(last).map(|(first, last)| TraceCursor { first, last });
                return Ok(listing);
            }
            first = first.or(Some(place));
            last = Some(place);
            let Some(key) = trace_at(files, place)? else { continue };
            // On the first page, whoever was met before is among the seen.
            let shown_before = match search.after {
                Some(after) => newest(files, &mut finals, search, &key, after.first)? != Some(place),
                None => false,
            };
            if !seen.insert(key.text.clone()) || shown_before {
                continue;
            }
            let members = members(files, &mut finals, &key)?;
            listing.traces.extend(TraceSummary::of(key.text, members));
        }
        if done {
            return Ok(listing);
        }
    }
    listing.next = first.zip(last).map(|(first, last)| TraceCursor { first, last });
    Ok(listing)
}

/// The trace of the entry at a place.
fn trace_at(files: &Files, place: Cursor) -> Result<Option<TraceKey>, StoreError> {
    let day = Day(place.day);
    let Some(connection) = files.by_day.get(&day) else { return Ok(None) };
    let read = |row: &Row<'_>| {
        Ok(match row.get_ref(0)? {
            ValueRef::Blob(id) => {
                Some(id.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
            }
            ValueRef::Text(text) => std::str::from_utf8(text).ok().map(str::to_owned),
            _ => None,
        })
    };
    let found =
        connection.query_row("SELECT trace_id FROM entries WHERE seq = ?1", [place.seq], read).optional();
    Ok(found.map_err(files.explain(day))?.flatten().map(|text| TraceKey::new(&text)))
}

/// The newest entry of a trace that passes the filter and does not stand before `first`.
fn newest(
    files: &Files,
    finals: &mut Finals<'_>,
    search: &TraceSearch,
    key: &TraceKey,
    first: Cursor,
) -> Result<Option<Cursor>, StoreError> {
    let filter = Filter { trace: Some(key.clone()), ..search.filter.clone() };
    let mut newest = None;
    for &day in files.by_day.keys() {
        let mut all = conditions(&filter);
        // Only where it is the trace's id, as in the walk.
        all.and("trace_id IS NOT NULL", []);
        all.and("created_at <= ?", [first.created_at.into()]);
        let found = places(files, finals, day, all, "created_at DESC, seq DESC", STEP)?;
        newest = newest.max(found.into_iter().filter(|place| *place <= first).max());
    }
    Ok(newest)
}

fn members(files: &Files, finals: &mut Finals<'_>, key: &TraceKey) -> Result<Vec<Member>, StoreError> {
    let mut all = Conditions::new();
    all.in_trace(key);
    let Conditions { from, sql, values, .. } = all;
    let sql = format!(
        "SELECT kind, exchange_id, created_at, level, service, outcome, method, path, route, message, status_code,
           duration_ms, slow, span_id, parent_span_id FROM {from} WHERE {sql} LIMIT {MOST_MEMBERS}"
    );
    let mut members = Vec::new();
    for (&day, connection) in &files.by_day {
        let explain = files.explain(day);
        let mut statement = connection.prepare(&sql).map_err(&explain)?;
        let mut rows = statement.query(params_from_iter(&values)).map_err(&explain)?;
        while let Some(row) = rows.next().map_err(&explain)? {
            let member = member(row).map_err(&explain)?;
            let over = member.kind == Some(running::KIND)
                && finals.is_over(day, row.get_ref(1).map_err(&explain)?)?;
            if !over && members.len() < MOST_MEMBERS {
                members.push(member);
            }
        }
    }
    Ok(members)
}

fn member(row: &Row<'_>) -> rusqlite::Result<Member> {
    let bytes = |column| {
        Ok::<_, rusqlite::Error>(match row.get_ref(column)? {
            ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Some(bytes.to_vec()),
            _ => None,
        })
    };
    Ok(Member {
        kind: row.get(0)?,
        created_at: row.get(2)?,
        level: row.get(3)?,
        service: row.get(4)?,
        outcome: row.get(5)?,
        method: row.get(6)?,
        path: row.get(7)?,
        route: row.get(8)?,
        message: row.get(9)?,
        status_code: row.get(10)?,
        duration_ms: row.get(11)?,
        slow: row.get::<_, Option<bool>>(12)?.unwrap_or_default(),
        span_id: bytes(13)?,
        parent_span_id: bytes(14)?,
    })
}
