//! Entries taken out for good, a few at a time, so that nobody waits long. What tells a copy stays (`log_ids`).

use super::beside;
use super::listing::rows;
use super::select::{Conditions, every_row};
use super::wire::{Date, Param, Uuid};
use crate::fields::MOST_WEIGHT;
use crate::store::deletion::{Deleted, Deletion};
use crate::store::figures::number;
use tokio_postgres::{Client, Error};

/// Rows of one transaction.
const STEP: i32 = 2_000;

/// Deletes what passes the filter, or says how much that is. It is looked for on one connection, where nothing waits for
/// it, and taken out on the other.
pub(super) async fn delete(
    reader: &mut Client,
    writer: &Client,
    project: i64,
    deletion: &Deletion,
) -> Result<Deleted, Error> {
    let Conditions { sql, values } = every_row(project, &deletion.filter);
    if deletion.dry_run {
        let found = rows(reader, &format!("SELECT count(*) FROM logs WHERE {sql}"), &values).await?;
        return Ok(Deleted { entries: number(found.first().map_or(0, |row| row.get(0))) });
    }
    let transaction = reader.build_transaction().read_only(true).start().await?;
    let kinds: Vec<_> = values.iter().map(Param::kind).collect();
    let statement =
        transaction.prepare_typed(&format!("SELECT id_day, id FROM logs WHERE {sql}"), &kinds).await?;
    let values: Vec<_> = values.iter().map(Param::as_sql).collect();
    let portal = transaction.bind(&statement, &values).await?;
    let mut deleted = Deleted::default();
    loop {
        let found = transaction.query_portal(&portal, STEP).await?;
        if found.is_empty() {
            break;
        }
        let mut days: Vec<Date> = found.iter().map(|row| row.get(0)).collect();
        days.sort_unstable();
        days.dedup();
        let ids: Vec<Uuid> = found.iter().map(|row| row.get(1)).collect();
        deleted.entries += step(writer, project, &days, &ids).await?;
    }
    transaction.commit().await?;
    Ok(deleted)
}

async fn step(writer: &Client, project: i64, days: &[Date], ids: &[Uuid]) -> Result<u64, Error> {
    // In turn with whoever writes to the project.
    writer.batch_execute("BEGIN").await?;
    let erased = async {
        writer.execute(beside::TURN, &[&project]).await?;
        writer.execute("SELECT FROM log_projects WHERE project_id = $1 FOR UPDATE", &[&project]).await?;
        erase(writer, project, days, ids).await
    };
    let erased = erased.await;
    // Where the connection is gone, so is the transaction.
    writer.batch_execute(if erased.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    erased
}

/// Running entries are not in the tally, nor what is marked as deleted. What that comes to in the end, a rounding may leave below nothing.
async fn erase(writer: &Client, project: i64, days: &[Date], ids: &[Uuid]) -> Result<u64, Error> {
    let sql = format!(
        "WITH gone AS (
           DELETE FROM logs WHERE project_id = $1 AND id_day = ANY($2) AND id = ANY($3)
           RETURNING project_id, id, hash, id_day, service, level, kind, weight, deleted),
         kept AS (INSERT INTO log_ids (project_id, id, hash, id_day) SELECT project_id, id, hash, id_day FROM gone
           ON CONFLICT DO NOTHING),
         ended AS (DELETE FROM log_open o USING gone WHERE o.project_id = gone.project_id AND o.id = gone.id),
         counted AS (
           UPDATE log_tally t SET entries = t.entries - less.entries,
             extra = CASE WHEN t.entries = less.entries THEN 0 ELSE t.extra - less.extra END
           FROM (SELECT project_id, id_day, service, level, count(*) AS entries,
                   sum(least(greatest(coalesce(weight, 1), 0), {MOST_WEIGHT:.1}) - 1) AS extra
                 FROM gone WHERE kind <> 'running' AND NOT deleted GROUP BY 1, 2, 3, 4) AS less
           WHERE (t.project_id, t.id_day, t.service, t.level)
               = (less.project_id, less.id_day, less.service, less.level))
         SELECT count(*) FROM gone"
    );
    let found = writer.query_one(&sql, &[&project, &days, &ids]).await?;
    writer.batch_execute("DELETE FROM log_tally WHERE entries <= 0").await?;
    writer.execute("UPDATE log_projects SET kept = true WHERE project_id = $1", &[&project]).await?;
    Ok(number(found.get(0)))
}
