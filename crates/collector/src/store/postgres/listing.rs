//! Entries found and shown: a question is a portal, from which rows are taken until the answer is full.

use super::schema;
use super::select::{Conditions, conditions};
use super::wire::{Date, Param, Raw, Time, Uuid};
use crate::fields::{Field, Shape};
use crate::store::search::{Cursor, Listing, Period, Room, Search, TraceKey};
use crate::store::shown::{Shown, Stored};
use crate::time::{DAY, Day, SECOND};
use hoplog_entry::{EntryId, Level};
use tokio_postgres::{Client, Error, Row};

/// Rows that are taken at a time: so many entries of the largest size are in memory at most, beside the answer.
const STEP: i32 = 50;

/// Where there is no index of time, a page is looked for in stretches of time before it is in all: summaries of time tell
/// which rows lie in one, while all of them would have to be sorted.
const STRETCHES: [i64; 3] = [600 * SECOND, 21_600 * SECOND, DAY];

/// One page, newest first. `now` (microseconds) is given where there is no index of time.
pub(super) async fn search(
    client: &mut Client,
    project: i64,
    search: &Search,
    now: Option<i64>,
    room: Room,
) -> Result<Listing, Error> {
    let limit = search.limit.min(room.entries);
    let mut all = conditions(project, &search.filter);
    after(&mut all, search.after);
    let Period { from, to } = search.filter.period;
    if let Some(now) = now.filter(|_| from.is_none() && search.filter.trace.is_none()) {
        let end = now.min(to.unwrap_or(now)).min(search.after.map_or(now, |after| after.created_at));
        for stretch in STRETCHES {
            let mut some = conditions(project, &search.filter);
            after(&mut some, search.after);
            some.and("created_at >= ?", [Time(end.saturating_sub(stretch)).into()]);
            let listing = show(client, some, NEWEST_FIRST, limit, room.bytes).await?;
            if listing.next.is_some() {
                return Ok(listing);
            }
        }
    }
    show(client, all, NEWEST_FIRST, limit, room.bytes).await
}

/// The order of a page.
pub(super) const NEWEST_FIRST: &str = "created_at DESC, id_day DESC, seq DESC";

/// Leaves out what comes before a place in the order of a page.
pub(super) fn after(conditions: &mut Conditions, place: Option<Cursor>) {
    if let Some(Cursor { created_at, day, seq }) = place {
        let place = [Time(created_at).into(), Date(Day(day)).into(), seq.into()];
        conditions.and("(created_at, id_day, seq) < (?, ?, ?)", place);
        // Said once more, as an index is read from here on.
        conditions.and("created_at <= ?", [Time(created_at).into()]);
    }
}

/// A trace, oldest first, as much of it as there is room for.
pub(super) async fn trace(
    client: &mut Client,
    project: i64,
    key: &TraceKey,
    room: Room,
) -> Result<Listing, Error> {
    let mut conditions = Conditions::new(project);
    conditions.in_trace(key);
    show(client, conditions, "created_at, id_day, seq", room.entries, room.bytes).await
}

/// One entry, wherever it lies: first in the day that its id names.
pub(super) async fn entry(client: &mut Client, project: i64, id: EntryId) -> Result<Option<String>, Error> {
    let sql =
        format!("SELECT {} FROM logs WHERE project_id = $1 AND id = $2 AND NOT deleted", schema::shown());
    let named = Day::named_by(id);
    let values = || vec![Param::from(project), Uuid(*id.as_bytes()).into()];
    let mut found = Vec::new();
    if let Some(named) = named {
        let mut values = values();
        values.push(Date(named).into());
        found = rows(client, &format!("{sql} AND id_day = $3"), &values).await?;
    }
    if found.is_empty() {
        let days =
            client.query("SELECT DISTINCT id_day FROM log_tally WHERE project_id = $1", &[&project]).await?;
        let mut days: Vec<Date> = days.iter().map(|row| row.get(0)).collect();
        let running = "SELECT DISTINCT id_day FROM log_open WHERE project_id = $1";
        days.extend(client.query(running, &[&project]).await?.iter().map(|row| row.get::<_, Date>(0)));
        let mut values = values();
        values.push(days.into());
        found = rows(client, &format!("{sql} AND id_day = ANY($3)"), &values).await?;
    }
    Ok(found.first().map(|row| {
        let mut json = String::new();
        write(row, 0, &mut json);
        json
    }))
}

