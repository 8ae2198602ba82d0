//! Entries in PostgreSQL, the projects of any number of collectors in one database.
//!
//! ```text
//! write ─► channel ─► writers, each with a connection: many batches, one transaction (COPY, INSERT, COMMIT) ─► verdicts
//! read  ─► a few connections of their own, read-only, each question within its time
//! ```
//!
//! - An entry lies in the partition of the day that its id names, so that a copy, however late, meets the first one
//!   under the key `(project_id, id)` of its partition.
//! - A commit is durable (`synchronous_commit`); one whose outcome was not seen is tried again, and the key decides.
//! - Old entries leave as whole partitions; their ids may stay a while.
//! - Every statement names its project.

use super::batch::{Batch, Verdict};
use super::completeness::{Accounts, Question};
use super::deletion::{Deleted, Deletion};
use super::errors::{ErrorListing, ErrorSearch};
use super::figures::{RouteFigures, ServiceFigures, Totals};
use super::follow::{News, Position};
use super::histogram::{Bars, HistogramSearch};
use super::projects::{Project, Stores};
use super::search::{Filter, Listing, Period, Room, Search, TraceKey};
use super::traces::{TraceListing, TraceSearch};
use super::{Reply, Store, StoreError};
use crate::config::Config;
use crate::error::StartError;
use crate::time::{Clock, Day};
use address::Address;
use connect::{Connector, Readers, Reads};
use hoplog_entry::EntryId;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use sweep::Keep;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use writer::{Counts, Job, Shared, Writer};

pub(crate) use keys::PostgresKeys;
pub use schema::Indexes;

mod address;
mod arrivals;
mod beside;
pub(crate) mod check;
mod connect;
mod copy;
mod days;
mod erase;
mod errors;
mod figures;
mod follow;
mod hide;
mod histogram;
mod keys;
mod layouts;
mod listing;
mod notes;
mod open;
mod routes;
mod schema;
mod select;
mod senders;
mod strays;
mod sweep;
mod tally;
mod tls;
mod traces;
mod transact;
mod trouble;
mod wire;
mod writer;

/// Batches that wait for a writer.
const QUEUE: usize = 256;
/// How often old days are looked for.
const SWEEP: Duration = Duration::from_secs(3600);
/// How long it may take to learn that all is well.
const PROBE: Duration = Duration::from_secs(2);

/// What the stores of all projects share.
struct Inner {
    /// Gone once the store is closed.
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    writers: Mutex<Vec<JoinHandle<()>>>,
    readers: Readers,
    shared: Arc<Shared>,
    clock: Clock,
    answer: Room,
}

/// The projects of one database.
pub(crate) struct PostgresProjects(Arc<Inner>);

impl PostgresProjects {
    /// Connects, brings the tables up to date, drops what is too old, starts the writers.
    pub(crate) async fn open(url: &str, config: &Config) -> Result<Self, StartError> {
        let connector = Connector::new(Address::parse(url)?)?;
        let client = connector.connect(&transact::setup()).await;
        let client = client.map_err(|error| StartError::new(trouble::explain(&error).to_string()))?;
        layouts::bring_up_to_date(&client).await?;
        let shared = Arc::new(Shared {
            connector: connector.clone(),
            days: days::Days::default(),
            indexes: config.postgres_indexes,
            follower_lag: config.limits.follower_lag.into(),
            counts: Counts::default(),
            time: config.limits.store_time,
            turns: Semaphore::new(writer::turns(config.postgres_writers, config.postgres_indexes)),
        });
        let keep = Keep { days: config.retention_days, bytes: config.retention_bytes };
        let today = Day::of(config.clock.now());
        let swept = sweep::sweep(&client, &shared, today, keep).await;
        swept.map_err(|trouble| StartError::new(trouble.into_error().to_string()))?;
        let (jobs, receiver) = mpsc::channel(QUEUE);
        let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
        let writers = (0..config.postgres_writers.max(1)).map(|_| {
            let writer = Writer::new(Arc::clone(&shared));
            tokio::spawn(writer.run(Arc::clone(&receiver)))
        });
        let inner = Arc::new(Inner {
            jobs: Mutex::new(Some(jobs)),
            writers: Mutex::new(writers.collect()),
            readers: Readers::new(connector, &config.limits),
            shared,
            clock: config.clock.clone(),
            answer: Room::of(&config.limits),
        });
        tokio::spawn(sweep_for_ever(Arc::downgrade(&inner), config.clock.clone(), keep));
        Ok(Self(inner))
    }
}

async fn sweep_for_ever(inner: std::sync::Weak<Inner>, clock: Clock, keep: Keep) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(inner) = inner.upgrade() else { return };
        let Ok(client) = inner.shared.connector.connect(&transact::setup()).await else { continue };
        // What could not be done is tried again within the hour.
        let _ = sweep::sweep(&client, &inner.shared, Day::of(clock.now()), keep).await;
    }
}

impl Stores for PostgresProjects {
    fn open(&self, project: Project) -> Result<Arc<dyn Store>, StartError> {
        Ok(Arc::new(PostgresStore { inner: Arc::clone(&self.0), project: project.0.into() }))
    }

