//! The counts of every day, service and level, kept as entries come: no question counts all rows.

use super::transact::{Session, Work};
use super::trouble::Trouble;
use super::wire::{Date, Time};
use crate::fields::Field;
use crate::store::batch::Value;
use crate::time::Day;
use hoplog_entry::{Kind, Level};
use std::collections::BTreeMap;

/// Of one day, service and level.
#[derive(Default)]
struct Counted {
    entries: i64,
    /// What the weights make more of them.
    extra: f64,
    last_at: Option<i64>,
}

/// Counts what was stored. Running entries come to nothing once they end, and are counted as they are met.
pub(super) async fn add(session: &mut Session, project: i64, works: &[Work]) -> Result<(), Trouble> {
    let mut counts = BTreeMap::<(Day, &str, Level), Counted>::new();
    for work in works {
        for row in work.stored() {
            let (mut running, mut weight) = (false, 1.0);
            for cell in work.batch.cells(row) {
                match (cell.field, cell.value) {
                    (Field::Kind, Value::Integer(kind)) => running = kind == i64::from(Kind::Running.code()),
                    (Field::Weight, Value::Real(w)) => weight = w,
                    _ => {}
                }
            }
            if !running {
                let counted = counts.entry((row.day, work.batch.text(row.service), row.level)).or_default();
                counted.entries += 1;
                counted.extra += weight - 1.0;
                counted.last_at = counted.last_at.max(Some(row.created_at));
            }
        }
    }
    if counts.is_empty() {
        return Ok(());
    }
    let keys = || counts.keys();
    let days: Vec<Date> = keys().map(|(day, ..)| Date(*day)).collect();
    let services: Vec<&str> = keys().map(|(_, service, _)| *service).collect();
    let levels: Vec<&str> = keys().map(|(.., level)| level.as_str()).collect();
    let entries: Vec<i64> = counts.values().map(|c| c.entries).collect();
    let extras: Vec<f64> = counts.values().map(|c| c.extra).collect();
    let last: Vec<Time> = counts.values().map(|c| Time(c.last_at.unwrap_or_default())).collect();
    session
        .execute(
            "INSERT INTO log_tally AS t (project_id, id_day, service, level, entries, extra, last_at)
             SELECT $1, * FROM unnest($2::date[], $3::text[], $4::text[], $5::bigint[], $6::float8[], $7::timestamptz[])
             ON CONFLICT (project_id, id_day, service, level) DO UPDATE SET entries = t.entries + excluded.entries,
               extra = t.extra + excluded.extra, last_at = greatest(t.last_at, excluded.last_at)",
            &[&project, &days, &services, &levels, &entries, &extras, &last],
        )
        .await?;
    Ok(())
}
