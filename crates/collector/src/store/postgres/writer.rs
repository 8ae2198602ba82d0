//! Those who write. Batches that wait together are committed together, each answered after the commit; while one
//! group waits for the disk, the next one is already on its way.

use super::connect::Connector;
use super::copy::AsText;
use super::days::Days;
use super::schema::Indexes;
use super::transact::{self, Outcome, Session, Work};
use super::trouble::{Trouble, explain};
use crate::store::StoreError;
use crate::store::batch::{Batch, Verdict};
use hoplog_entry::Diagnostics;
use std::mem::take;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};

/// A batch that waits, and who waits for it.
pub(super) struct Job {
    pub(super) project: i64,
    pub(super) batch: Box<Batch>,
    pub(super) reply: oneshot::Sender<Result<Vec<Verdict>, StoreError>>,
}

/// A group is closed at this many rows.
const GROUP_ROWS: usize = 5_000;
/// How often a group is tried before whoever waits is told to come again.
const ATTEMPTS: u32 = 4;
/// Before a group is tried again for which somebody was in the way; it doubles.
const PAUSE: Duration = Duration::from_millis(10);

/// What writers share.
pub(super) struct Shared {
    pub(super) connector: Connector,
    pub(super) days: Days,
    pub(super) indexes: Indexes,
    /// Arrivals that a follower may be behind.
    pub(super) follower_lag: i64,
    pub(super) counts: Counts,
    /// For a transaction, its turn included.
    pub(super) time: Duration,
    /// [`turns`] to copy rows straight to where they stay.
    pub(super) turns: Semaphore,
}

/// What happened to writers since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) connections: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) commits_unknown: AtomicU64,
    pub(super) kept_as_text: AtomicU64,
}

impl Counts {
    pub(super) fn render(&self) -> String {
        let all = [
            ("hoplog_store_connections_total", "Connections made to write.", &self.connections),
            ("hoplog_store_retries_total", "Transactions tried again.", &self.retries),
            (
                "hoplog_store_commits_unknown_total",
                "Connections lost while a commit was under way; what it held was sent again.",
                &self.commits_unknown,
            ),
            (
                "hoplog_store_kept_as_text_total",
                "Entries whose JSON the store takes as text only.",
                &self.kept_as_text,
            ),
        ];
        all.iter().fold(String::new(), |out, (name, help, counter)| {
            out + &format!("# HELP {name} {help}\n# TYPE {name} counter\n{name} {}\n", counter.load(Relaxed))
        })
    }
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    session: Option<Session>,
    /// A connection was lost, and no other one made since.
    lost: bool,
}

/// How many of the writers copy rows at once. Transactions that write to the same pages of an index at once take more of
/// the server's time than one after the other, so of three one copies, while one commits and one gets ready. With few indexes
/// it is little more, and one that copies alone leaves processors idle.
pub(super) fn turns(writers: usize, indexes: Indexes) -> usize {
    match indexes {
        Indexes::Queries => writers.div_ceil(3).max(1),
        Indexes::Lean => writers.saturating_sub(1).max(1),
    }
}

