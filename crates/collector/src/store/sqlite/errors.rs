//! Errors grouped, from the rows themselves.

use super::listing::newest_first;
use super::readers::Files;
use super::running::Finals;
use super::select::conditions;
use crate::fields::MOST_WEIGHT;
use crate::store::StoreError;
use crate::store::errors::{ErrorGroups, ErrorListing, ErrorSearch, Occurrence};
use crate::store::search::Cursor;
use crate::time::Day;
use hoplog_entry::EntryId;
use rusqlite::{Row, Statement};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Entries looked up at a time.
const STEP: usize = 5_000;

pub(super) fn errors(files: &Files, search: &ErrorSearch) -> Result<ErrorListing, StoreError> {
    let mut groups = ErrorGroups::default();
    let (mut finals, mut last) = (Finals::of(files), None);
    let mut statements = HashMap::<Day, Statement<'_>>::new();
    'pages: loop {
        let found = newest_first(files, &mut finals, last, STEP, &search.filter.period, &|| {
            conditions(&search.filter)
        })?;
        let done = found.len() < STEP;
        last = found.last().copied();
        for Cursor { created_at, day, seq } in found {
            let day = Day(day);
            let Some(connection) = files.by_day.get(&day) else { continue };
            let explain = files.explain(day);
            let statement = match statements.entry(day) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(connection.prepare(ONE).map_err(&explain)?),
            };
            let more =
                statement.query_row([seq], |row| add(&mut groups, row, created_at)).map_err(explain)?;
            if !more {
                break 'pages;
            }
        }
        if done {
            break;
        }
    }
    Ok(groups.finish(search.limit))
}

const ONE: &str = "SELECT id, service, route, message, error_type, error_message, stack_trace, weight
                   FROM entries WHERE seq = ?1";

fn add(groups: &mut ErrorGroups, row: &Row<'_>, created_at: i64) -> rusqlite::Result<bool> {
    let text = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str_or_null().unwrap_or_default());
    let weight = row.get::<_, Option<f64>>(7)?.map_or(1.0, |weight| weight.clamp(0.0, MOST_WEIGHT));
    Ok(groups.add(Occurrence {
        id: EntryId::from_bytes(row.get(0)?),
        created_at,
        service: text(1)?.unwrap_or_default(),
        route: text(2)?,
        message: text(3)?.unwrap_or_default(),
        error_type: text(4)?,
        error_message: text(5)?,
        stack_trace: text(6)?,
        weight,
    }))
}
