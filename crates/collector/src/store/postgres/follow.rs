//! What arrived since, in steps of a bounded size. Arrivals are numbered in the order of the commits: whatever is up to the
//! project's last one can be read by then, and nothing comes in before it later.

use super::listing::{rows, write};
use super::schema;
use super::select::conditions;
use super::wire::{Date, Uuid};
use crate::store::follow::{Arrival, News, Position};
use crate::store::search::Filter;
use std::collections::{BTreeMap, HashMap};
use tokio_postgres::{Client, Error};

/// Arrivals that are looked at in one step, and the bytes of their entries, but for the last one's.
const STEP: i64 = 200;
const STEP_BYTES: usize = 1 << 20;

/// Those that come after a number, no more than a step of them. None has more than a batch may have, and a group.
const NEXT: &str = "SELECT greatest(first, $2::bigint + 1), days, ids[greatest($2 - first + 2, 1)::integer : ($2 - first + 1 + $3::bigint)::integer]
     FROM log_arrivals WHERE project_id = $1 AND last > $2 AND last <= $2 + $3 + 200000 AND first <= $2 + $3
     ORDER BY last";

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
    let at = |number: i64| Position { commits: 0, arrivals: BTreeMap::from([(0, number)]) };
    let mut news = News { position: at(newest), ..News::default() };
    let Some(since) = since else { return Ok(news) };
    let seen = since.arrivals.get(&0).copied().unwrap_or_default();
    if seen >= newest {
        return Ok(news);
    }
    let mut from = seen.max(newest.saturating_sub(lag));
    let mut arrived = arrivals(client, project, from).await?;
    if arrived.numbers.is_empty() {
        // Those of an older hoplog were not noted.
        let first = "SELECT min(first) - 1 FROM log_arrivals WHERE project_id = $1 AND last > $2";
        let first = client.query_one(first, &[&project, &from]).await?;
        from = first.get::<_, Option<i64>>(0).unwrap_or(newest).min(newest);
        arrived = arrivals(client, project, from).await?;
    }
    news.skipped = u64::try_from(from - seen).unwrap_or_default();
    let mut conditions = conditions(project, filter);
    let ids: Vec<Uuid> = arrived.numbers.keys().copied().collect();
    conditions.and("id_day = ANY(?) AND id = ANY(?)", [arrived.days.into(), ids.into()]);
    let sql = format!("SELECT {} FROM logs WHERE {}", schema::shown(), conditions.sql);
    let found = rows(client, &sql, &conditions.values).await?;
    let numbered = found.iter().filter_map(|row| Some((*arrived.numbers.get(&row.get::<_, Uuid>(0))?, row)));
    let (mut bytes, mut until) = (0, arrived.until.max(from));
    for (number, row) in numbered.collect::<BTreeMap<_, _>>() {
        if bytes >= STEP_BYTES {
            until = news.entries.last().map_or(until, |arrival| arrival.seq);
            break;
        }
        let mut json = String::new();
        write(row, 0, &mut json);
        bytes += json.len();
        news.entries.push(Arrival { day: 0, seq: number, json });
    }
    news.more = until < newest;
    news.position = at(until);
    Ok(news)
}

/// Entries that arrived.
#[derive(Default)]
struct Arrivals {
    days: Vec<Date>,
    /// What number each one has.
    numbers: HashMap<Uuid, i64>,
    /// The last number.
    until: i64,
}

async fn arrivals(client: &Client, project: i64, after: i64) -> Result<Arrivals, Error> {
    let mut arrived = Arrivals::default();
    for row in client.query(NEXT, &[&project, &after, &STEP]).await? {
        arrived.days.extend(row.get::<_, Vec<Date>>(1));
        let numbers = row.get::<_, i64>(0)..=after + STEP;
        for (number, id) in numbers.zip(row.get::<_, Vec<Uuid>>(2)) {
            arrived.numbers.insert(id, number);
            arrived.until = number;
        }
    }
    arrived.days.sort_unstable();
    arrived.days.dedup();
    Ok(arrived)
}
