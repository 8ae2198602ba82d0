//! What arrived since, in steps of a bounded size. `seq` is in the order of the commits: whatever is up to the
//! project's last one can be read by then, and nothing comes in before it later.

use super::listing::{rows, write};
use super::schema;
use super::select::conditions;
use crate::store::follow::{Arrival, News, Position};
use crate::store::search::Filter;
use std::collections::BTreeMap;
use tokio_postgres::{Client, Error};

/// Entries of one step, and their bytes, but for the last one's.
const STEP: usize = 200;
const STEP_BYTES: usize = 1 << 20;

/// Without a position: the place where following begins. A follower that is further behind than `lag` goes on that
/// far behind the end.
pub(super) async fn follow(
    client: &mut Client,
    project: i64,
    filter: &Filter,
    since: Option<Position>,
    lag: i64,
) -> Result<News, Error> {
    let newest = client.query_opt("SELECT seq FROM log_projects WHERE project_id = $1", &[&project]).await?;
    let newest: i64 = newest.map_or(0, |row| row.get(0));
    let at = |seq: i64| Position { commits: 0, arrivals: BTreeMap::from([(0, seq)]) };
    let mut news = News { position: at(newest), ..News::default() };
    let Some(since) = since else { return Ok(news) };
    let seen = since.arrivals.get(&0).copied().unwrap_or_default();
    if seen >= newest {
        return Ok(news);
    }
    let from = seen.max(newest.saturating_sub(lag));
    news.skipped = u64::try_from(from - seen).unwrap_or_default();
    let mut conditions = conditions(project, filter);
    conditions.and("seq > ? AND seq <= ?", [from.into(), newest.into()]);
    let sql = format!(
        "SELECT seq, {} FROM logs WHERE {} ORDER BY seq LIMIT {STEP}",
        schema::shown(),
        conditions.sql
    );
    let found = rows(client, &sql, &conditions.values).await?;
    let (mut bytes, mut until, mut whole) = (0, from, found.len() < STEP);
    for row in found {
        if bytes >= STEP_BYTES {
            whole = false;
            break;
        }
        let mut json = String::new();
        write(&row, 1, &mut json);
        bytes += json.len();
        until = row.get(0);
        news.entries.push(Arrival { day: 0, seq: until, json });
    }
    if !whole {
        news.position = at(until);
        news.more = true;
    }
    Ok(news)
}
