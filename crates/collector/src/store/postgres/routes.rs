//! What each route did, from the rows themselves.

use super::select::{Conditions, conditions};
use super::wire::Param;
use crate::store::figures::RouteFigures;
use crate::store::routes::{Counted, Routes};
use crate::store::search::{Filter, Period};
use futures_util::TryStreamExt as _;
use hoplog_entry::Kind;
use std::pin::pin;
use tokio_postgres::{Client, Error};

pub(super) async fn routes(
    client: &mut Client,
    project: i64,
    period: Period,
) -> Result<Vec<RouteFigures>, Error> {
    let filter = Filter { period, kinds: vec![Kind::Request.code()], ..Filter::default() };
    let Conditions { sql, values } = conditions(project, &filter);
    let sql = format!(
        "SELECT service, method, route, level IN ('ERROR', 'FATAL'), response_size, ttfb_ms, duration_ms, weight
         FROM logs WHERE {sql}"
    );
    let values = values.iter().map(|value| (value.as_sql(), Param::kind(value)));
    let mut rows = pin!(client.query_typed_raw(&sql, values).await?);
    let mut routes = Routes::default();
    while let Some(row) = rows.try_next().await? {
        routes.count(&Counted {
            names: [row.get(0), row.get(1), row.get(2)],
            is_error: row.get(3),
            response_size: row.get(4),
            ttfb_ms: row.get(5),
            duration_ms: row.get(6),
            weight: row.get(7),
        });
    }
    Ok(routes.figures())
}
