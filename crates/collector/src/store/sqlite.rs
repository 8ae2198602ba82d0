//! Entries in SQLite: one file per UTC day, `logs-YYYY-MM-DD.db`, in one directory.
//!
//! ```text
//! write ─► channel ─► writer thread: many batches, one transaction per day's file, fsync ─► verdicts
//! read  ─► a few threads that block, each with read-only connections of its own
//! ```
//!
//! - One thread writes; readers see the last commit and never hold it up (WAL).
//! - A committed batch survives a power cut (`synchronous=FULL`).
//! - An entry lies in the file of the day that its id names, so that a copy, however late, meets the first one.
//! - Old entries leave as whole files; a row is deleted only if somebody asks for it ([`erase`]). Their ids may stay a
//!   while ([`ids`]).

use super::batch::{Batch, Verdict};
use super::completeness::{Accounts, Question};
use super::deletion::{Deleted, Deletion};
use super::errors::{ErrorListing, ErrorSearch};
use super::figures::{RouteFigures, ServiceFigures, Totals};
use super::follow::{News, Position};
use super::histogram::{Bars, HistogramSearch};
use super::search::{Filter, Listing, Period, Room, Search, TraceKey};
use super::traces::{TraceListing, TraceSearch};
use super::{Reply, Store, StoreError};
use crate::config::Config;
use crate::error::StartError;
use crate::time::Clock;
use directory::Directory;
use hoplog_entry::EntryId;
use readers::Readers;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use writer::{Command, Writer};

pub(crate) use projects::SqliteProjects;

pub(crate) mod check;
mod connection;
mod directory;
mod erase;
mod errors;
mod figures;
mod follow;
mod grams;
mod histogram;
mod ids;
mod insert;
mod listing;
mod projects;
mod readers;
mod routes;
mod running;
mod schema;
mod select;
mod senders;
mod strays;
mod traces;
mod writer;

/// The layout of files that this version writes.
pub(crate) const LAYOUT: i64 = schema::VERSION;

/// How a store of this kind runs.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    directory: PathBuf,
    retention_days: u32,
    retention_bytes: u64,
    query_time: Duration,
    queries: usize,
    query_nice: u8,
    follower_lag: u32,
    answer: Room,
    wal_bytes: u64,
    clock: Clock,
}

/// A reader keeps the log of its file from being moved in: none may go on for longer.
const LONGEST_QUERY: Duration = Duration::from_secs(30);

impl Options {
    pub(crate) fn new(directory: PathBuf, config: &Config) -> Self {
        Self {
            directory,
            retention_days: config.retention_days,
            retention_bytes: config.retention_bytes,
            query_time: config.limits.query_time.min(LONGEST_QUERY),
            queries: config.limits.queries,
            query_nice: config.limits.query_nice,
            follower_lag: config.limits.follower_lag,
            answer: Room::of(&config.limits),
            wal_bytes: config.limits.wal_bytes,
            clock: config.clock.clone(),
        }
    }
}

/// Batches that wait for the writer: enough to fill a group while one is being committed.
const QUEUE: usize = 256;
/// How often old files are looked for.
const SWEEP: Duration = Duration::from_secs(3600);

/// Entries in files by day.
pub(crate) struct SqliteStore {
    commands: mpsc::Sender<Command>,
    readers: Readers,
    answer: Room,
    follower_lag: u32,
}

impl SqliteStore {
    /// Opens the directory, sets damaged files aside, deletes what is too old, starts the writer. Blocks; called
    /// on a runtime's thread.
    pub(crate) fn open(options: Options) -> Result<Self, StartError> {
        let directory = Arc::new(Directory::open(&options.directory, &options.clock)?);
        let readers =
            Readers::new(Arc::clone(&directory), options.queries, options.query_time, options.query_nice);
        let (answer, follower_lag) = (options.answer, options.follower_lag);
        let (commands, receiver) = mpsc::channel(QUEUE);
        let mut writer = Writer::new(directory, readers.clone(), options);
        writer.sweep();
        writer.recall().map_err(|e| StartError::new(e.to_string()))?;
        writer.probe().map_err(|e| StartError::new(e.to_string()))?;
        std::thread::Builder::new()
            .name("hoplog-writer".to_owned())
            .spawn(move || writer.run(receiver))
            .map_err(|e| StartError::new(format!("cannot start the writer's thread: {e}")))?;
        let sweeper = commands.downgrade();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(SWEEP).await;
                let Some(commands) = sweeper.upgrade() else { return };
                if commands.send(Command::Sweep).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self { commands, readers, answer, follower_lag })
    }

    /// Sends the writer a command and waits for its answer.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, StoreError> {
        let closed = || StoreError::Unavailable("the store is closed".to_owned());
        let (sender, receiver) = oneshot::channel();
        self.commands.send(command(sender)).await.map_err(|_| closed())?;
        receiver.await.map_err(|_| closed())
    }
}

