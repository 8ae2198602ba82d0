//! Counts over time, from the rows themselves.

use super::readers::Files;
use super::running::{self, Finals};
use super::select::{Conditions, conditions};
use crate::fields::MOST_WEIGHT;
use crate::store::StoreError;
use crate::store::histogram::{Bars, By, HistogramSearch, Part};
use hoplog_entry::Kind;
use rusqlite::{Row, params_from_iter};
use std::collections::HashMap;

pub(super) fn histogram(files: &Files, search: &HistogramSearch) -> Result<Bars, StoreError> {
    let mut bars = Bars::default();
    let part = column(search.by);
    for (&day, connection) in &files.by_day {
        let explain = files.explain(day);
        let mut all = conditions(&search.filter);
        all.narrow(connection).map_err(&explain)?;
        let Conditions { from, sql, values, .. } = all;
        // Counted here, as they come: SQLite would sort them first, which takes several times as long.
        let sql = format!(
            "SELECT created_at, {part}, weight FROM {from} WHERE {sql} AND kind IS NOT {kind}",
            kind = running::KIND
        );
        let mut statement = connection.prepare(&sql).map_err(&explain)?;
        let mut rows = statement.query(params_from_iter(&values)).map_err(&explain)?;
        let mut counted = HashMap::<(i64, Option<i64>), (u64, f64)>::new();
        while let Some(row) = rows.next().map_err(&explain)? {
            let bar = row.get::<_, i64>(0).map_err(&explain)?.div_euclid(search.step);
            let weight = row.get::<_, Option<f64>>(2).map_err(&explain)?;
            let weight = weight.map_or(1.0, |weight| weight.clamp(0.0, MOST_WEIGHT));
            if search.by == By::Service {
                add(&mut bars, search.by, bar, row, 1, weight).map_err(&explain)?;
            } else {
                let part = row.get(1).map_err(&explain)?;
                let (stored, sum) = counted.entry((bar, part)).or_default();
                *stored += 1;
                *sum += weight;
            }
        }
        for ((bar, part), (stored, weight)) in counted {
            let part = match search.by {
                By::Level => Part::Level(part.unwrap_or_default()),
                _ => Part::Status(part),
            };
            bars.add(bar, part, stored, weight);
        }
    }
    open(files, search, &mut bars)?;
    Ok(bars)
}

fn column(by: By) -> &'static str {
    match by {
        By::Level => "level",
        By::Status => "status_code / 100 * 100",
        By::Service => "service",
    }
}

/// The part stands in the second column.
fn add(bars: &mut Bars, by: By, bar: i64, row: &Row<'_>, stored: u64, weight: f64) -> rusqlite::Result<()> {
    match by {
        By::Level => bars.add(bar, Part::Level(row.get(1)?), stored, weight),
        By::Status => bars.add(bar, Part::Status(row.get(1)?), stored, weight),
        By::Service => {
            bars.add(bar, Part::Service(row.get_ref(1)?.as_str().unwrap_or_default()), stored, weight);
        }
    }
    Ok(())
}

/// Requests that are open: few, and of each it is asked whether it is.
fn open(files: &Files, search: &HistogramSearch, bars: &mut Bars) -> Result<(), StoreError> {
    let mut filter = search.filter.clone();
    if !filter.kinds.is_empty() && !filter.kinds.contains(&Kind::Running.code()) {
        return Ok(());
    }
    filter.kinds = vec![Kind::Running.code()];
    let Conditions { from, sql, values, .. } = conditions(&filter);
    let sql =
        format!("SELECT exchange_id, {}, created_at, weight FROM {from} WHERE {sql}", column(search.by));
    let mut finals = Finals::of(files);
    for (&day, connection) in &files.by_day {
        let explain = files.explain(day);
        let mut statement = connection.prepare(&sql).map_err(&explain)?;
        let mut rows = statement.query(params_from_iter(&values)).map_err(&explain)?;
        while let Some(row) = rows.next().map_err(&explain)? {
            if finals.is_over(day, row.get_ref(0).map_err(&explain)?)? {
                continue;
            }
            let at: i64 = row.get(2).map_err(&explain)?;
            let weight = row.get::<_, Option<f64>>(3).map_err(&explain)?.unwrap_or(1.0);
            add(bars, search.by, at.div_euclid(search.step), row, 1, weight.clamp(0.0, MOST_WEIGHT))
                .map_err(&explain)?;
        }
    }
    Ok(())
}
