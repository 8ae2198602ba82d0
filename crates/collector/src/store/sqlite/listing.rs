//! Entries found and shown. Two steps: first the places of what is asked for, over all files in one order, then the
//! rows at those places, as many as an answer holds.

use super::readers::Files;
use super::running::{self, Finals};
use super::schema;
use super::select::{Conditions, conditions};
use crate::fields::Field;
use crate::store::StoreError;
use crate::store::batch::DEFAULT_PROJECT;
use crate::store::search::{Cursor, Listing, Period, Room, Search, TraceKey};
use crate::store::shown::{Shown, Stored};
use crate::time::Day;
use hoplog_entry::EntryId;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

/// One page, newest first.
pub(super) fn search(files: &Files, search: &Search, room: Room) -> Result<Listing, StoreError> {
    let limit = search.limit.min(room.entries);
    // One more than asked for tells whether there is a next page.
    let (wanted, period) = (limit + 1, &search.filter.period);
    let all = || conditions(&search.filter);
    let found = newest_first(files, &mut Finals::of(files), search.after, wanted, period, &all)?;
    show(files, &found, limit, room.bytes)
}

/// Where the newest entries of all files stand that meet the conditions, after a place.
pub(super) fn newest_first(
    files: &Files,
    finals: &mut Finals<'_>,
    after: Option<Cursor>,
    wanted: usize,
    period: &Period,
    all: &dyn Fn() -> Conditions,
) -> Result<Vec<Cursor>, StoreError> {
    let mut found = Vec::<Cursor>::new();
    let mut ranges = Vec::new();
    for (&day, connection) in &files.by_day {
        if let Some((oldest, newest)) = range(connection).map_err(files.explain(day))? {
            ranges.push((newest, oldest, day));
        }
    }
    // Files overlap in time: an entry lies where its id says, whatever time it states. The newest come first, and a
    // file is not read at all once the page is full of newer ones.
    ranges.sort_by_key(|(newest, _, day)| std::cmp::Reverse((*newest, *day)));
    for (newest, oldest, day) in ranges {
        let last = found.get(wanted - 1).map(|cursor| cursor.created_at);
        if last.is_some_and(|last| last > newest) {
            break;
        }
        let outside = period.from.is_some_and(|from| newest < from)
            || period.to.is_some_and(|to| oldest >= to)
            || after.is_some_and(|after| oldest > after.created_at);
        if outside {
            continue;
        }
        let mut conditions = all();
        if let Some(after) = after {
            follow(&mut conditions, after, day);
        }
        let order = "created_at DESC, seq DESC";
        found.extend(places(files, finals, day, conditions, order, wanted)?);
        found.sort_unstable_by_key(|cursor| std::cmp::Reverse(*cursor));
        found.truncate(wanted);
    }
    Ok(found)
}

/// A trace, oldest first, as much of it as there is room for.
pub(super) fn trace(files: &Files, key: &TraceKey, room: Room) -> Result<Listing, StoreError> {
    let (mut found, mut finals) = (Vec::new(), Finals::of(files));
    for &day in files.by_day.keys() {
        let mut conditions = Conditions::new();
        conditions.in_trace(key);
        let wanted = room.entries.saturating_add(1);
        found.extend(places(files, &mut finals, day, conditions, "created_at, seq", wanted)?);
    }
    found.sort_unstable();
    show(files, &found, room.entries, room.bytes)
}

/// One entry, wherever it lies.
pub(super) fn entry(files: &Files, id: EntryId) -> Result<Option<String>, StoreError> {
    for (day, connection) in candidates(files, id) {
        let explain = files.explain(day);
        let seq = connection
            .query_row(
                "SELECT seq FROM entries WHERE project = ?1 AND id = ?2 AND ended IS NOT ?3",
                params![DEFAULT_PROJECT, &id.as_bytes()[..], schema::DELETED],
                |row| row.get::<_, i64>(0),
            )
            .optional()
            .map_err(&explain)?;
        if let Some(seq) = seq {
            let mut json = String::new();
            Rows::new(connection).and_then(|mut rows| rows.show(seq, &mut json)).map_err(&explain)?;
            return Ok(Some(json));
        }
    }
    Ok(None)
}

/// The files in which an id may lie, the likeliest first.
fn candidates(files: &Files, id: EntryId) -> impl Iterator<Item = (Day, &Connection)> {
    let own = Day::named_by(id);
    let first = own.and_then(|day| files.by_day.get_key_value(&day));
    let others = files.by_day.iter().rev().filter(move |(day, _)| Some(**day) != own);
    first.into_iter().chain(others).map(|(day, connection)| (*day, connection))
}

/// Oldest and newest `created_at` of a file; `None` for an empty one.
fn range(connection: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    // Each end by itself is one step in the index; both in one statement would read all of it.
    let end = |order: &str| {
        let sql =
            format!("SELECT created_at FROM entries WHERE project = ?1 ORDER BY created_at {order} LIMIT 1");
        connection.query_row(&sql, [DEFAULT_PROJECT], |row| row.get(0)).optional()
    };
    Ok(end("ASC")?.zip(end("DESC")?))
}

