//! The one thread that writes. Batches that wait together are committed together, each answered after the commit.

use super::connection::{self, explain, is_damage};
use super::directory::{Directory, Identity};
use super::insert::Inserter;
use super::readers::Readers;
use super::running::Awaited;
use super::{Options, retention};
use crate::store::StoreError;
use crate::store::batch::{Batch, Home, Verdict};
use crate::time::Day;
use hoplog_entry::Diagnostics;
use rusqlite::{Connection, TransactionBehavior};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

pub(super) enum Command {
    Write(Box<Batch>, oneshot::Sender<Result<Vec<Verdict>, StoreError>>),
    /// Whether a write would work.
    Probe(oneshot::Sender<Result<(), StoreError>>),
    /// Delete what is too old or too much.
    Sweep,
    /// Move the log into the files and end.
    Close(oneshot::Sender<()>),
}

/// A group is closed at this many rows, or after this time.
const GROUP_ROWS: usize = 5_000;
const GROUP_TIME: Duration = Duration::from_millis(10);
/// Files open at once for writing: today's, and those that a sender's backlog names.
const OPEN_FILES: usize = 4;
/// A log larger than this is moved into its file and cut to nothing.
const WAL_BYTES: u64 = 64 << 20;
/// Readers may be in the way of that; not more often than this.
const TRUNCATE_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    directory: Arc<Directory>,
    readers: Readers,
    options: Options,
    files: BTreeMap<Day, OpenFile>,
    truncated: Option<Instant>,
}

struct OpenFile {
    connection: Connection,
    identity: Identity,
    used: Instant,
    awaited: Awaited,
}

/// A batch and what becomes of its rows.
struct Job {
    batch: Box<Batch>,
    verdicts: Vec<Verdict>,
    reply: oneshot::Sender<Result<Vec<Verdict>, StoreError>>,
}

impl Writer {
    pub(super) fn new(directory: Arc<Directory>, readers: Readers, options: Options) -> Self {
        Self { directory, readers, options, files: BTreeMap::new(), truncated: None }
    }

