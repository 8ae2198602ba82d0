//! Traces, newest first: entries that pass the filter are walked through, and each trace is met at the newest of its own.

use super::listing::{NEWEST_FIRST, after, place, rows};
use super::select::{Conditions, conditions};
use super::wire::{Date, Time};
use crate::fields::Words;
use crate::store::search::{Cursor, Filter, TraceKey};
use crate::store::traces::{Member, TraceCursor, TraceListing, TraceSearch, TraceSummary};
use crate::time::Day;
use hoplog_entry::Level;
use std::collections::HashSet;
use tokio_postgres::{Client, Error, Row};

/// Entries walked through at a time, and for one page: beyond, the page ends early and says where to go on.
const STEP: usize = 500;
const MOST: usize = 20_000;
/// Entries of one trace that are looked at.
const MOST_MEMBERS: usize = 10_000;

pub(super) async fn traces(
    client: &mut Client,
    project: i64,
    search: &TraceSearch,
) -> Result<TraceListing, Error> {
    let (mut listing, mut seen) = (TraceListing::default(), HashSet::new());
    let (mut first, mut last) = (search.after.map(|after| after.first), search.after.map(|after| after.last));
    for _ in 0..MOST / STEP {
        let mut all = conditions(project, &search.filter);
        all.and("trace_id IS NOT NULL", []);
        after(&mut all, last);
        let Conditions { sql, values } = all;
        let sql = format!(
            "SELECT created_at, id_day, seq, trace_id FROM logs WHERE {sql} ORDER BY {NEWEST_FIRST} LIMIT {STEP}"
        );
        let found = rows(client, &sql, &values).await?;
        let done = found.len() < STEP;
        for row in found {
            if listing.traces.len() == search.limit {
                listing.next = first.zip(last).map(|(first, last)| TraceCursor { first, last });
                return Ok(listing);
            }
            let place = place(&row);
            first = first.or(Some(place));
            last = Some(place);
            let key = TraceKey::new(row.get(3));
            if !seen.insert(key.text.clone()) {
                continue;
            }
            // On the first page, whoever was met before is among the seen.
            if let Some(after) = search.after
                && newest(client, project, search, &key, after.first).await? != Some(place)
            {
                continue;
            }
            let members = members(client, project, &key).await?;
            listing.traces.extend(TraceSummary::of(key.text, members));
        }
        if done {
            return Ok(listing);
        }
    }
    listing.next = first.zip(last).map(|(first, last)| TraceCursor { first, last });
    Ok(listing)
}

/// The newest entry of a trace that passes the filter and does not stand before `first`.
async fn newest(
    client: &Client,
    project: i64,
    search: &TraceSearch,
    key: &TraceKey,
    first: Cursor,
) -> Result<Option<Cursor>, Error> {
    let filter = Filter { trace: Some(key.clone()), ..search.filter.clone() };
    let mut all = conditions(project, &filter);
    // Only where it is the trace's id, as in the walk.
    all.and("trace_id IS NOT NULL", []);
    let end = [Time(first.created_at).into(), Date(Day(first.day)).into(), first.seq.into()];
    all.and("(created_at, id_day, seq) <= (?, ?, ?)", end);
    let Conditions { sql, values } = all;
    let sql = format!("SELECT created_at, id_day, seq FROM logs WHERE {sql} ORDER BY {NEWEST_FIRST} LIMIT 1");
    Ok(rows(client, &sql, &values).await?.first().map(place))
}

async fn members(client: &Client, project: i64, key: &TraceKey) -> Result<Vec<Member>, Error> {
    let mut all = Conditions::new(project);
    all.in_trace(key);
    let Conditions { sql, values } = all;
    let sql = format!(
        "SELECT created_at, level, service, kind, outcome, method, path, route, message, status_code, duration_ms, slow,
           span_id, parent_span_id FROM logs WHERE {sql} LIMIT {MOST_MEMBERS}"
    );
    Ok(rows(client, &sql, &values).await?.iter().map(member).collect())
}

fn member(row: &Row) -> Member {
    let code = |words: Words, column| {
        row.get::<_, Option<&str>>(column).and_then(|word| words.code(word)).map(i64::from)
    };
    let bytes = |column| row.get::<_, Option<String>>(column).map(String::into_bytes);
    Member {
        created_at: row.get::<_, Time>(0).0,
        level: row.get::<_, &str>(1).parse().unwrap_or(Level::Info).code().into(),
        service: row.get(2),
        kind: code(Words::Kind, 3),
        outcome: code(Words::Outcome, 4),
        method: row.get(5),
        path: row.get(6),
        route: row.get(7),
        message: row.get(8),
        status_code: row.get(9),
        duration_ms: row.get(10),
        slow: row.get::<_, Option<bool>>(11).unwrap_or_default(),
        span_id: bytes(12),
        parent_span_id: bytes(13),
    }
}
