//! Counts over time, from the rows themselves.

use super::listing::rows;
use super::select::{Conditions, conditions};
use super::wire::Param;
use crate::fields::MOST_WEIGHT;
use crate::store::figures::number;
use crate::store::histogram::{Bars, By, HistogramSearch, Part};
use hoplog_entry::Level;
use tokio_postgres::{Client, Error};

pub(super) async fn histogram(
    client: &mut Client,
    project: i64,
    search: &HistogramSearch,
) -> Result<Bars, Error> {
    let Conditions { sql, mut values } = conditions(project, &search.filter);
    values.push(Param::from(search.step));
    let part = match search.by {
        By::Level => "level",
        By::Status => "status_code / 100 * 100",
        By::Service => "service",
    };
    let step = values.len();
    // Whole microseconds: `extract` is a numeric, and exact. Before the epoch, too, a bar begins at its lower end.
    let sql = format!(
        "SELECT floor(extract(epoch FROM created_at) * 1000000 / ${step})::bigint AS bar, {part} AS part, count(*),
           sum(least(greatest(coalesce(weight, 1), 0), {MOST_WEIGHT:.1}))
         FROM logs WHERE {sql} GROUP BY bar, part"
    );
    let mut bars = Bars::default();
    for row in rows(client, &sql, &values).await? {
        let (bar, stored, weight) = (row.get(0), number(row.get(2)), row.get(3));
        match search.by {
            By::Level => {
                let level = row.get::<_, &str>(1).parse().unwrap_or(Level::Info);
                bars.add(bar, Part::Level(level.code().into()), stored, weight);
            }
            By::Status => bars.add(bar, Part::Status(row.get(1)), stored, weight),
            By::Service => bars.add(bar, Part::Service(row.get(1)), stored, weight),
        }
    }
    Ok(bars)
}
