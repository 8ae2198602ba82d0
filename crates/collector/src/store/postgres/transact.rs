//! One transaction: the rows of some batches, what tells copies from them, what is counted of them.
//!
//! ```text
//! COPY log_staging ─► log_projects: the project's row is ours until the end ─► INSERT … ON CONFLICT DO NOTHING
//!      ─► fewer came than went? which, and what is there under their ids ─► counts, open requests, senders ─► COMMIT
//! ```
//!
//! From the second step on the transactions of one project come one after the other, from however many collectors. So
//! `seq` is in the order of the commits, and none of them waits for another while it holds what that one waits for.

use super::copy::{AsText, ColumnSet, Copy};
use super::days::Days;
use super::schema::Indexes;
use super::trouble::Trouble;
use super::wire::{Date, Uuid};
use super::{notes, open, tally};
use crate::store::batch::{Batch, Home, Row, Verdict};
use crate::time::Day;
use futures_util::SinkExt as _;
use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

/// A batch and what becomes of its rows.
pub(super) struct Work {
    pub(super) batch: Box<Batch>,
    pub(super) verdicts: Vec<Verdict>,
}

impl Work {
    pub(super) fn new(batch: Box<Batch>) -> Self {
        let verdicts = vec![Verdict::Stored; batch.rows.len()];
        Self { batch, verdicts }
    }

    /// The day it came.
    pub(super) fn arrived(&self) -> Day {
        Day::of(self.batch.received_at)
    }

    /// The rows that were new, without those that were not.
    pub(super) fn stored(&self) -> impl Iterator<Item = &Row> {
        let rows = self.batch.rows.iter().zip(&self.verdicts);
        rows.filter(|(_, verdict)| **verdict == Verdict::Stored).map(|(row, _)| row)
    }
}

/// A connection that writes, and what is prepared on it.
pub(super) struct Session {
    pub(super) client: Client,
    lock: Statement,
    inserts: HashMap<(ColumnSet, Beside), Insert>,
    /// By their text.
    prepared: HashMap<&'static str, Statement>,
}

/// The statements for one set of columns.
#[derive(Clone)]
struct Insert {
    copy: Statement,
    insert: Statement,
}

/// Where copies may be known beside the key. Nothing is looked for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Beside {
    /// In the two days before: some id names no day.
    arrivals: bool,
    /// In `log_ids`.
    kept: bool,
}

/// Sets of columns that are kept prepared; a hostile sender makes others, which then start anew.
const MOST_PREPARED: usize = 32;
/// Days before the one of its arrival in which a copy of an entry is looked for whose id names no day: at least 48 h.
const ARRIVAL_DAYS: [i32; 2] = [1, 2];

/// What a session begins with: durable commits, no waiting without end, and plans that follow the rows of a batch.
pub(super) fn setup() -> String {
    format!(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
         SET statement_timeout = '60s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s';
         SET TimeZone = 'UTC'; SET jit = off; SET plan_cache_mode = force_generic_plan;
         SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off;
         {}",
        super::schema::staging()
    )
}

impl Session {
    pub(super) async fn new(client: Client) -> Result<Self, Trouble> {
        let lock = client
            .prepare(
                "INSERT INTO log_projects AS p (project_id, seq) VALUES ($1, $2)
                 ON CONFLICT (project_id) DO UPDATE SET seq = p.seq + $2 RETURNING seq - $2, kept, open",
            )
            .await?;
        Ok(Self { client, lock, inserts: HashMap::new(), prepared: HashMap::new() })
    }

