//! One transaction: the rows of some batches, what tells copies from them, what is counted of them.
//!
//! ```text
//! COPY log_staging ─► log_projects: the project's row is ours until the end ─► INSERT … ON CONFLICT DO NOTHING
//!      ─► fewer came than went? which, and what is there under their ids ─► counts, open requests, senders ─► COMMIT
//! ```
//!
//! As long as nothing comes twice, and every id names its day, the rows are copied straight to where they stay, which costs
//! half as much. The first copy that comes fails there; it, and what follows for a while, takes the way above.
//!
//! From the lock on the transactions of one project come one after the other, from however many collectors. So `seq` is in
//! the order of the commits, and none of them waits for another while it holds what that one waits for.

use super::beside::{Beside, copies, insertion};
use super::copy::{AsText, ColumnSet, Rows, Target};
use super::days::Days;
use super::schema::Indexes;
use super::trouble::Trouble;
use super::{hide, notes, open, strays, tally};
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
    copies: HashMap<(ColumnSet, bool), Statement>,
    inserts: HashMap<(ColumnSet, Beside), Statement>,
    /// By their text.
    prepared: HashMap<&'static str, Statement>,
    /// So many transactions go by the staging table, since copies came.
    staged: u32,
}

/// What the project's row says.
struct Locked {
    /// Its last arrival's number.
    base: i64,
    kept: bool,
    has_open: bool,
}

/// What was copied into the staging table.
struct Staged {
    set: ColumnSet,
    columns: String,
}

/// Transactions by the staging table after a copy was met, or a connection lost: what is copied in vain is one in so many
/// at most.
const STAGED: u32 = 50;
/// Sets of columns that are kept prepared; a hostile sender makes others, which then start anew.
const MOST_PREPARED: usize = 32;
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
    /// `after_a_loss`: what the connection before this one had in hand may be stored.
    pub(super) async fn new(client: Client, after_a_loss: bool) -> Result<Self, Trouble> {
        let staged = if after_a_loss { STAGED } else { 0 };
        let lock = client
            .prepare(
                "INSERT INTO log_projects AS p (project_id, seq) VALUES ($1, $2)
                 ON CONFLICT (project_id) DO UPDATE SET seq = p.seq + $2 RETURNING seq - $2, kept, open",
            )
            .await?;
        let (copies, inserts, prepared) = (HashMap::new(), HashMap::new(), HashMap::new());
        Ok(Self { client, lock, copies, inserts, prepared, staged })
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
            if matches!(trouble, Trouble::Twice(_)) {
                self.staged = STAGED;
            }
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
        let rows = works.iter().map(|work| work.batch.rows.len()).sum::<usize>();
        let has_open = match i64::try_from(rows).unwrap_or(i64::MAX) {
            0 => false,
            rows => self.rows(project, works, as_text, rows).await?,
        };
        tally::add(self, project, works).await?;
        hide::hide(self, project, works).await?;
        open::follow(self, project, works, has_open).await?;
        strays::note(self, project, works).await?;
        notes::take(self, project, works).await
    }

    /// Stores the rows that are new; whether final entries of open requests are awaited.
    async fn rows(
        &mut self,
        project: i64,
        works: &mut [Work],
        as_text: &AsText,
        rows: i64,
    ) -> Result<bool, Trouble> {
        let arrivals = works.iter().any(|work| work.batch.rows.iter().any(|row| row.home == Home::Arrival));
        works.iter_mut().for_each(|work| work.verdicts.fill(Verdict::Stored));
        if arrivals || self.staged > 0 {
            self.staged = self.staged.saturating_sub(1);
            let plain = self.stage(works, as_text).await?;
            let Locked { base, kept, has_open } = self.lock(project, rows).await?;
            self.insert(project, works, base, Beside { arrivals, kept }, plain, rows).await?;
            return Ok(has_open);
        }
        // Whatever can be done is done before the others have to wait.
        let mut copy = copied(works, as_text, Target::Logs { project });
        let statement = self.copy(&copy).await?;
        let Locked { base, kept, has_open } = self.lock(project, rows).await?;
        if kept {
            let plain = self.stage(works, as_text).await?;
            self.insert(project, works, base, Beside { arrivals, kept }, plain, rows).await?;
        } else {
            copy.number_after(base);
            put(&self.client, &statement, copy.finish()).await?;
        }
        Ok(has_open)
    }

    /// Takes the project's row: nobody else writes to the project until the end of the transaction.
    async fn lock(&mut self, project: i64, rows: i64) -> Result<Locked, Trouble> {
        let locked = self.client.query_one(&self.lock, &[&project, &rows]).await?;
        Ok(Locked { base: locked.get(0), kept: locked.get(1), has_open: locked.get(2) })
    }

    /// Copies the rows into the staging table; what they fill there.
    async fn stage(&mut self, works: &[Work], as_text: &AsText) -> Result<Staged, Trouble> {
        let copy = copied(works, as_text, Target::Staging);
        let statement = self.copy(&copy).await?;
        let staged = Staged { set: copy.shape(), columns: copy.columns() };
        put(&self.client, &statement, copy.finish()).await?;
        Ok(staged)
    }

    /// Takes over from the staging table what is new.
    async fn insert(
        &mut self,
        project: i64,
        works: &mut [Work],
        base: i64,
        beside: Beside,
        staged: Staged,
        rows: i64,
    ) -> Result<(), Trouble> {
        let key = (staged.set, beside);
        let insert = match self.inserts.get(&key) {
            Some(known) => known.clone(),
            None => self.client.prepare(&insertion(&staged.columns, beside)).await?,
        };
        keep(&mut self.inserts, key, &insert);
        let stored = self.client.execute(&insert, &[&base, &project]).await?;
        if i64::try_from(stored) != Ok(rows) {
            self.judge(project, base, beside, works).await?;
        }
        Ok(())
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

    /// The statement that takes these rows.
    async fn copy(&mut self, rows: &Rows) -> Result<Statement, Trouble> {
        let key = (rows.shape(), rows.target() == Target::Staging);
        let copy = match self.copies.get(&key) {
            Some(known) => known.clone(),
            None => self.client.prepare(&rows.statement()).await?,
        };
        keep(&mut self.copies, key, &copy);
        Ok(copy)
    }

    /// Whether PostgreSQL takes the values of these rows; nothing is kept.
    pub(super) async fn takes(&self, batch: &Batch, rows: std::ops::Range<usize>) -> Result<bool, Trouble> {
        let mut copy = Rows::new(std::iter::once(batch), Target::Staging);
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

/// Keeps what was prepared, within a bound.
fn keep<K: Eq + std::hash::Hash>(prepared: &mut HashMap<K, Statement>, key: K, statement: &Statement) {
    if prepared.len() >= MOST_PREPARED && !prepared.contains_key(&key) {
        prepared.clear();
    }
    prepared.entry(key).or_insert_with(|| statement.clone());
}

fn copied(works: &[Work], as_text: &AsText, target: Target) -> Rows {
    let mut copy = Rows::new(works.iter().map(|work| &*work.batch), target);
    for (n, work) in works.iter().enumerate() {
        for (place, row) in work.batch.rows.iter().enumerate() {
            copy.push(&work.batch, row, as_text.contains(&(n, place)));
        }
    }
    copy
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
