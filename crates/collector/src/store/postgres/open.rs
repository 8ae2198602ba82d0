//! Requests that are still open: entries of kind `running`, each with the id that its final entry will bear. The
//! writer marks one (`ended`) as soon as both are there, whichever came first, so that no question has to look for it.

use super::transact::{Session, Work};
use super::trouble::Trouble;
use super::wire::{Date, Uuid};
use crate::fields::Field;
use crate::store::batch::{Batch, Row, Value};
use crate::time::Day;
use hoplog_entry::{EntryId, Kind};
use std::collections::HashSet;

/// Takes note of what was stored; `has_open` says whether final entries are awaited.
pub(super) async fn follow(
    session: &mut Session,
    project: i64,
    works: &[Work],
    has_open: bool,
) -> Result<(), Trouble> {
    if has_open {
        // Those whose final entry came now. Final is what is not of this kind.
        let rows = works.iter().flat_map(|work| work.batch.rows.iter().map(move |row| (work, row)));
        let finals: Vec<Uuid> = rows
            .filter(|(work, row)| !is_running(&work.batch, row))
            .map(|(_, row)| Uuid(*row.id.as_bytes()))
            .collect();
        let ended = session
            .query(
                "DELETE FROM log_open WHERE project_id = $1 AND exchange_id = ANY($2) RETURNING id_day, id",
                &[&project, &finals],
            )
            .await?;
        let ended: Vec<(Date, Uuid)> = ended.iter().map(|row| (row.get(0), row.get(1))).collect();
        mark(session, project, &ended).await?;
    }
    let begun: Vec<Running> =
        works.iter().flat_map(|w| w.stored().filter_map(|row| Running::of(w, row))).collect();
    if begun.is_empty() {
        return Ok(());
    }
    let over = finals(session, project, &begun).await?;
    let (ended, open): (Vec<&Running>, Vec<&Running>) =
        begun.iter().partition(|running| over.contains(&running.exchange));
    let ended: Vec<_> = ended.iter().map(|running| (Date(running.day), Uuid(running.id))).collect();
    mark(session, project, &ended).await?;
    if !open.is_empty() {
        let exchanges: Vec<Uuid> = open.iter().map(|r| Uuid(r.exchange)).collect();
        let ids: Vec<Uuid> = open.iter().map(|r| Uuid(r.id)).collect();
        let days: Vec<Date> = open.iter().map(|r| Date(r.day)).collect();
        session
            .execute(
                "INSERT INTO log_open (project_id, exchange_id, id, id_day)
                 SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::date[]) ON CONFLICT DO NOTHING",
                &[&project, &exchanges, &ids, &days],
            )
            .await?;
        session
            .execute("UPDATE log_projects SET open = true WHERE project_id = $1 AND NOT open", &[&project])
            .await?;
    }
    Ok(())
}

/// Marks running entries as ended. By the key alone: a join might be planned the wrong way round, as the plan was made
/// when there was little in the tables.
async fn mark(session: &mut Session, project: i64, ended: &[(Date, Uuid)]) -> Result<(), Trouble> {
    if ended.is_empty() {
        return Ok(());
    }
    let mut days: Vec<Date> = ended.iter().map(|(day, _)| *day).collect();
    days.sort_unstable();
    days.dedup();
    let ids: Vec<Uuid> = ended.iter().map(|(_, id)| *id).collect();
    session
        .execute(
            "UPDATE logs SET ended = true WHERE project_id = $1 AND id_day = ANY($2) AND id = ANY($3)",
            &[&project, &days, &ids],
        )
        .await
        .map(drop)
}

/// A running entry.
struct Running {
    id: [u8; 16],
    day: Day,
    arrived: Day,
    exchange: [u8; 16],
}

impl Running {
    fn of(work: &Work, row: &Row) -> Option<Self> {
        if !is_running(&work.batch, row) {
            return None;
        }
        let exchange = work.batch.cells(row).iter().find_map(|cell| match (cell.field, cell.value) {
            (Field::ExchangeId, Value::Bytes16(id)) => Some(id),
            _ => None,
        })?;
        Some(Self { id: *row.id.as_bytes(), day: row.day, arrived: work.arrived(), exchange })
    }
}

fn is_running(batch: &Batch, row: &Row) -> bool {
    let running = Value::Integer(Kind::Running.code().into());
    batch.cells(row).iter().any(|cell| cell.field == Field::Kind && cell.value == running)
}

/// Which of the final entries are there.
async fn finals(
    session: &mut Session,
    project: i64,
    begun: &[Running],
) -> Result<HashSet<[u8; 16]>, Trouble> {
    let (mut ids, mut days, mut anywhere) = (Vec::new(), Vec::new(), Vec::new());
    for running in begun {
        // A final entry lies in the day that its id names or, if that id's time could not be right, in the day it
        // came, which is about that of the running one. An id that names no day may have come on any.
        match Day::named_by(EntryId::from_bytes(running.exchange)) {
            Some(named) => {
                for day in HashSet::from([named, running.day, running.arrived]) {
                    ids.push(Uuid(running.exchange));
                    days.push(Date(day));
                }
            }
            None => anywhere.push(Uuid(running.exchange)),
        }
    }
    let mut found = session
        .query(
            "SELECT w.id FROM unnest($2::uuid[], $3::date[]) AS w (id, id_day) CROSS JOIN LATERAL (
               SELECT FROM logs f WHERE f.project_id = $1 AND f.id_day = w.id_day AND f.id = w.id
                 AND f.kind <> 'running' OFFSET 0) AS f",
            &[&project, &ids, &days],
        )
        .await?;
    if !anywhere.is_empty() {
        let more = session
            .query(
                "SELECT w.id FROM (SELECT DISTINCT id_day FROM log_tally WHERE project_id = $1) AS d
                   CROSS JOIN unnest($2::uuid[]) AS w (id) CROSS JOIN LATERAL (
                   SELECT FROM logs f WHERE f.project_id = $1 AND f.id_day = d.id_day AND f.id = w.id
                     AND f.kind <> 'running' OFFSET 0) AS f",
                &[&project, &anywhere],
            )
            .await?;
        found.extend(more);
    }
    Ok(found.iter().map(|row| row.get::<_, Uuid>(0).0).collect())
}
