//! Totals, from the tally that the writer keeps and from the few requests that are open.

use super::readers::Files;
use super::running::{self, Finals};
use super::schema;
use crate::store::StoreError;
use crate::store::batch::DEFAULT_PROJECT;
use crate::store::figures::{ServiceFigures, Totals};
use crate::store::tally::{Count, Levels, Open, Services};
use hoplog_entry::Level;

/// Services of one file that are told apart; the rest of a hostile many are left out, the totals are not.
const MOST_SERVICES: i64 = 10_000;

pub(super) fn totals(files: &Files, errors_since: i64) -> Result<Totals, StoreError> {
    let mut levels = Levels::default();
    for (&day, connection) in &files.by_day {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = connection.prepare(
                "SELECT level, sum(entries), total(extra) FROM tally WHERE project = ?1 GROUP BY level",
            )?;
            let mut rows = statement.query([DEFAULT_PROJECT])?;
            while let Some(row) = rows.next()? {
                levels.add(level(row.get(0)?), Count::new(row.get(1)?, row.get(2)?));
            }
            // The condition on the level is, word for word, that of the index, which holds the other columns too.
            // Whether one came as deleted it does not hold: then rows are looked at.
            let hidden = "SELECT 1 FROM tally WHERE project = ?1 AND level >= 4 AND last_at >= ?2";
            let hidden = connection.prepare(hidden)?.exists([schema::HIDDEN, errors_since])?;
            let sql = format!(
                "SELECT count(*), total(ifnull(weight, 1) - 1) FROM entries INDEXED BY entries_errors
                 WHERE project = ?1 AND level >= 4 AND created_at >= ?2 AND kind IS NOT {}{}",
                running::KIND,
                if hidden { " AND ended IS NULL" } else { "" }
            );
            let found = connection
                .query_row(&sql, [DEFAULT_PROJECT, errors_since], |row| Ok((row.get(0)?, row.get(1)?)))?;
            levels.add_errors(Count::new(found.0, found.1));
            Ok(())
        };
        read().map_err(files.explain(day))?;
    }
    Ok(levels.totals(counted(files)?, &open(files)?, errors_since))
}

pub(super) fn services(files: &Files) -> Result<Vec<ServiceFigures>, StoreError> {
    Ok(counted(files)?.figures(&open(files)?))
}

fn counted(files: &Files) -> Result<Services, StoreError> {
    let mut services = Services::default();
    for (&day, connection) in &files.by_day {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = connection.prepare(
                "SELECT service, sum(entries) AS n, total(extra), max(last_at),
                   ifnull(sum(entries) FILTER (WHERE level >= 4), 0), total(extra) FILTER (WHERE level >= 4)
                 FROM tally WHERE project = ?1 GROUP BY service ORDER BY n DESC LIMIT ?2",
            )?;
            let mut rows = statement.query([DEFAULT_PROJECT, MOST_SERVICES])?;
            while let Some(row) = rows.next()? {
                let (all, errors) =
                    (Count::new(row.get(1)?, row.get(2)?), Count::new(row.get(4)?, row.get(5)?));
                services.add(row.get(0)?, all, errors, row.get(3)?);
            }
            Ok(())
        };
        read().map_err(files.explain(day))?;
    }
    Ok(services)
}

/// The requests that are open in all files.
fn open(files: &Files) -> Result<Vec<Open>, StoreError> {
    let mut finals = Finals::of(files);
    let open = files.by_day.iter().map(|(&day, connection)| finals.open(day, connection));
    open.collect::<Result<Vec<_>, _>>().map(|open| open.into_iter().flatten().collect())
}

/// A level by its code.
pub(super) fn level(code: i64) -> Level {
    u8::try_from(code).ok().and_then(Level::from_code).unwrap_or(Level::Info)
}

/// A count, which SQLite keeps signed.
pub(super) use crate::store::figures::number;