    /// Works until the last sender is gone or a close is asked for.
    pub(super) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        while let Some(command) = commands.blocking_recv() {
            let other = match command {
                Command::Write(batch, reply) => self.group(Job::new(batch, reply), &mut commands),
                other => Some(other),
            };
            if other.is_some_and(|command| self.command(command)) {
                return;
            }
        }
    }

    /// Does what is not a write; true at the end.
    fn command(&mut self, command: Command) -> bool {
        match command {
            // Whoever asked may be gone; then nobody waits for the answer.
            Command::Probe(reply) => {
                let _ = reply.send(self.probe());
            }
            Command::Sweep => self.sweep(),
            Command::Close(reply) => {
                for day in self.files.keys().copied().collect::<Vec<_>>() {
                    self.release(day);
                }
                self.readers.forget_all();
                self.directory.unlock();
                let _ = reply.send(());
                return true;
            }
            Command::Write(batch, reply) => self.commit(vec![Job::new(batch, reply)]),
        }
        false
    }

    /// Gathers what else waits and commits all of it. A command that is not a write ends the group and is given
    /// back.
    fn group(&mut self, first: Job, commands: &mut mpsc::Receiver<Command>) -> Option<Command> {
        let began = Instant::now();
        let mut rows = first.batch.rows.len();
        let mut jobs = vec![first];
        let mut other = None;
        while rows < GROUP_ROWS && began.elapsed() < GROUP_TIME {
            match commands.try_recv() {
                Ok(Command::Write(batch, reply)) => {
                    rows += batch.rows.len();
                    jobs.push(Job::new(batch, reply));
                }
                Ok(command) => {
                    other = Some(command);
                    break;
                }
                Err(_) => break,
            }
        }
        self.commit(jobs);
        other
    }

    fn commit(&mut self, mut jobs: Vec<Job>) {
        let mut result = self.transact(&mut jobs);
        if result.is_err() && jobs.len() > 1 {
            // One batch's trouble is not the others': each for itself.
            for mut job in jobs {
                result = self.transact(std::slice::from_mut(&mut job));
                job.answer(result);
            }
            return;
        }
        for job in jobs {
            job.answer(result.clone());
        }
    }

    /// One transaction per day's file; ids decide which file, so a group over midnight has two.
    fn transact(&mut self, jobs: &mut [Job]) -> Result<(), StoreError> {
        let days: BTreeSet<Day> = jobs.iter().flat_map(Job::days).collect();
        for day in days {
            if let Err(error) = self.transact_day(day, jobs) {
                self.files.remove(&day); // rolls back
                if !is_damage(&error) {
                    return Err(explain(&error, &self.directory.file(day)));
                }
                self.readers.forget(day);
                self.directory.set_aside(day, &self.options.clock, &error.to_string());
                self.transact_day(day, jobs).map_err(|e| explain(&e, &self.directory.file(day)))?;
            }
            self.readers.committed();
            self.bound_wal(day);
        }
        Ok(())
    }

    fn transact_day(&mut self, day: Day, jobs: &mut [Job]) -> rusqlite::Result<()> {
        // The day before is asked only where a copy may lie in it, and only if it is there.
        let before = day.back(1);
        let arrivals =
            jobs.iter().any(|job| job.batch.rows.iter().any(|r| r.day == day && r.home == Home::Arrival));
        let before = (arrivals && self.directory.has(before)).then_some(before);
        self.open(day, before)?;
        // After an error it is gone with the file's connection, and read anew.
        let mut awaited = self.files.get_mut(&day).map(|file| take(&mut file.awaited)).unwrap_or_default();
        let before = before.and_then(|before| self.files.get(&before)).map(|file| &file.connection);
        let Some(file) = self.files.get(&day) else { return Err(rusqlite::Error::InvalidQuery) };
        let transaction =
            rusqlite::Transaction::new_unchecked(&file.connection, TransactionBehavior::Immediate)?;
        let mut inserter = Inserter::new(&transaction, &mut awaited)?;
        for job in jobs {
            let batch = &job.batch;
            for (row, verdict) in batch.rows.iter().zip(&mut job.verdicts).filter(|(row, _)| row.day == day) {
                *verdict = inserter.row(batch, row, before)?;
            }
            if let Some(sender) = &batch.sender
                && Day::of(batch.received_at) == day
            {
                inserter.sender(sender, batch.received_at)?;
            }
        }
        inserter.finish()?;
        transaction.commit()?;
        if let Some(file) = self.files.get_mut(&day) {
            file.awaited = awaited;
        }
        Ok(())
    }

    /// Opens the file of `day`, and of the day before if asked; closes what was used longest ago.
    fn open(&mut self, day: Day, before: Option<Day>) -> rusqlite::Result<()> {
        for wanted in [Some(day), before].into_iter().flatten() {
            // A file that was deleted or replaced under us would take rows that nobody finds.
            let there = self.directory.identity(wanted).ok();
            if self.files.get(&wanted).is_some_and(|file| Some(file.identity) != there) {
                self.files.remove(&wanted);
                self.readers.forget(wanted);
            }
            let now = Instant::now();
            if let Some(file) = self.files.get_mut(&wanted) {
                file.used = now;
                continue;
            }
            let connection = connection::for_writing(&self.directory.file(wanted))?;
            let identity = self.directory.identity(wanted).map_err(|_| rusqlite::Error::InvalidQuery)?;
            let awaited = Awaited::read(&connection)?;
            self.files.insert(wanted, OpenFile { connection, identity, used: now, awaited });
            self.directory.add(wanted);
        }
        while self.files.len() > OPEN_FILES {
            let oldest = self.files.iter().min_by_key(|(_, file)| file.used).map(|(day, _)| *day);
            let Some(oldest) = oldest else { break };
            self.release(oldest);
        }
        Ok(())
    }

    /// Closes a file with its log moved in, as it may not be opened for writing again.
    fn release(&mut self, day: Day) {
        if let Some(file) = self.files.remove(&day) {
            truncate(&file.connection);
        }
    }

    fn bound_wal(&mut self, day: Day) {
        let due = self.truncated.is_none_or(|at| at.elapsed() >= TRUNCATE_EVERY);
        if due && self.directory.wal_bytes(day) > WAL_BYTES {
            self.truncated = Some(Instant::now());
            if let Some(file) = self.files.get(&day) {
                truncate(&file.connection);
            }
        }
    }

    /// Whether a batch would be taken now: today's file opens, and the directory takes a file.
    pub(super) fn probe(&mut self) -> Result<(), StoreError> {
        let today = Day::of(self.options.clock.now());
        self.open(today, None).map_err(|e| explain(&e, &self.directory.file(today)))?;
        self.directory.probe().map_err(|e| {
            let path = self.directory.path().display();
            StoreError::Unavailable(format!("the data directory {path} cannot be written to: {e}"))
        })
    }

    /// Deletes the days that retention does not keep.
    pub(super) fn sweep(&mut self) {
        let days: Vec<_> =
            self.directory.days().into_iter().map(|day| (day, self.directory.bytes(day))).collect();
        let today = Day::of(self.options.clock.now());
        for day in retention::expired(&days, today, self.options.retention_days, self.options.retention_bytes)
        {
            self.files.remove(&day);
            self.readers.forget(day);
            self.directory.delete(day);
        }
    }
}

impl Job {
    fn new(batch: Box<Batch>, reply: oneshot::Sender<Result<Vec<Verdict>, StoreError>>) -> Self {
        let verdicts = vec![Verdict::Stored; batch.rows.len()];
        Self { batch, verdicts, reply }
    }

    fn days(&self) -> BTreeSet<Day> {
        let sender = self.batch.sender.as_ref().map(|_| Day::of(self.batch.received_at));
        self.batch.rows.iter().map(|row| row.day).chain(sender).collect()
    }

    fn answer(self, result: Result<(), StoreError>) {
        if let Err(error) = &result {
            // A full disk must not be filled further by complaints about it.
            static REFUSED: LazyLock<Diagnostics> = LazyLock::new(Diagnostics::default);
            REFUSED.warn("not stored", || format!("a batch was not stored: {error}"));
        }
        // Whoever asked may be gone; the rows stay, and a second delivery meets them.
        let _ = self.reply.send(result.map(|()| self.verdicts));
    }
}

/// Moves the log into the file. A reader in the way is not waited for long: the next time will do.
fn truncate(connection: &Connection) {
    let _ = connection.busy_timeout(Duration::from_millis(50));
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    let _ = connection.busy_timeout(Duration::from_secs(1));
}
