//! Which entries arrived, in the order of the commits, for those who follow: a row per transaction with the ids of what it
//! stored. An index of arrivals over all entries costs each of them more than all that is written here, and nobody looks
//! further back than a follower may be behind.

use super::transact::{Session, Work};
use super::trouble::Trouble;
use super::wire::{Date, Uuid};

/// What the project's row says once it is ours.
pub(super) struct Arrived {
    /// Whether `log_ids` holds some of the project.
    pub(super) kept: bool,
    /// Whether final entries of open requests are awaited.
    pub(super) has_open: bool,
}

/// Takes the project's row: nobody else gets there until the end of the transaction, whose entries are the next ones.
const NUMBER: &str = "WITH p AS (INSERT INTO log_projects AS p (project_id, seq) VALUES ($1, $2)
       ON CONFLICT (project_id) DO UPDATE SET seq = p.seq + $2 RETURNING seq, kept, open),
     a AS (INSERT INTO log_arrivals (project_id, first, last, days, ids)
       SELECT $1, seq - $2 + 1, seq, $3, $4 FROM p WHERE $2 > 0)
     SELECT kept, open, seq FROM p";

/// Forgets what nobody asks for any more.
const FORGET: &str = "DELETE FROM log_arrivals WHERE project_id = $1 AND last < $2";
/// How many arrivals there are between two times of that.
const FORGET_EVERY: i64 = 100_000;

/// Numbers what was stored, in the order in which it came.
pub(super) async fn number(
    session: &mut Session,
    project: i64,
    works: &[Work],
    lag: i64,
) -> Result<Arrived, Trouble> {
    let ids: Vec<Uuid> = works.iter().flat_map(Work::stored).map(|row| Uuid(*row.id.as_bytes())).collect();
    let mut days: Vec<Date> = works.iter().flat_map(Work::stored).map(|row| Date(row.day)).collect();
    days.sort_unstable();
    days.dedup();
    let stored = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    let numbered = session.query(NUMBER, &[&project, &stored, &days, &ids]).await?;
    let Some(row) = numbered.first() else { return Ok(Arrived { kept: false, has_open: false }) };
    let last: i64 = row.get(2);
    if last / FORGET_EVERY != (last - stored) / FORGET_EVERY {
        session.execute(FORGET, &[&project, &(last - lag)]).await?;
    }
    Ok(Arrived { kept: row.get(0), has_open: row.get(1) })
}
