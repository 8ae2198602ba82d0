//! Errors grouped, from the rows themselves, new to old.

use super::listing::NEWEST_FIRST;
use super::select::{Conditions, conditions};
use super::wire::{Param, Time, Uuid};
use crate::fields::MOST_WEIGHT;
use crate::store::errors::{ErrorGroups, ErrorListing, ErrorSearch, MOST_READ, Occurrence};
use futures_util::TryStreamExt as _;
use hoplog_entry::EntryId;
use std::pin::pin;
use tokio_postgres::{Client, Error};

pub(super) async fn errors(
    client: &mut Client,
    project: i64,
    search: &ErrorSearch,
) -> Result<ErrorListing, Error> {
    let Conditions { sql, values } = conditions(project, &search.filter);
    // One more than is read tells that something is left out.
    let sql = format!(
        "SELECT id, created_at, service, route, message, error_type, error_message, stack_trace, weight
         FROM logs WHERE {sql} ORDER BY {NEWEST_FIRST} LIMIT {}",
        MOST_READ + 1
    );
    let values = values.iter().map(|value| (value.as_sql(), Param::kind(value)));
    let mut rows = pin!(client.query_typed_raw(&sql, values).await?);
    let mut groups = ErrorGroups::default();
    while let Some(row) = rows.try_next().await? {
        let (Uuid(id), Time(created_at)) = (row.get(0), row.get(1));
        groups.add(Occurrence {
            id: EntryId::from_bytes(id),
            created_at,
            service: row.get(2),
            route: row.get(3),
            message: row.get::<_, Option<&str>>(4).unwrap_or_default(),
            error_type: row.get(5),
            error_message: row.get(6),
            stack_trace: row.get(7),
            weight: row.get::<_, Option<f64>>(8).map_or(1.0, |weight| weight.clamp(0.0, MOST_WEIGHT)),
        });
    }
    Ok(groups.finish(search.limit))
}
