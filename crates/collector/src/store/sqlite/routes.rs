//! What each route did, from the rows themselves.

use super::figures::{number, whole};
use super::readers::Files;
use super::select::{Conditions, conditions};
use crate::fields::MOST_WEIGHT;
use crate::store::StoreError;
use crate::store::figures::{Histogram, RouteFigures};
use crate::store::search::{Filter, Period};
use hoplog_entry::{Kind, Level};
use rusqlite::{Row, params_from_iter};
use std::collections::HashMap;

/// Routes told apart, and the most bytes of one's names; those beyond share one line without names. Bounds the
/// memory of one question.
const MOST_ROUTES: usize = 1_000;
const NAMES_BYTES: usize = 2_000;

/// What is counted of one route.
#[derive(Default)]
struct Route {
    /// service, method, route; all `None` for the routes beyond the bound.
    names: [Option<String>; 3],
    stored: u64,
    /// Sums of weights; of bytes times weight.
    requests: f64,
    errors: f64,
    bytes: f64,
    ttfb: Histogram,
    duration: Histogram,
}

pub(super) fn routes(files: &Files, period: Period) -> Result<Vec<RouteFigures>, StoreError> {
    let filter = Filter { period, kinds: vec![Kind::Request.code()], ..Filter::default() };
    let mut conditions = conditions(&filter);
    if period == Period::default() {
        conditions.from = "entries NOT INDEXED"; // all rows, then as they lie
    }
    let Conditions { from, sql, values } = &conditions;
    let columns = "service, method, route, level, response_size, ttfb_ms, duration_ms, weight";
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
        let weight = row.get::<_, Option<f64>>(7)?.map_or(1.0, |weight| weight.clamp(0.0, MOST_WEIGHT));
        route.stored += 1;
        route.requests += weight;
        if row.get::<_, i64>(3)? >= i64::from(Level::Error.code()) {
            route.errors += weight;
        }
        #[expect(clippy::cast_precision_loss, reason = "a sum for people")]
        let bytes = row.get::<_, Option<i64>>(4)?.map_or(0, number) as f64;
        route.bytes += bytes * weight;
        if let Some(ms) = row.get(5)? {
            route.ttfb.add(ms, weight);
        }
        if let Some(ms) = row.get(6)? {
            route.duration.add(ms, weight);
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
            stored: self.stored,
            requests: whole(self.requests),
            errors: whole(self.errors),
            bytes: whole(self.bytes),
            ttfb_ms: self.ttfb.percentiles(),
            duration_ms: self.duration.percentiles(),
        }
    }
}