impl Store for SqliteStore {
    fn write(&self, batch: Batch) -> Reply<'_, Vec<Verdict>> {
        Box::pin(async { self.ask(|reply| Command::Write(Box::new(batch), reply)).await? })
    }

    fn search(&self, search: Search) -> Reply<'_, Listing> {
        let room = self.answer;
        Box::pin(self.readers.run(move |files| listing::search(files, &search, room)))
    }

    fn entry(&self, id: EntryId) -> Reply<'_, Option<String>> {
        Box::pin(self.readers.run(move |files| listing::entry(files, id)))
    }

    fn trace(&self, key: TraceKey) -> Reply<'_, Listing> {
        let room = self.answer;
        Box::pin(self.readers.run(move |files| listing::trace(files, &key, room)))
    }

    fn traces(&self, search: TraceSearch) -> Reply<'_, TraceListing> {
        Box::pin(self.readers.run(move |files| traces::traces(files, &search)))
    }

    fn histogram(&self, search: HistogramSearch) -> Reply<'_, Bars> {
        Box::pin(self.readers.run(move |files| histogram::histogram(files, &search)))
    }

    fn errors(&self, search: ErrorSearch) -> Reply<'_, ErrorListing> {
        Box::pin(self.readers.run(move |files| errors::errors(files, &search)))
    }

    fn delete(&self, deletion: Deletion) -> Reply<'_, Deleted> {
        Box::pin(async move {
            let mut walk = erase::Walk::new(self.readers.clone(), deletion.filter);
            let mut deleted = Deleted::default();
            while let Some(erase::Found { day, seqs }) = walk.next().await? {
                if deletion.dry_run {
                    deleted.entries += seqs.len() as u64;
                    continue;
                }
                for seqs in seqs.chunks(erase::STEP) {
                    let seqs = seqs.to_vec();
                    deleted.entries += self.ask(|reply| Command::Erase(day, seqs, reply)).await??;
                }
            }
            Ok(deleted)
        })
    }

    fn follow(&self, filter: Filter, since: Option<Position>) -> Reply<'_, News> {
        // Before it is looked: what is committed meanwhile is found now, or the next time.
        let commits = self.readers.commits();
        let lag = self.follower_lag.into();
        match since {
            Some(position) if position.commits == commits => {
                Box::pin(std::future::ready(Ok(News { position, ..News::default() })))
            }
            since => {
                Box::pin(self.readers.run(move |files| follow::follow(files, &filter, since, commits, lag)))
            }
        }
    }

    fn routes(&self, period: Period) -> Reply<'_, Vec<RouteFigures>> {
        Box::pin(self.readers.run(move |files| routes::routes(files, period)))
    }

    fn services(&self) -> Reply<'_, Vec<ServiceFigures>> {
        Box::pin(self.readers.run(figures::services))
    }

    fn senders(&self, question: Question) -> Reply<'_, Accounts> {
        Box::pin(self.readers.run(move |files| senders::accounts(files, &question)))
    }

    fn totals(&self, errors_since: i64) -> Reply<'_, Totals> {
        Box::pin(self.readers.run(move |files| figures::totals(files, errors_since)))
    }

    fn ready(&self) -> Reply<'_, ()> {
        const MOST: Duration = Duration::from_secs(2);
        Box::pin(async {
            let probed = tokio::time::timeout(MOST, self.ask(Command::Probe)).await;
            probed.map_err(|_| StoreError::Unavailable("the store does not keep up".to_owned()))??
        })
    }

    fn close(&self) -> Reply<'_, ()> {
        Box::pin(self.ask(Command::Close))
    }
}
