//! What each route did, from the rows themselves.

use super::readers::Files;
use super::select::{Conditions, conditions};
use crate::store::StoreError;
use crate::store::figures::RouteFigures;
use crate::store::routes::{Counted, Routes};
use crate::store::search::{Filter, Period};
use hoplog_entry::{Kind, Level};
use rusqlite::{Row, params_from_iter};

pub(super) fn routes(files: &Files, period: Period) -> Result<Vec<RouteFigures>, StoreError> {
    let filter = Filter { period, kinds: vec![Kind::Request.code()], ..Filter::default() };
    let mut conditions = conditions(&filter);
    if period == Period::default() {
        conditions.from = "entries NOT INDEXED".into(); // all rows, then as they lie
    }
    let Conditions { from, sql, values, .. } = &conditions;
    let columns = "service, method, route, level, response_size, ttfb_ms, duration_ms, weight";
    let sql = format!("SELECT {columns} FROM {from} WHERE {sql}");
    let mut routes = Routes::default();
    for (&day, connection) in &files.by_day {
        let explain = files.explain(day);
        let mut statement = connection.prepare(&sql).map_err(&explain)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(&explain)?;
        while let Some(row) = rows.next().map_err(&explain)? {
            routes.count(&counted(row).map_err(&explain)?);
        }
    }
    Ok(routes.figures())
}

fn counted<'r>(row: &'r Row<'_>) -> rusqlite::Result<Counted<'r>> {
    let mut names = [None; 3];
    for (n, name) in names.iter_mut().enumerate() {
        *name = row.get_ref(n)?.as_str_or_null().unwrap_or_default();
    }
    Ok(Counted {
        names,
        is_error: row.get::<_, i64>(3)? >= i64::from(Level::Error.code()),
        response_size: row.get(4)?,
        ttfb_ms: row.get(5)?,
        duration_ms: row.get(6)?,
        weight: row.get(7)?,
    })
}