/// Leaves out what comes before the cursor in the order of all entries: by time, then day, then arrival.
fn follow(conditions: &mut Conditions, after: Cursor, day: Day) {
    match day.0.cmp(&after.day) {
        std::cmp::Ordering::Less => conditions.and("created_at <= ?", [after.created_at.into()]),
        std::cmp::Ordering::Greater => conditions.and("created_at < ?", [after.created_at.into()]),
        std::cmp::Ordering::Equal => {
            conditions.and("(created_at, seq) < (?, ?)", [after.created_at.into(), after.seq.into()]);
        }
    }
}

/// Where the first `most` entries of a file stand that meet the conditions. A running entry whose final one is
/// there is none of them.
pub(super) fn places(
    files: &Files,
    finals: &mut Finals<'_>,
    day: Day,
    mut conditions: Conditions,
    order: &str,
    most: usize,
) -> Result<Vec<Cursor>, StoreError> {
    let Some(connection) = files.by_day.get(&day) else { return Ok(Vec::new()) };
    let explain = files.explain(day);
    conditions.narrow(connection).map_err(&explain)?;
    let Conditions { from, sql, values, .. } = conditions;
    let sql = format!("SELECT created_at, seq, kind, exchange_id FROM {from} WHERE {sql} ORDER BY {order}");
    let mut statement = connection.prepare(&sql).map_err(&explain)?;
    let mut rows = statement.query(params_from_iter(values)).map_err(&explain)?;
    let mut found = Vec::new();
    while found.len() < most {
        let Some(row) = rows.next().map_err(&explain)? else { break };
        let cursor = Cursor {
            created_at: row.get(0).map_err(&explain)?,
            day: day.0,
            seq: row.get(1).map_err(&explain)?,
        };
        let kind: Option<i64> = row.get(2).map_err(&explain)?;
        let exchange = row.get_ref(3).map_err(&explain)?;
        if kind != Some(running::KIND) || !finals.is_over(day, exchange)? {
            found.push(cursor);
        }
    }
    Ok(found)
}

/// Shows the first `limit` places, or as many as fit into `bytes` (one always does).
fn show(files: &Files, found: &[Cursor], limit: usize, bytes: usize) -> Result<Listing, StoreError> {
    let mut listing = Listing::default();
    let mut open: Option<(i32, Rows<'_>)> = None;
    let mut last = None;
    for (n, place) in found.iter().enumerate() {
        if n >= limit || listing.json.len() >= bytes {
            listing.next = last;
            break;
        }
        let day = Day(place.day);
        let Some(connection) = files.by_day.get(&day) else { continue };
        let explain = files.explain(day);
        let mut rows = match open.take() {
            Some((at, rows)) if at == place.day => rows,
            _ => Rows::new(connection).map_err(&explain)?,
        };
        if !listing.json.is_empty() {
            listing.json.push(',');
        }
        rows.show(place.seq, &mut listing.json).map_err(&explain)?;
        open = Some((place.day, rows));
        last = Some(*place);
    }
    Ok(listing)
}

/// The rows of one file, by place.
pub(super) struct Rows<'c> {
    statement: rusqlite::Statement<'c>,
}

impl<'c> Rows<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let (head, fields) = (schema::HEAD, schema::field_columns());
        let statement = connection.prepare(&format!("SELECT {head}{fields} FROM entries WHERE seq = ?1"))?;
        Ok(Self { statement })
    }

    pub(super) fn show(&mut self, seq: i64, out: &mut String) -> rusqlite::Result<()> {
        self.statement.query_row([seq], |row| write(row, out))
    }
}

/// Columns before those of the fields.
const FIRST_FIELD: usize = 6;

fn write(row: &Row<'_>, out: &mut String) -> rusqlite::Result<()> {
    let id = EntryId::from_bytes(row.get(0)?);
    let service = row.get_ref(3)?;
    let mut shown = Shown::begin(out, id, row.get(1)?, row.get(2)?, service.as_str().unwrap_or_default());
    for field in Field::columns() {
        let value = match row.get_ref(FIRST_FIELD + field as usize)? {
            ValueRef::Null => Stored::Null,
            ValueRef::Integer(n) => Stored::Integer(n),
            ValueRef::Real(n) => Stored::Real(n),
            ValueRef::Text(text) => std::str::from_utf8(text).map_or(Stored::Null, Stored::Text),
            ValueRef::Blob(bytes) => Stored::Bytes(bytes),
        };
        shown.field(field, value);
    }
    let (detail, metadata) = (row.get_ref(4)?, row.get_ref(5)?);
    shown.end(detail.as_str().ok(), metadata.as_str().ok());
    Ok(())
}
