//! Totals, from the tally that the writer keeps and from the few requests that are open.

use super::readers::Files;
use super::running::{self, Finals, Open};
use crate::store::StoreError;
use crate::store::batch::DEFAULT_PROJECT;
use crate::store::figures::{LevelCount, ServiceCount, ServiceFigures, Totals};
use hoplog_entry::Level;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The code from which on an entry is an error.
const ERROR: i64 = Level::Error.code() as i64;
/// Services in `/stats` (protocols §1).
const TOP_SERVICES: usize = 10;
/// Services of one file that are told apart; the rest of a hostile many are left out, the totals are not.
const MOST_SERVICES: i64 = 10_000;

pub(super) fn totals(files: &Files, errors_since: i64) -> Result<Totals, StoreError> {
    let mut levels = BTreeMap::<i64, Count>::new();
    let mut errors = Count::default();
    for (&day, connection) in &files.by_day {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = connection.prepare(
                "SELECT level, sum(entries), total(extra) FROM tally WHERE project = ?1 GROUP BY level",
            )?;
            let mut rows = statement.query([DEFAULT_PROJECT])?;
            while let Some(row) = rows.next()? {
                levels.entry(row.get(0)?).or_default().add(row.get(1)?, row.get(2)?);
            }
            // The condition on the level is, word for word, that of the index, which holds the other columns too.
            let sql = format!(
                "SELECT count(*), total(ifnull(weight, 1) - 1) FROM entries INDEXED BY entries_errors
                 WHERE project = ?1 AND level >= 4 AND created_at >= ?2 AND kind IS NOT {}",
                running::KIND
            );
            let found = connection
                .query_row(&sql, [DEFAULT_PROJECT, errors_since], |row| Ok((row.get(0)?, row.get(1)?)))?;
            errors.add(found.0, found.1);
            Ok(())
        };
        read().map_err(files.explain(day))?;
    }
    let open = open(files)?;
    for entry in &open {
        levels.entry(entry.level).or_default().add(1, entry.weight - 1.0);
        if entry.level >= ERROR && entry.created_at >= errors_since {
            errors.add(1, entry.weight - 1.0);
        }
    }
    let name = |code: i64| u8::try_from(code).ok().and_then(Level::from_code).map_or("", Level::as_str);
    let mut level_distribution: Vec<LevelCount> = levels
        .iter()
        .map(|(&code, count)| LevelCount { level: name(code), count: count.weighted() })
        .collect();
    level_distribution.sort_by_key(|level| Reverse(level.count));
    let services = services_with(files, &open)?.into_iter().take(TOP_SERVICES);
    Ok(Totals {
        total_logs: levels.values().map(Count::weighted).sum(),
        stored: levels.values().map(|count| count.entries).sum(),
        level_distribution,
        service_distribution: services
            .map(|figures| ServiceCount { service: figures.service, count: figures.entries })
            .collect(),
        recent_errors_1h: errors.weighted(),
    })
}

pub(super) fn services(files: &Files) -> Result<Vec<ServiceFigures>, StoreError> {
    services_with(files, &open(files)?)
}

fn services_with(files: &Files, open: &[Open]) -> Result<Vec<ServiceFigures>, StoreError> {
    let mut services = BTreeMap::<String, Service>::new();
    for (&day, connection) in &files.by_day {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = connection.prepare(
                "SELECT service, sum(entries) AS n, total(extra), max(last_at),
                   sum(entries) FILTER (WHERE level >= 4), total(extra) FILTER (WHERE level >= 4)
                 FROM tally WHERE project = ?1 GROUP BY service ORDER BY n DESC LIMIT ?2",
            )?;
            let mut rows = statement.query([DEFAULT_PROJECT, MOST_SERVICES])?;
            while let Some(row) = rows.next()? {
                let service = services.entry(row.get(0)?).or_default();
                service.all.add(row.get(1)?, row.get(2)?);
                service.last_seen = service.last_seen.max(row.get(3)?);
                service.errors.add(row.get::<_, Option<i64>>(4)?.unwrap_or_default(), row.get(5)?);
            }
            Ok(())
        };
        read().map_err(files.explain(day))?;
    }
    for entry in open {
        let service = services.entry(entry.service.clone()).or_default();
        service.all.add(1, entry.weight - 1.0);
        service.last_seen = service.last_seen.max(Some(entry.created_at));
        if entry.level >= ERROR {
            service.errors.add(1, entry.weight - 1.0);
        }
    }
    let mut services: Vec<ServiceFigures> = services.into_iter().map(Service::figures).collect();
    services.sort_by_key(|figures| Reverse(figures.entries));
    Ok(services)
}

/// The requests that are open in all files.
fn open(files: &Files) -> Result<Vec<Open>, StoreError> {
    let mut finals = Finals::of(files);
    let open = files.by_day.iter().map(|(&day, connection)| finals.open(day, connection));
    open.collect::<Result<Vec<_>, _>>().map(|open| open.into_iter().flatten().collect())
}

/// Entries, and what their weights make more of them.
#[derive(Default)]
struct Count {
    entries: u64,
    extra: f64,
}

impl Count {
    fn add(&mut self, entries: i64, extra: f64) {
        self.entries += number(entries);
        self.extra += extra;
    }

    fn weighted(&self) -> u64 {
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
        whole(self.entries as f64 + self.extra)
    }
}

/// What is counted of one service.
#[derive(Default)]
struct Service {
    all: Count,
    errors: Count,
    last_seen: Option<i64>,
}

impl Service {
    fn figures((service, counted): (String, Self)) -> ServiceFigures {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit")]
        let last_seen = counted.last_seen.unwrap_or_default() as f64 / 1e6;
        let (entries, errors) = (counted.all.weighted(), counted.errors.weighted());
        ServiceFigures { service, entries, errors, last_seen }
    }
}

/// A count, which SQLite keeps signed.
pub(super) fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// A sum of weights, as a count.
pub(super) fn whole(sum: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, NaN is 0")]
    {
        sum.round() as u64
    }
}
