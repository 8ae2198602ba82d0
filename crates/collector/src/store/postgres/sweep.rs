//! What is done once an hour: days made ahead, those that retention does not keep dropped, what nobody awaits forgotten.

use super::days;
use super::schema::{self, partition};
use super::trouble::Trouble;
use super::wire::Date;
use super::writer::Shared;
use crate::store::retention;
use crate::time::Day;
use std::collections::BTreeSet;
use tokio_postgres::Client;

/// Days that are made before their time.
pub(super) const AHEAD: i32 = 2;
/// A day that is read just now is not waited for long, as everybody else would wait too; but often.
const ATTEMPTS: usize = 10;

/// What is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keep {
    pub(super) days: u32,
    pub(super) bytes: u64,
}

/// Does all of it. Several collectors may: each step is whole, and a second one finds nothing to do.
pub(super) async fn sweep(client: &Client, shared: &Shared, today: Day, keep: Keep) -> Result<(), Trouble> {
    let ahead: BTreeSet<Day> = (0..=AHEAD).map(|days| Day(today.0.saturating_add(days))).collect();
    shared.days.ensure(client, &ahead, shared.indexes).await?;
    let first_awaited = today.back(retention::IDS_KEPT_DAYS);
    let sizes = days::sizes(client).await?;
    let ids = client.query_one("SELECT pg_total_relation_size('log_ids')", &[]).await?.get::<_, i64>(0);
    let bytes = keep.bytes.saturating_sub(u64::try_from(ids).unwrap_or_default());
    for day in retention::expired(&sizes, today, keep.days, bytes) {
        let mut dropped = drop_day(client, day, day >= first_awaited).await;
        for _ in 1..ATTEMPTS {
            if dropped.is_err() {
                dropped = drop_day(client, day, day >= first_awaited).await;
            }
        }
        dropped?;
        shared.days.forget();
    }
    client.execute("DELETE FROM log_ids WHERE id_day < $1", &[&Date(first_awaited)]).await?;
    client
        .batch_execute(
            "BEGIN;
             SELECT FROM log_projects WHERE kept OR open FOR UPDATE;
             UPDATE log_projects p SET kept = false
               WHERE kept AND NOT EXISTS (SELECT FROM log_ids i WHERE i.project_id = p.project_id);
             UPDATE log_projects p SET open = false
               WHERE open AND NOT EXISTS (SELECT FROM log_open o WHERE o.project_id = p.project_id);
             COMMIT",
        )
        .await?;
    Ok(())
}

/// Drops a day with all that is counted of it. The ids of a young one outlive it: both in one transaction.
async fn drop_day(client: &Client, day: Day, ids_stay: bool) -> Result<(), Trouble> {
    let name = partition(day);
    let ids = match ids_stay {
        // Nobody writes to the day from here on; it is read until it is gone.
        true => format!(
            "LOCK TABLE {name} IN EXCLUSIVE MODE;
             INSERT INTO log_ids (project_id, id, hash, id_day) SELECT project_id, id, hash, id_day FROM {name}
               ON CONFLICT DO NOTHING;
             UPDATE log_projects p SET kept = true
               WHERE NOT kept AND EXISTS (SELECT FROM log_ids i WHERE i.project_id = p.project_id);"
        ),
        false => String::new(),
    };
    let statements = format!(
        "BEGIN;
         SELECT pg_advisory_xact_lock({lock});
         SET LOCAL lock_timeout = '500ms';
         {ids}
         DROP TABLE IF EXISTS {name};
         DELETE FROM log_tally WHERE id_day = '{day}';
         DELETE FROM log_open WHERE id_day = '{day}';
         DELETE FROM log_senders WHERE day = '{day}';
         DELETE FROM log_spans WHERE day = '{day}';
         DELETE FROM log_losses WHERE day = '{day}';
         COMMIT",
        lock = schema::LOCK
    );
    if let Err(error) = client.batch_execute(&statements).await {
        let _ = client.batch_execute("ROLLBACK").await;
        return Err(error.into());
    }
    Ok(())
}
