//! One transaction: the rows of some batches, what tells copies from them, what is counted of them.
//!
//! ```text
//! COPY log_staging ─► INSERT … ON CONFLICT DO NOTHING ─► fewer came than went? which, and what is there under their ids
//!      ─► log_projects: the project's row is ours until the end ─► arrivals, counts, open requests, senders ─► COMMIT
//! ```
//!
//! As long as nothing comes twice, and every id names its day, the rows are copied straight to where they stay, which costs
//! half as much. The first copy that comes fails there; it, and what follows for a while, takes the way above.
//!
//! Rows are stored side by side, by as many transactions as have a turn ([`turns`]), of however many collectors; from the
//! project's row on, the transactions of one project come one after the other, so arrivals are numbered in the order of the
//! commits ([`arrivals`]). None of them waits for another while it holds what that one waits for: locks are taken in this
//! order.
//!
//! 1. where a copy may be known beside the key, the project's turn to look there ([`beside`]): what is found by looking
//!    is no lock, so those who look, and those who delete, do it in turn;
//! 2. the keys of the rows, by day and id;
//! 3. the project's row.
//!
//! [`beside`]: super::beside
//! [`turns`]: super::writer::turns

use super::arrivals::{self, Arrived};
use super::beside::{self, Beside, copies, insertion};
use super::copy::{AsText, ColumnSet, Rows, Target};
use super::trouble::Trouble;
use super::writer::Shared;
use super::{hide, notes, open, strays, tally};
use crate::store::StoreError;
use crate::store::batch::{Batch, Home, Row, Verdict};
use crate::time::Day;
use futures_util::SinkExt as _;
use hoplog_entry::EntryId;
use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use tokio::sync::Semaphore;
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
    copies: HashMap<(ColumnSet, bool), Statement>,
    inserts: HashMap<(ColumnSet, Beside), Statement>,
    /// By their text.
    prepared: HashMap<&'static str, Statement>,
    /// So many transactions go by the staging table, since copies came.
    staged: u32,
}

/// What is known when a transaction begins.
struct Begun {
    /// Its rows are numbered from here on, and no other ones.
    base: i64,
    /// Whether `log_ids` holds some of the project.
    kept: bool,
}

/// What was copied into the staging table.
struct Staged {
    set: ColumnSet,
    columns: String,
}

/// Transactions by the staging table after a copy was met, or a connection lost: what is copied in vain is one in so many
/// at most.
const STAGED: u32 = 50;
/// A number for the transaction, which makes room for that of each of its rows, and what is known of the project.
const BEGIN: &str = "SELECT nextval('log_groups') << 20, coalesce((SELECT kept FROM log_projects WHERE project_id = $1), false)";
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
    pub(super) fn new(client: Client, after_a_loss: bool) -> Self {
        let staged = if after_a_loss { STAGED } else { 0 };
        let (copies, inserts, prepared) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { client, copies, inserts, prepared, staged }
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
        shared: &Shared,
    ) -> Result<(), Outcome> {
        let wanted: BTreeSet<Day> =
            works.iter().flat_map(|w| w.batch.rows.iter().map(|row| row.day)).collect();
        shared.days.ensure(&self.client, &wanted, shared.indexes).await?;
        self.client.batch_execute("BEGIN").await.map_err(Trouble::from)?;
        if let Err(trouble) = self.fill(project, works, as_text, shared).await {
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

    async fn fill(
        &mut self,
        project: i64,
        works: &mut [Work],
        as_text: &AsText,
        shared: &Shared,
    ) -> Result<(), Trouble> {
        let begun = self.query(BEGIN, &[&project]).await?;
        let begun = begun.first().map(|row| Begun { base: row.get(0), kept: row.get(1) });
        let Some(Begun { base, kept }) = begun else { return Ok(()) };
        works.iter_mut().for_each(|work| work.verdicts.fill(Verdict::Stored));
        if works.iter().any(|work| !work.batch.rows.is_empty()) {
            self.rows(project, works, as_text, Begun { base, kept }, &shared.turns).await?;
        }
        let Arrived { kept: kept_by_now, has_open } =
            arrivals::number(self, project, works, shared.follower_lag).await?;
        if kept_by_now && !kept {
            // Entries left meanwhile, of which copies may be among these.
            return Err(Trouble::Again(StoreError::Unavailable("entries were being taken out".to_owned())));
        }
        tally::add(self, project, works).await?;
        hide::hide(self, project, works).await?;
        open::follow(self, project, works, has_open).await?;
        strays::note(self, project, works).await?;
        notes::take(self, project, works).await
    }

    /// Stores the rows that are new.
    async fn rows(
        &mut self,
        project: i64,
        works: &mut [Work],
        as_text: &AsText,
        Begun { base, kept }: Begun,
        turns: &Semaphore,
    ) -> Result<(), Trouble> {
        let arrivals = works.iter().any(|work| work.batch.rows.iter().any(|row| row.home == Home::Arrival));
        let beside = Beside { arrivals, kept };
        if beside == Beside::default() && self.staged == 0 {
            let copy = copied(works, as_text, Target::Logs { project, base });
            let statement = self.copy(&copy).await?;
            // Whoever has the turn waits for nobody who waits for it: what is locked is locked from here on.
            let _turn = turns.acquire().await;
            return put(&self.client, &statement, copy.finish()).await;
        }
        self.staged = self.staged.saturating_sub(1);
        let staged = self.stage(works, as_text).await?;
        if beside != Beside::default() {
            self.execute(beside::TURN, &[&project]).await?;
        }
        self.insert(project, works, base, beside, staged).await
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
    ) -> Result<(), Trouble> {
        let key = (staged.set, beside);
        let insert = match self.inserts.get(&key) {
            Some(known) => known.clone(),
            None => self.client.prepare(&insertion(&staged.columns, beside)).await?,
        };
        keep(&mut self.inserts, key, &insert);
        let stored = self.client.execute(&insert, &[&base, &project]).await?;
        let rows = works.iter().map(|work| work.batch.rows.len()).sum::<usize>();
        if usize::try_from(stored) != Ok(rows) {
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
        for (n, row) in (1..).zip(batch.rows.get(rows).unwrap_or_default()) {
            copy.push(n, batch, row, false);
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

/// The rows in the order of their keys, each with its number in the order in which they came.
fn copied(works: &[Work], as_text: &AsText, target: Target) -> Rows {
    let places =
        works.iter().enumerate().flat_map(|(n, work)| (0..work.batch.rows.len()).map(move |row| (n, row)));
    let rows = (1..).zip(places).filter_map(|(number, place)| {
        let row = works.get(place.0)?.batch.rows.get(place.1)?;
        Some((row.day, row.id, number, place))
    });
    let mut rows: Vec<(Day, EntryId, i64, (usize, usize))> = rows.collect();
    rows.sort_unstable();
    let mut copy = Rows::new(works.iter().map(|work| &*work.batch), target);
    for (.., number, place) in rows {
        let Some(batch) = works.get(place.0).map(|work| &work.batch) else { continue };
        let Some(row) = batch.rows.get(place.1) else { continue };
        copy.push(number, batch, row, as_text.contains(&place));
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
