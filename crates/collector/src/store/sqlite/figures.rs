//! Figures: totals from the tally that the writer keeps, routes from the rows themselves.

use super::readers::Files;
use super::select::conditions;
use crate::fields::Words;
use crate::store::StoreError;
use crate::store::batch::DEFAULT_PROJECT;
use crate::store::figures::{Histogram, LevelCount, RouteFigures, ServiceCount, ServiceFigures, Totals};
use crate::store::search::{Filter, Period};
use hoplog_entry::Level;
use rusqlite::params_from_iter;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// Services in `/stats` (protocols §1).
const TOP_SERVICES: usize = 10;
/// Routes told apart, and the longest of their names; those beyond share one line without names. Bounds the memory
/// of one question.
const MOST_ROUTES: usize = 1_000;
const NAME_BYTES: usize = 1_000;

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

/// service, method, route; all `None` for the routes beyond the bound.
type RouteKey = (Option<String>, Option<String>, Option<String>);

#[derive(Default)]
struct Route {
    requests: u64,
    errors: u64,
    bytes: u64,
    ttfb: Histogram,
    duration: Histogram,
}

pub(super) fn routes(files: &Files, period: Period) -> Result<Vec<RouteFigures>, StoreError> {
    let filter = Filter { period, kind: Words::Kind.code("request"), ..Filter::default() };
    let conditions = conditions(&filter);
    let sql = format!(
        "SELECT service, method, route, level, response_size, ttfb_ms, duration_ms FROM entries WHERE {}",
        conditions.sql
    );
    let mut routes: HashMap<RouteKey, Route> = HashMap::new();
    for (&day, connection) in &files.by_day {
        let explain = files.explain(day);
        let mut statement = connection.prepare(&sql).map_err(&explain)?;
        let mut rows = statement.query(params_from_iter(&conditions.values)).map_err(&explain)?;
        while let Some(row) = rows.next().map_err(&explain)? {
            count(row, &mut routes).map_err(&explain)?;
        }
    }
    let mut figures: Vec<RouteFigures> = routes
        .into_iter()
        .map(|((service, method, route), counted)| RouteFigures {
            service,
            method,
            route,
            requests: counted.requests,
            errors: counted.errors,
            bytes: counted.bytes,
            ttfb_ms: counted.ttfb.percentiles(),
            duration_ms: counted.duration.percentiles(),
        })
        .collect();
    figures.sort_by(|a, b| {
        b.requests
            .cmp(&a.requests)
            .then_with(|| (&a.service, &a.route, &a.method).cmp(&(&b.service, &b.route, &b.method)))
    });
    Ok(figures)
}

fn count(row: &rusqlite::Row<'_>, routes: &mut HashMap<RouteKey, Route>) -> rusqlite::Result<()> {
    let key: RouteKey = (row.get(0)?, row.get(1)?, row.get(2)?);
    let short =
        [&key.0, &key.1, &key.2].iter().all(|name| name.as_ref().is_none_or(|n| n.len() <= NAME_BYTES));
    let told_apart = short && (routes.len() < MOST_ROUTES || routes.contains_key(&key));
    let key = if told_apart { key } else { (None, None, None) };
    let route = routes.entry(key).or_default();
    route.requests += 1;
    route.errors += u64::from(row.get::<_, i64>(3)? >= i64::from(Level::Error.code()));
    let bytes = row.get::<_, Option<i64>>(4)?.and_then(|bytes| u64::try_from(bytes).ok());
    route.bytes = route.bytes.saturating_add(bytes.unwrap_or_default());
    if let Some(ms) = row.get(5)? {
        route.ttfb.add(ms);
    }
    if let Some(ms) = row.get(6)? {
        route.duration.add(ms);
    }
    Ok(())
}
