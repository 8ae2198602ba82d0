//! Totals, from the tally that the writers keep and from the few requests that are open.

use super::wire::Time;
use crate::store::figures::{ServiceFigures, Totals};
use crate::store::tally::{Count, Levels, Open, Services};
use hoplog_entry::Level;
use tokio_postgres::{Client, Error, Row};

/// Services that are told apart; the rest of a hostile many are left out, the totals are not.
const MOST_SERVICES: i64 = 10_000;
/// Open requests that figures count.
const MOST_OPEN: i64 = 10_000;

pub(super) async fn totals(client: &mut Client, project: i64, errors_since: i64) -> Result<Totals, Error> {
    let mut levels = Levels::default();
    let by_level = client
        .query(
            "SELECT level, sum(entries)::bigint, sum(extra) FROM log_tally WHERE project_id = $1 GROUP BY level
             HAVING sum(entries) > 0",
            &[&project],
        )
        .await?;
    for row in &by_level {
        levels.add(level(row, 0), Count::new(row.get(1), row.get(2)));
    }
    let errors = client
        .query_one(
            "SELECT count(*), coalesce(sum(coalesce(weight, 1) - 1), 0) FROM logs WHERE project_id = $1
               AND level IN ('ERROR', 'FATAL') AND created_at >= $2 AND kind <> 'running' AND NOT deleted",
            &[&project, &Time(errors_since)],
        )
        .await?;
    levels.add_errors(Count::new(errors.get(0), errors.get(1)));
    Ok(levels.totals(counted(client, project).await?, &open(client, project).await?, errors_since))
}

pub(super) async fn services(client: &mut Client, project: i64) -> Result<Vec<ServiceFigures>, Error> {
    Ok(counted(client, project).await?.figures(&open(client, project).await?))
}

async fn counted(client: &Client, project: i64) -> Result<Services, Error> {
    let rows = client
        .query(
            "SELECT service, sum(entries)::bigint AS n, sum(extra), max(last_at),
               coalesce(sum(entries) FILTER (WHERE level IN ('ERROR', 'FATAL')), 0)::bigint,
               coalesce(sum(extra) FILTER (WHERE level IN ('ERROR', 'FATAL')), 0)
             FROM log_tally WHERE project_id = $1 GROUP BY service HAVING sum(entries) > 0
             ORDER BY n DESC, service LIMIT $2",
            &[&project, &MOST_SERVICES],
        )
        .await?;
    let mut services = Services::default();
    for row in &rows {
        let (all, errors) = (Count::new(row.get(1), row.get(2)), Count::new(row.get(4), row.get(5)));
        services.add(row.get(0), all, errors, Some(row.get::<_, Time>(3).0));
    }
    Ok(services)
}

async fn open(client: &Client, project: i64) -> Result<Vec<Open>, Error> {
    let rows = client
        .query(
            "SELECT service, level, created_at, coalesce(weight, 1) FROM logs
             WHERE project_id = $1 AND kind = 'running' AND ended IS NULL AND NOT deleted LIMIT $2",
            &[&project, &MOST_OPEN],
        )
        .await?;
    let open = |row: &Row| Open {
        service: row.get(0),
        level: level(row, 1),
        created_at: row.get::<_, Time>(2).0,
        weight: row.get(3),
    };
    Ok(rows.iter().map(open).collect())
}

fn level(row: &Row, column: usize) -> Level {
    row.get::<_, &str>(column).parse().unwrap_or(Level::Info)
}