type Waiting = oneshot::Sender<Result<Vec<Verdict>, StoreError>>;

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, session: None, lost: false }
    }

    /// Works until the last sender is gone.
    pub(super) async fn run(mut self, jobs: Arc<Mutex<mpsc::Receiver<Job>>>) {
        // Only one gathers at a time: a group is what waited together.
        loop {
            let group = {
                let mut jobs = jobs.lock().await;
                let Some(first) = jobs.recv().await else { return };
                let mut rows = first.batch.rows.len();
                let mut group = vec![first];
                while rows < GROUP_ROWS {
                    let Ok(job) = jobs.try_recv() else { break };
                    rows += job.batch.rows.len();
                    group.push(job);
                }
                group
            };
            self.commit(group).await;
        }
    }

    /// Commits batches, apart by project.
    async fn commit(&mut self, mut jobs: Vec<Job>) {
        while let Some(first) = jobs.first() {
            let project = first.project;
            let (together, others) = take(&mut jobs).into_iter().partition(|job| job.project == project);
            jobs = others;
            self.commit_together(project, together).await;
        }
    }

    async fn commit_together(&mut self, project: i64, jobs: Vec<Job>) {
        let (mut works, mut waiting): (Vec<Work>, Vec<Waiting>) =
            jobs.into_iter().map(|job| (Work::new(job.batch), job.reply)).unzip();
        match self.persist(project, &mut works, &AsText::new()).await {
            Ok(()) => {}
            // One batch's trouble is not the others': each for itself, and its entries if need be.
            Err(Trouble::Value(_) | Trouble::Refused(_)) if works.len() > 1 => {
                for (mut work, reply) in works.into_iter().zip(waiting) {
                    let result = self.alone(project, &mut work).await;
                    answer(work, reply, result);
                }
                return;
            }
            Err(Trouble::Value(_)) => {
                if let (Some(mut work), Some(reply)) = (works.pop(), waiting.pop()) {
                    let result = self.alone(project, &mut work).await;
                    answer(work, reply, result);
                }
                return;
            }
            Err(trouble) => {
                let error = trouble.into_error();
                for (work, reply) in works.into_iter().zip(waiting) {
                    answer(work, reply, Err(error.clone()));
                }
                return;
            }
        }
        for (work, reply) in works.into_iter().zip(waiting) {
            answer(work, reply, Ok(()));
        }
    }

    /// Commits one batch; entries that PostgreSQL does not take as they are keep their JSON as text.
    async fn alone(&mut self, project: i64, work: &mut Work) -> Result<(), StoreError> {
        let works = std::slice::from_mut(work);
        match self.persist(project, works, &AsText::new()).await {
            Err(Trouble::Value(_)) => {}
            other => return other.map_err(Trouble::into_error),
        }
        let rows = works.first().map_or(0, |work| work.batch.rows.len());
        let mut as_text = AsText::new();
        let mut ranges: Vec<_> = std::iter::once(0..rows).collect();
        while let Some(range) = ranges.pop() {
            let Some(work) = works.first() else { break };
            let session = self.session().await.map_err(Trouble::into_error)?;
            match session.takes(&work.batch, range.clone()).await {
                Ok(true) => {}
                Ok(false) if range.len() == 1 => {
                    as_text.insert((0, range.start));
                }
                Ok(false) => {
                    let middle = range.start + range.len() / 2;
                    ranges.extend([range.start..middle, middle..range.end]);
                }
                Err(trouble) => {
                    self.session = None;
                    return Err(trouble.into_error());
                }
            }
        }
        self.shared.counts.kept_as_text.fetch_add(as_text.len() as u64, Relaxed);
        self.persist(project, works, &as_text).await.map_err(Trouble::into_error)
    }

    /// Commits, over as many connections as it takes, within reason.
    async fn persist(&mut self, project: i64, works: &mut [Work], as_text: &AsText) -> Result<(), Trouble> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            let shared = Arc::clone(&self.shared);
            // One that cannot be had now is not waited for: whoever sent comes again.
            let session = self.session().await?;
            // A server that says nothing any more would keep this writer, and those whose turn comes after it.
            let outcome =
                tokio::time::timeout(shared.time, session.commit(project, works, as_text, &shared)).await;
            let outcome = outcome.unwrap_or_else(|_| Err(Outcome::Unknown(silent(shared.time))));
            let Err(outcome) = outcome else { return Ok(()) };
            let counts = &shared.counts;
            if matches!(outcome, Outcome::Unknown(_)) {
                counts.commits_unknown.fetch_add(1, Relaxed);
            }
            let (Outcome::Unknown(trouble) | Outcome::Nothing(trouble)) = outcome;
            if attempt >= ATTEMPTS {
                return Err(trouble);
            }
            match &trouble {
                Trouble::Gone(_) => (self.session, self.lost) = (None, true),
                Trouble::Again(_) => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Trouble::NoDay(_) => shared.days.forget(),
                Trouble::Twice(_) => continue, // by the staging table, which knows what to do about it
                Trouble::Value(_) | Trouble::Refused(_) => return Err(trouble),
            }
            counts.retries.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    async fn session(&mut self) -> Result<&mut Session, Trouble> {
        let usable = self.session.as_ref().is_some_and(|session| !session.client.is_closed());
        if !usable {
            self.lost |= self.session.take().is_some();
            let connected = self.shared.connector.connect(&transact::setup()).await;
            let client = connected.map_err(|error| Trouble::Refused(explain(&error)))?;
            self.shared.counts.connections.fetch_add(1, Relaxed);
            self.session = Some(Session::new(client, take(&mut self.lost)));
        }
        self.session
            .as_mut()
            .ok_or_else(|| Trouble::Refused(StoreError::Unavailable("no connection".to_owned())))
    }
}

fn silent(time: Duration) -> Trouble {
    let said = format!("PostgreSQL did not answer within {} ms", time.as_millis());
    Trouble::Gone(StoreError::Unavailable(said))
}

fn answer(work: Work, reply: Waiting, result: Result<(), StoreError>) {
    if let Err(error) = &result {
        static REFUSED: LazyLock<Diagnostics> = LazyLock::new(Diagnostics::default);
        REFUSED.warn("not stored", || format!("a batch was not stored: {error}"));
    }
    // Whoever asked may be gone; the rows stay, and a second delivery meets them.
    let _ = reply.send(result.map(|()| work.verdicts));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_always_has_a_turn_and_with_few_indexes_all_but_one() {
        for (writers, queries, lean) in [(0, 1, 1), (1, 1, 1), (2, 1, 1), (3, 1, 2), (6, 2, 5), (64, 22, 63)]
        {
            assert_eq!(turns(writers, Indexes::Queries), queries);
            assert_eq!(turns(writers, Indexes::Lean), lean);
        }
    }
}
