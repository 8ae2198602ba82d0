//! Figures: totals from the tally that the writer keeps, routes from the rows themselves.

use super::readers::Files;
use super::select::{Conditions, conditions};
use crate::fields::Words;
use crate::store::StoreError;
use crate::store::batch::DEFAULT_PROJECT;
use crate::store::figures::{Histogram, LevelCount, RouteFigures, ServiceCount, ServiceFigures, Totals};
use crate::store::search::{Filter, Period};
use hoplog_entry::Level;
use rusqlite::{Row, params_from_iter};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// Services in `/stats` (protocols §1).
const TOP_SERVICES: usize = 10;
/// Routes told apart, and the most bytes of one's names; those beyond share one line without names. Bounds the
/// memory of one question.
const MOST_ROUTES: usize = 1_000;
const NAMES_BYTES: usize = 2_000;

/// Services of one file that are told apart; the rest of a hostile many are left out, the totals are not.
const MOST_SERVICES: i64 = 10_000;

pub(super) fn totals(files: &Files, errors_since: i64) -> Result<Totals, StoreError> {
    let mut levels = BTreeMap::<i64, u64>::new();
    let mut errors = 0;
    for (&day, connection) in &files.by_day {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = connection
                .prepare("SELECT level, sum(entries) FROM tally WHERE project = ?1 GROUP BY level")?;
            let mut rows = statement.query([DEFAULT_PROJECT])?;
            while let Some(row) = rows.next()? {
                *levels.entry(row.get(0)?).or_default() += number(row.get(1)?);
            }
            // The condition on the level is, word for word, that of the index.
            let sql = "SELECT count(*) FROM entries WHERE project = ?1 AND level >= 4 AND created_at >= ?2";
            errors += number(connection.query_row(sql, [DEFAULT_PROJECT, errors_since], |row| row.get(0))?);
            Ok(())
        };
        read().map_err(files.explain(day))?;
    }
    let name = |code: i64| u8::try_from(code).ok().and_then(Level::from_code).map_or("", Level::as_str);
    let mut level_distribution: Vec<LevelCount> =
        levels.iter().map(|(&code, &count)| LevelCount { level: name(code), count }).collect();
    level_distribution.sort_by_key(|level| Reverse(level.count));
    let services = services(files)?.into_iter().take(TOP_SERVICES);
    Ok(Totals {
        total_logs: levels.values().sum(),
        level_distribution,
        service_distribution: services
            .map(|figures| ServiceCount { service: figures.service, count: figures.entries })
            .collect(),
        recent_errors_1h: errors,
    })
}

pub(super) fn services(files: &Files) -> Result<Vec<ServiceFigures>, StoreError> {
    let mut services = BTreeMap::<String, ServiceFigures>::new();
    for (&day, connection) in &files.by_day {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = connection.prepare(
                "SELECT service, sum(entries) AS n, sum(entries) FILTER (WHERE level >= 4), max(last_at)
                 FROM tally WHERE project = ?1 GROUP BY service ORDER BY n DESC LIMIT ?2",
            )?;
            let mut rows = statement.query([DEFAULT_PROJECT, MOST_SERVICES])?;
            while let Some(row) = rows.next()? {
                let service: String = row.get(0)?;
                let figures = services.entry(service.clone()).or_insert(ServiceFigures {
                    service,
                    last_seen: f64::MIN,
                    ..ServiceFigures::default()
                });
                figures.entries += number(row.get(1)?);
                figures.errors += number(row.get::<_, Option<i64>>(2)?.unwrap_or_default());
                #[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit")]
                let last_seen = row.get::<_, i64>(3)? as f64 / 1e6;
                figures.last_seen = figures.last_seen.max(last_seen);
            }
            Ok(())
        };
        read().map_err(files.explain(day))?;
    }
    let mut services: Vec<ServiceFigures> = services.into_values().collect();
    services.sort_by_key(|figures| Reverse(figures.entries));
    Ok(services)
}

/// A count, which SQLite keeps signed.
fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// What is counted of one route.
#[derive(Default)]
struct Route {
    /// service, method, route; all `None` for the routes beyond the bound.
    names: [Option<String>; 3],
    requests: u64,
    errors: u64,
    bytes: u64,
    ttfb: Histogram,
    duration: Histogram,
}

pub(super) fn routes(files: &Files, period: Period) -> Result<Vec<RouteFigures>, StoreError> {
    let filter = Filter { period, kind: Words::Kind.code("request"), ..Filter::default() };
    let mut conditions = conditions(&filter);
    if period == Period::default() {
        conditions.from = "entries NOT INDEXED"; // all rows, then as they lie
    }
    let Conditions { from, sql, values } = &conditions;
    let columns = "service, method, route, level, response_size, ttfb_ms, duration_ms";
    let sql = format!("SELECT {columns} FROM {from} WHERE {sql}");
    let mut routes = Routes::default();
    for (&day, connection) in &files.by_day {
        let explain = files.explain(day);
        let mut statement = connection.prepare(&sql).map_err(&explain)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(&explain)?;
        while let Some(row) = rows.next().map_err(&explain)? {
            routes.count(row).map_err(&explain)?;
        }
    }
    let mut figures: Vec<RouteFigures> = routes.by_key.into_values().map(Route::figures).collect();
    figures.sort_by(|a, b| {
        let names = |f: &RouteFigures| (f.service.clone(), f.route.clone(), f.method.clone());
        b.requests.cmp(&a.requests).then_with(|| names(a).cmp(&names(b)))
    });
    Ok(figures)
}

#[derive(Default)]
struct Routes {
    by_key: HashMap<String, Route>,
    /// The key at hand, in memory that stays.
    key: String,
}

impl Routes {
    fn count(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let mut names = [None; 3];
        self.key.clear();
        for (n, name) in names.iter_mut().enumerate() {
            *name = row.get_ref(n)?.as_str_or_null().unwrap_or_default();
            // No text that is stored has a NUL in it.
            self.key.push_str(name.unwrap_or("\0"));
            self.key.push('\0');
        }
        let known = self.by_key.contains_key(&self.key);
        if !known && (self.by_key.len() >= MOST_ROUTES || self.key.len() > NAMES_BYTES) {
            self.key.clear();
            names = [None; 3];
        }
        if !self.by_key.contains_key(&self.key) {
            let names = names.map(|name| name.map(str::to_owned));
            self.by_key.insert(self.key.clone(), Route { names, ..Route::default() });
        }
        let Some(route) = self.by_key.get_mut(&self.key) else { return Ok(()) };
        route.requests += 1;
        route.errors += u64::from(row.get::<_, i64>(3)? >= i64::from(Level::Error.code()));
        route.bytes = route.bytes.saturating_add(row.get::<_, Option<i64>>(4)?.map_or(0, number));
        if let Some(ms) = row.get(5)? {
            route.ttfb.add(ms);
        }
        if let Some(ms) = row.get(6)? {
            route.duration.add(ms);
        }
        Ok(())
    }
}

impl Route {
    fn figures(self) -> RouteFigures {
        let [service, method, route] = self.names;
        RouteFigures {
            service,
            method,
            route,
            requests: self.requests,
            errors: self.errors,
            bytes: self.bytes,
            ttfb_ms: self.ttfb.percentiles(),
            duration_ms: self.duration.percentiles(),
        }
    }
}
