//! Entries taken out for good. They are looked for a stretch at a time, beside the writer, and handed to it a few at a
//! time, so that whatever is deleted, nobody waits long. What tells a copy stays (`gone`).

use super::readers::{Files, Readers};
use super::running;
use super::schema::{DELETED, HIDDEN, LAST};
use super::select::{Conditions, every_row};
use crate::fields::MOST_WEIGHT;
use crate::store::StoreError;
use crate::store::batch::DEFAULT_PROJECT;
use crate::store::search::Filter;
use crate::time::Day;
use rusqlite::{Connection, params, params_from_iter};

/// Rows looked at in one query, and handed to the writer at once.
const STRETCH: i64 = 100_000;
pub(super) const STEP: usize = 500;

/// What one look found.
pub(super) struct Found {
    pub(super) day: Day,
    pub(super) seqs: Vec<i64>,
}

/// Where the next look begins.
#[derive(Clone, Copy)]
struct Place {
    day: Day,
    seq: i64,
}

/// Walks through all rows, the oldest day first.
pub(super) struct Walk {
    readers: Readers,
    filter: Filter,
    next: Option<Place>,
}

impl Walk {
    pub(super) fn new(readers: Readers, filter: Filter) -> Self {
        Self { readers, filter, next: Some(Place { day: Day(i32::MIN), seq: 0 }) }
    }

    /// The rows of the next stretch; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Found>, StoreError> {
        let Some(place) = self.next else { return Ok(None) };
        let filter = self.filter.clone();
        let (found, next) = self.readers.run(move |files| look(files, &filter, place)).await?;
        self.next = next;
        Ok(Some(found))
    }
}

fn look(files: &Files, filter: &Filter, place: Place) -> Result<(Found, Option<Place>), StoreError> {
    let Some((&day, connection)) = files.by_day.range(place.day..).next() else {
        return Ok((Found { day: place.day, seqs: Vec::new() }, None));
    };
    let from = if day == place.day { place.seq } else { 0 };
    let explain = files.explain(day);
    let Conditions { from: table, sql, values, .. } = every_row(filter);
    let sql = format!("SELECT seq FROM {table} WHERE {sql} AND seq > ? AND seq <= ?");
    let until = from.saturating_add(STRETCH);
    let all = values.into_iter().chain([from.into(), until.into()]);
    let mut statement = connection.prepare(&sql).map_err(&explain)?;
    let seqs = statement.query_map(params_from_iter(all), |row| row.get(0)).map_err(&explain)?;
    let seqs = seqs.collect::<Result<Vec<i64>, _>>().map_err(&explain)?;
    let newest: i64 = connection.query_row(LAST, [], |row| row.get(0)).map_err(explain)?;
    let next = match newest > until {
        true => Some(Place { day, seq: until }),
        false => day.0.checked_add(1).map(|day| Place { day: Day(day), seq: 0 }),
    };
    Ok((Found { day, seqs }, next))
}

/// Takes rows out of a file, in one transaction; how many there were.
pub(super) fn erase(connection: &mut Connection, seqs: &[i64]) -> rusqlite::Result<u64> {
    let transaction = connection.transaction()?;
    let mut erased = 0;
    let last: i64 = transaction.query_row(LAST, [], |row| row.get(0))?;
    transaction.execute("DELETE FROM ends", [])?;
    transaction.execute("INSERT INTO ends VALUES (?1)", [last])?;
    {
        let mut keep = transaction.prepare(
            "INSERT OR IGNORE INTO gone (project, id, hash) SELECT project, id, hash FROM entries WHERE seq = ?1",
        )?;
        // Running entries are not in the tally. What it comes to in the end, a rounding may leave below nothing.
        let mut count = transaction.prepare(&format!(
            "UPDATE tally SET entries = tally.entries - 1, extra = CASE WHEN tally.entries = 1 THEN 0
               ELSE tally.extra - (ifnull(min(max(one.weight, 0), {MOST_WEIGHT:.1}), 1) - 1) END
             FROM (SELECT CASE WHEN ended = {DELETED} THEN {HIDDEN} ELSE project END AS counted, service, level, weight
                   FROM entries WHERE seq = ?1 AND kind IS NOT {}) AS one
             WHERE (tally.project, tally.service, tally.level) = (one.counted, one.service, one.level)",
            running::KIND
        ))?;
        let mut delete = transaction.prepare("DELETE FROM entries WHERE seq = ?1")?;
        for seq in seqs {
            keep.execute([seq])?;
            count.execute([seq])?;
            erased += u64::try_from(delete.execute([seq])?).unwrap_or_default();
        }
        transaction.execute("DELETE FROM tally WHERE entries <= 0", [])?;
    }
    transaction.commit()?;
    Ok(erased)
}

/// Whether a file has ids of deleted entries.
pub(super) fn has_gone(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM gone WHERE project = ?1 LIMIT 1")?.exists(params![DEFAULT_PROJECT])
}