    fn kept(&self) -> Vec<Project> {
        Vec::new() // a project takes nothing until it is asked for, and is swept with the others
    }

    fn most(&self) -> usize {
        usize::MAX
    }

    fn metrics(&self) -> String {
        self.0.shared.counts.render()
    }
}

/// The entries of one project.
struct PostgresStore {
    inner: Arc<Inner>,
    project: i64,
}

impl PostgresStore {
    async fn commit(&self, batch: Batch) -> Result<Vec<Verdict>, StoreError> {
        let closed = || StoreError::Unavailable("the store is closed".to_owned());
        let jobs = self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (reply, answer) = oneshot::channel();
        let job = Job { project: self.project, batch: Box::new(batch), reply };
        jobs.ok_or_else(closed)?.send(job).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

/// Runs a question on a connection of its own.
macro_rules! ask {
    ($self:ident, $reads:expr, $client:ident => $question:expr) => {
        Box::pin(async move {
            let mut lease = $self.inner.readers.lease($reads).await?;
            let $client = lease.client()?;
            let answer = $question.await.map_err(|error| trouble::explain(&error));
            lease.end();
            answer
        })
    };
}

impl Store for PostgresStore {
    fn write(&self, batch: Batch) -> Reply<'_, Vec<Verdict>> {
        Box::pin(self.commit(batch))
    }

    fn search(&self, search: Search) -> Reply<'_, Listing> {
        let now = (self.inner.shared.indexes == Indexes::Lean).then(|| self.inner.clock.now());
        let reads = if search.filter.reads() { Reads::All } else { Reads::Some };
        ask!(self, reads, client => listing::search(client, self.project, &search, now, self.inner.answer))
    }

    fn entry(&self, id: EntryId) -> Reply<'_, Option<String>> {
        ask!(self, Reads::Some, client => listing::entry(client, self.project, id))
    }

    fn trace(&self, key: TraceKey) -> Reply<'_, Listing> {
        ask!(self, Reads::Some, client => listing::trace(client, self.project, &key, self.inner.answer))
    }

    fn traces(&self, search: TraceSearch) -> Reply<'_, TraceListing> {
        ask!(self, Reads::All, client => traces::traces(client, self.project, &search))
    }

    fn histogram(&self, search: HistogramSearch) -> Reply<'_, Bars> {
        ask!(self, Reads::All, client => histogram::histogram(client, self.project, &search))
    }

    fn errors(&self, search: ErrorSearch) -> Reply<'_, ErrorListing> {
        ask!(self, Reads::All, client => errors::errors(client, self.project, &search))
    }

    fn delete(&self, deletion: Deletion) -> Reply<'_, Deleted> {
        Box::pin(async move {
            let setup = "SET jit = off; SET statement_timeout = '60s'; SET lock_timeout = '5s'";
            let writer = self.inner.shared.connector.connect(setup).await;
            let writer = writer.map_err(|error| trouble::explain(&error))?;
            let mut lease = self.inner.readers.lease(Reads::All).await?;
            let deleted = erase::delete(lease.client()?, &writer, self.project, &deletion).await;
            lease.end();
            deleted.map_err(|error| trouble::explain(&error))
        })
    }

    fn follow(&self, filter: Filter, since: Option<Position>) -> Reply<'_, News> {
        let lag = self.inner.shared.follower_lag;
        ask!(self, Reads::Some, client => follow::follow(client, self.project, &filter, since, lag))
    }

    fn routes(&self, period: Period) -> Reply<'_, Vec<RouteFigures>> {
        ask!(self, Reads::All, client => routes::routes(client, self.project, period))
    }

    fn services(&self) -> Reply<'_, Vec<ServiceFigures>> {
        ask!(self, Reads::Some, client => figures::services(client, self.project))
    }

    fn senders(&self, question: Question) -> Reply<'_, Accounts> {
        ask!(self, Reads::Some, client => senders::accounts(client, self.project, &question))
    }

    fn totals(&self, errors_since: i64) -> Reply<'_, Totals> {
        ask!(self, Reads::Some, client => figures::totals(client, self.project, errors_since))
    }

    fn ready(&self) -> Reply<'_, ()> {
        Box::pin(async move {
            let away = |why: &str| StoreError::Unavailable(format!("PostgreSQL takes no entries: {why}"));
            let probed = tokio::time::timeout(PROBE, async {
                let mut lease = self.inner.readers.lease(Reads::Some).await?;
                let asked = lease.client()?.query_one("SELECT pg_is_in_recovery()", &[]).await;
                let standby = asked.map_err(|error| trouble::explain(&error))?.get::<_, bool>(0);
                lease.end();
                if standby { Err(away("it is a standby; name the primary in --store")) } else { Ok(()) }
            });
            probed.await.map_err(|_| away("it does not answer"))?
        })
    }

    fn close(&self) -> Reply<'_, ()> {
        Box::pin(async move {
            drop(self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
            let writers =
                std::mem::take(&mut *self.inner.writers.lock().unwrap_or_else(PoisonError::into_inner));
            for writer in writers {
                // They end with their queue.
                let _ = writer.await;
            }
            self.inner.readers.forget_all();
            Ok(())
        })
    }
}