/// The rows of a statement that is put together.
pub(super) async fn rows(client: &Client, sql: &str, values: &[Param]) -> Result<Vec<Row>, Error> {
    let values: Vec<_> = values.iter().map(|value| (value.as_sql(), value.kind())).collect();
    client.query_typed(sql, &values).await
}

/// Shows the first `limit` entries, or as many as fit into `bytes` (one always does).
async fn show(
    client: &mut Client,
    conditions: Conditions,
    order: &str,
    limit: usize,
    bytes: usize,
) -> Result<Listing, Error> {
    let Conditions { sql, values } = conditions;
    let sql = format!(
        "SELECT created_at, id_day, seq, {} FROM logs WHERE {sql} ORDER BY {order} LIMIT {}",
        schema::shown(),
        limit.saturating_add(1) // one more tells whether there is a next page
    );
    let transaction = client.build_transaction().read_only(true).start().await?;
    let kinds: Vec<_> = values.iter().map(Param::kind).collect();
    let statement = transaction.prepare_typed(&sql, &kinds).await?;
    let values: Vec<_> = values.iter().map(Param::as_sql).collect();
    let portal = transaction.bind(&statement, &values).await?;
    let (mut listing, mut last, mut shown) = (Listing::default(), None, 0);
    'page: loop {
        let rows = transaction.query_portal(&portal, STEP).await?;
        let whole = rows.len() < STEP as usize;
        for row in rows {
            if shown >= limit || listing.json.len() >= bytes {
                listing.next = last;
                break 'page;
            }
            if !listing.json.is_empty() {
                listing.json.push(',');
            }
            write(&row, PLACE, &mut listing.json);
            last = Some(place(&row));
            shown += 1;
        }
        if whole {
            break;
        }
    }
    transaction.commit().await?;
    Ok(listing)
}

/// Columns of a row's place, before those that are shown.
const PLACE: usize = 3;
/// Columns that are shown before those of the fields.
const FIRST_FIELD: usize = 6;

pub(super) fn place(row: &Row) -> Cursor {
    let (Time(created_at), Date(day)) = (row.get(0), row.get(1));
    Cursor { created_at, day: day.0, seq: row.get(2) }
}

/// Writes the entry whose columns ([`schema::shown`]) begin at `first`.
pub(super) fn write(row: &Row, first: usize, out: &mut String) {
    let (Uuid(id), Time(created_at)) = (row.get(first), row.get(first + 1));
    let level = row.get::<_, &str>(first + 2).parse().unwrap_or(Level::Info);
    let mut shown =
        Shown::begin(out, EntryId::from_bytes(id), created_at, level.code().into(), row.get(first + 3));
    for (n, field) in Field::columns().enumerate() {
        let raw = row.get::<_, Option<Raw<'_>>>(first + FIRST_FIELD + n);
        shown.field(field, raw.map_or(Stored::Null, |Raw(raw)| value(field, raw)));
    }
    shown.end(row.get(first + 4), row.get(first + 5));
}

/// A column's value, by the type that the field's shape has in the schema.
fn value(field: Field, raw: &[u8]) -> Stored<'_> {
    match field.shape() {
        Shape::Integer => raw.try_into().map_or(Stored::Null, |n| Stored::Integer(i64::from_be_bytes(n))),
        Shape::Real | Shape::Weight => {
            raw.try_into().map_or(Stored::Null, |n| Stored::Real(f64::from_be_bytes(n)))
        }
        Shape::Bool => Stored::Integer(i64::from(raw != [0])),
        Shape::Id => Stored::Bytes(raw),
        _ => std::str::from_utf8(raw).map_or(Stored::Null, Stored::Text),
    }
}
