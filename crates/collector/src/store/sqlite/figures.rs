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
/// Routes told apart; those beyond share one line without names. Bounds the memory of one question.
const MOST_ROUTES: usize = 2_000;

/// (service, level code) → entries, newest time.
type Tally = BTreeMap<(String, i64), (u64, i64)>;

fn tally(files: &Files) -> Result<Tally, StoreError> {
    let mut all = Tally::new();
    for (&day, connection) in &files.by_day {
        let mut read = || -> rusqlite::Result<()> {
            let sql = "SELECT service, level, entries, last_at FROM tally WHERE project = ?1";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([DEFAULT_PROJECT])?;
            while let Some(row) = rows.next()? {
                let (entries, last_at) = all.entry((row.get(0)?, row.get(1)?)).or_insert((0, i64::MIN));
                *entries += u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default();
                *last_at = (*last_at).max(row.get(3)?);
            }
            Ok(())
        };
        read().map_err(files.explain(day))?;
    }
    Ok(all)
}

pub(super) fn totals(files: &Files, errors_since: i64) -> Result<Totals, StoreError> {
    let mut totals = Totals::default();
    let (mut levels, mut services) = (BTreeMap::<i64, u64>::new(), BTreeMap::<String, u64>::new());
    for ((service, level), (entries, _)) in tally(files)? {
        totals.total_logs += entries;
        *levels.entry(level).or_default() += entries;
        *services.entry(service).or_default() += entries;
    }
    let level_name = |code: i64| u8::try_from(code).ok().and_then(Level::from_code).map_or("", Level::as_str);
    totals.level_distribution =
        levels.into_iter().map(|(code, count)| LevelCount { level: level_name(code), count }).collect();
    totals.level_distribution.sort_by_key(|level| Reverse(level.count));
    totals.service_distribution =
        services.into_iter().map(|(service, count)| ServiceCount { service, count }).collect();
    totals.service_distribution.sort_by_key(|service| Reverse(service.count));
    totals.service_distribution.truncate(TOP_SERVICES);
    for (&day, connection) in &files.by_day {
        let sql = "SELECT count(*) FROM entries WHERE project = ?1 AND level >= 4 AND created_at >= ?2";
        let errors: i64 = connection
            .query_row(sql, [DEFAULT_PROJECT, errors_since], |row| row.get(0))
            .map_err(files.explain(day))?;
        totals.recent_errors_1h += u64::try_from(errors).unwrap_or_default();
    }
    Ok(totals)
}

pub(super) fn services(files: &Files) -> Result<Vec<ServiceFigures>, StoreError> {
    let mut services: Vec<ServiceFigures> = Vec::new();
    for ((service, level), (entries, last_at)) in tally(files)? {
        if services.last().is_none_or(|last| last.service != service) {
            services.push(ServiceFigures { service, last_seen: f64::MIN, ..ServiceFigures::default() });
        }
        let Some(figures) = services.last_mut() else { continue };
        figures.entries += entries;
        figures.errors += if level >= i64::from(Level::Error.code()) { entries } else { 0 };
        #[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit")]
        let last_seen = last_at as f64 / 1e6;
        figures.last_seen = figures.last_seen.max(last_seen);
    }
    services.sort_by_key(|figures| Reverse(figures.entries));
    Ok(services)
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
    let key = if routes.len() < MOST_ROUTES || routes.contains_key(&key) { key } else { (None, None, None) };
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
