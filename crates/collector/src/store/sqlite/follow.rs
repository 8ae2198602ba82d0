//! What arrived since: each file's rows beyond the last one seen, in steps of a bounded size.

use super::listing::{Rows, places};
use super::readers::Files;
use super::running::Finals;
use super::schema::LAST;
use super::select::conditions;
use crate::store::StoreError;
use crate::store::follow::{Arrival, News, Position};
use crate::store::search::Filter;

/// Entries of one step, and their bytes, but for the last one's.
const STEP: usize = 200;
const STEP_BYTES: usize = 1 << 20;

/// Without a position: the place where following begins. A follower that is further behind than `lag`, in one file,
/// goes on that far behind its end.
pub(super) fn follow(
    files: &Files,
    filter: &Filter,
    since: Option<Position>,
    commits: u64,
    lag: i64,
) -> Result<News, StoreError> {
    let mut news = News::default();
    let (mut finals, mut bytes) = (Finals::of(files), 0);
    for (&day, connection) in &files.by_day {
        let explain = files.explain(day);
        let newest: i64 = connection.query_row(LAST, [], |row| row.get(0)).map_err(&explain)?;
        let Some(since) = &since else {
            news.position.arrivals.insert(day.0, newest);
            continue;
        };
        // A file whose end is before what was seen of it has been set aside and begun anew.
        let seen = since.arrivals.get(&day.0).copied().filter(|seen| *seen <= newest).unwrap_or(0);
        let from = seen.max(newest.saturating_sub(lag));
        news.skipped += u64::try_from(from - seen).unwrap_or(0);
        let mut until = from;
        if newest > from && news.entries.len() < STEP && bytes < STEP_BYTES {
            let mut conditions = conditions(filter);
            // Any index would be read from its beginning.
            conditions.from = "entries NOT INDEXED".into();
            conditions.words.clear(); // they are few rows
            conditions.and("seq > ?", [from.into()]);
            let room = STEP - news.entries.len();
            let found = places(files, &mut finals, day, conditions, "seq", room)?;
            let whole = found.len() < room;
            let mut rows = Rows::new(connection).map_err(&explain)?;
            let mut all_shown = true;
            for place in found {
                if bytes >= STEP_BYTES {
                    all_shown = false;
                    break;
                }
                let mut json = String::new();
                rows.show(place.seq, &mut json).map_err(&explain)?;
                bytes += json.len();
                news.entries.push(Arrival { day: day.0, seq: place.seq, json });
                until = place.seq;
            }
            if whole && all_shown {
                until = until.max(newest);
            }
        }
        news.more |= until < newest;
        news.position.arrivals.insert(day.0, until);
    }
    // With more to come, these commits are not all seen.
    let before = since.filter(|_| news.more).map(|since| since.commits);
    news.position.commits = before.unwrap_or(commits);
    Ok(news)
}