    /// Runs one of the statements that there are, prepared once.
    pub(super) async fn execute(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Trouble> {
        let statement = self.prepare(sql).await?;
        Ok(self.client.execute(&statement, values).await?)
    }

    /// Likewise, for its rows.
    pub(super) async fn query(
        &mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<tokio_postgres::Row>, Trouble> {
        let statement = self.prepare(sql).await?;
        Ok(self.client.query(&statement, values).await?)
    }

    async fn prepare(&mut self, sql: &'static str) -> Result<Statement, Trouble> {
        if let Some(known) = self.prepared.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }

    /// Commits the rows, or changes nothing. The verdicts are right if it did.
    pub(super) async fn commit(
        &mut self,
        project: i64,
        works: &mut [Work],
        as_text: &AsText,
        days: (&Days, Indexes),
    ) -> Result<(), Outcome> {
        let wanted: BTreeSet<Day> =
            works.iter().flat_map(|w| w.batch.rows.iter().map(|row| row.day)).collect();
        days.0.ensure(&self.client, &wanted, days.1).await?;
        self.client.batch_execute("BEGIN").await.map_err(Trouble::from)?;
        if let Err(trouble) = self.fill(project, works, as_text).await {
            // Where the connection is gone, so is the transaction.
            let _ = self.client.batch_execute("ROLLBACK").await;
            return Err(Outcome::Nothing(trouble));
        }
        match self.client.batch_execute("COMMIT").await.map_err(Trouble::from) {
            Ok(()) => Ok(()),
            Err(trouble @ Trouble::Gone(_)) => Err(Outcome::Unknown(trouble)),
            Err(trouble) => Err(Outcome::Nothing(trouble)),
        }
    }

    async fn fill(&mut self, project: i64, works: &mut [Work], as_text: &AsText) -> Result<(), Trouble> {
        let mut copy = Copy::new(works.iter().map(|work| &*work.batch));
        let mut arrivals = false;
        for (n, work) in works.iter().enumerate() {
            for (place, row) in work.batch.rows.iter().enumerate() {
                arrivals |= row.home == Home::Arrival;
                copy.push(&work.batch, row, as_text.contains(&(n, place)));
            }
        }
        let rows = copy.rows();
        let mut has_open = false;
        if rows > 0 {
            let (columns, set, statement) = (copy.columns(), copy.shape(), copy.statement());
            let plain = self.insert(set, Beside { arrivals, kept: false }, &columns, &statement).await?;
            put(&self.client, &plain.copy, copy.finish()).await?;
            let locked = self.client.query_one(&self.lock, &[&project, &rows]).await?;
            let base = locked.get(0);
            has_open = locked.get(2);
            let beside = Beside { arrivals, kept: locked.get(1) };
            let insert = match beside.kept {
                true => self.insert(set, beside, &columns, &statement).await?,
                false => plain,
            };
            let stored = self.client.execute(&insert.insert, &[&base, &project]).await?;
            works.iter_mut().for_each(|work| work.verdicts.fill(Verdict::Stored));
            if i64::try_from(stored) != Ok(rows) {
                self.judge(project, base, beside, works).await?;
            }
        }
        tally::add(self, project, works).await?;
        open::follow(self, project, works, has_open).await?;
        strays(self, project, works).await?;
        notes::take(self, project, works).await
    }

    /// Finds out what became of the rows that were not inserted.
    async fn judge(
        &mut self,
        project: i64,
        base: i64,
        beside: Beside,
        works: &mut [Work],
    ) -> Result<(), Trouble> {
        let mut hashes: HashMap<i64, i32> = HashMap::new();
        for found in self.client.query(&copies(beside), &[&project, &base]).await? {
            hashes.entry(found.get(0)).or_insert(found.get(1));
        }
        let mut n = 0;
        for work in works {
            for (row, verdict) in work.batch.rows.iter().zip(&mut work.verdicts) {
                n += 1;
                *verdict = match hashes.get(&n) {
                    None => Verdict::Stored,
                    Some(hash) if *hash == row.hash => Verdict::Duplicate,
                    Some(_) => Verdict::Conflict,
                };
            }
        }
        Ok(())
    }

    async fn insert(
        &mut self,
        set: ColumnSet,
        beside: Beside,
        columns: &str,
        copy: &str,
    ) -> Result<Insert, Trouble> {
        if let Some(known) = self.inserts.get(&(set, beside)) {
            return Ok(known.clone());
        }
        if self.inserts.len() >= MOST_PREPARED {
            self.inserts.clear();
        }
        let copy = self.client.prepare(copy).await?;
        let insert = self.client.prepare(&insertion(columns, beside)).await?;
        let made = Insert { copy, insert };
        self.inserts.insert((set, beside), made.clone());
        Ok(made)
    }

    /// Whether PostgreSQL takes the values of these rows; nothing is kept.
    pub(super) async fn takes(&self, batch: &Batch, rows: std::ops::Range<usize>) -> Result<bool, Trouble> {
        let mut copy = Copy::new(std::iter::once(batch));
        for row in batch.rows.get(rows).unwrap_or_default() {
            copy.push(batch, row, false);
        }
        self.client.batch_execute("BEGIN").await?;
        let statement = self.client.prepare(&copy.statement()).await;
        let put = match statement {
            Ok(statement) => put(&self.client, &statement, copy.finish()).await,
            Err(error) => Err(error.into()),
        };
        self.client.batch_execute("ROLLBACK").await?;
        match put {
            Ok(()) => Ok(true),
            Err(Trouble::Value(_)) => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }
}

/// Why a transaction was not seen to commit.
pub(super) enum Outcome {
    /// It changed nothing.
    Nothing(Trouble),
    /// The connection was lost when it was to commit. The same again: the key decides.
    Unknown(Trouble),
}

impl From<Trouble> for Outcome {
    fn from(trouble: Trouble) -> Self {
        Self::Nothing(trouble)
    }
}

async fn put(client: &Client, copy: &Statement, bytes: Vec<u8>) -> Result<(), Trouble> {
    let mut sink = pin!(client.copy_in::<_, bytes::Bytes>(copy).await?);
    // Pieces of this size go out as they are, and are not gathered once more.
    let mut bytes = bytes::Bytes::from(bytes);
    while !bytes.is_empty() {
        let piece = bytes.split_to(bytes.len().min(1 << 18));
        sink.send(piece).await?;
    }
    sink.finish().await?;
    Ok(())
}

fn insertion(columns: &str, beside: Beside) -> String {
    let common = "created_at, id_day, hash, id, level, service";
    let mut conditions = Vec::new();
    if beside.kept {
        conditions
            .push("NOT EXISTS (SELECT FROM log_ids k WHERE k.project_id = $2 AND k.id = s.id)".to_owned());
    }
    if beside.arrivals {
        for days in ARRIVAL_DAYS {
            conditions.push(format!(
                "NOT (arrival AND EXISTS (SELECT FROM logs l WHERE l.project_id = $2 AND l.id_day = s.id_day - {days}
                   AND l.id = s.id))"
            ));
        }
    }
    let conditions = match conditions.is_empty() {
        true => String::new(),
        false => " WHERE ".to_owned() + &conditions.join(" AND "),
    };
    format!(
        "INSERT INTO logs (seq, project_id, {common}{columns})
         SELECT $1::bigint + n, $2::bigint, {common}{columns} FROM log_staging s{conditions} ON CONFLICT DO NOTHING"
    )
}

/// The rows that were there before, or came twice: their place, and the hash of what is there. `OFFSET` keeps the planner
/// from turning a join round: for each row one looks into the key, however little the tables held when it was planned.
fn copies(beside: Beside) -> String {
    let in_table = |table: &str, condition: &str| {
        format!(
            "SELECT s.n, l.hash FROM log_staging s CROSS JOIN LATERAL (SELECT hash FROM {table} l
               WHERE l.project_id = $1 AND l.id = s.id AND {condition} OFFSET 0) AS l"
        )
    };
    let mut all = vec![in_table("logs", "l.id_day = s.id_day AND l.seq <> $2 + s.n")];
    if beside.kept {
        all.push(in_table("log_ids", "true"));
    }
    if beside.arrivals {
        all.extend(
            ARRIVAL_DAYS.map(|days| in_table("logs", &format!("l.id_day = s.id_day - {days} AND s.arrival"))),
        );
    }
    all.join(" UNION ALL ")
}

/// Remembers ids that name a later day than the one they lie in: when that day is there, they would lead a copy past
/// the first one.
async fn strays(session: &mut Session, project: i64, works: &[Work]) -> Result<(), Trouble> {
    let ahead =
        |row: &&Row| row.home == Home::Arrival && Day::named_by(row.id).is_some_and(|named| named > row.day);
    let rows: Vec<&Row> = works.iter().flat_map(|work| work.stored().filter(ahead)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| Uuid(*row.id.as_bytes())).collect();
    let hashes: Vec<i32> = rows.iter().map(|row| row.hash).collect();
    let days: Vec<Date> = rows.iter().map(|row| Date(row.day)).collect();
    session
        .execute(
            "INSERT INTO log_ids (project_id, id, hash, id_day)
             SELECT $1, * FROM unnest($2::uuid[], $3::integer[], $4::date[]) ON CONFLICT DO NOTHING",
            &[&project, &ids, &hashes, &days],
        )
        .await?;
    session
        .execute("UPDATE log_projects SET kept = true WHERE project_id = $1 AND NOT kept", &[&project])
        .await
        .map(drop)
}
