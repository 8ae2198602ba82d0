//! The one thread that writes. Batches that wait together are committed together, each answered after the commit.

use super::connection::{self, explain, is_damage};
use super::directory::{self, Directory, Identity};
use super::grams::Growing;
use super::ids;
use super::insert::{Elsewhere, Inserter, next_seq};
use super::readers::Readers;
use super::running::Awaited;
use super::senders::Notes;
use super::strays::Strays;
use super::{Options, erase};
use crate::store::StoreError;
use crate::store::batch::{Batch, Home, Row, Verdict};
use crate::store::retention;
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
    /// Take these rows of a day out; how many there were.
    Erase(Day, Vec<i64>, oneshot::Sender<Result<u64, StoreError>>),
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
/// Days before the one of its arrival in which a copy of an entry is looked for whose id names no day: at least 48 h.
const ARRIVAL_DAYS: u32 = 2;
/// How often a log is moved into its file while readers may be in the way of that.
const TRUNCATE_EVERY: Duration = Duration::from_secs(1);
/// How long one is waited for, as a rule.
const BRIEFLY: Duration = Duration::from_millis(50);
/// How often all of them are waited for, should one of another program not end.
const STAND_EVERY: Duration = Duration::from_secs(60);

pub(super) struct Writer {
    directory: Arc<Directory>,
    readers: Readers,
    options: Options,
    files: BTreeMap<Day, OpenFile>,
    truncated: Option<Instant>,
    /// When the last wait for all readers was in vain.
    stood: Option<Instant>,
    strays: Strays,
}

struct OpenFile {
    connection: Connection,
    identity: Identity,
    used: Instant,
    awaited: Awaited,
    growing: Growing,
}

/// Ids of days whose files are gone, opened for one transaction.
struct Kept {
    own: Option<Connection>,
    earlier: Vec<Connection>,
}

/// A batch and what becomes of its rows.
struct Job {
    batch: Box<Batch>,
    verdicts: Vec<Verdict>,
    reply: oneshot::Sender<Result<Vec<Verdict>, StoreError>>,
}

impl Writer {
    pub(super) fn new(directory: Arc<Directory>, readers: Readers, options: Options) -> Self {
        let strays = Strays::default();
        Self { directory, readers, options, files: BTreeMap::new(), truncated: None, stood: None, strays }
    }

    /// Reads what must be known before the first batch.
    pub(super) fn recall(&mut self) -> Result<(), StoreError> {
        let today = Day::of(self.options.clock.now());
        let days = self.directory.days();
        for &day in days.range(today.back(ids::KEPT_DAYS)..) {
            let path = self.directory.file(day);
            // One that may write, as a reader would leave its log behind.
            let read = connection::existing(&path).and_then(|file| self.strays.read(&file, day));
            read.map_err(|e| explain(&e, &path))?;
        }
        Ok(())
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
            Command::Erase(day, seqs, reply) => {
                let _ = reply.send(self.erase(day, &seqs));
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

    /// Commits batches, apart by the day on which they came.
    fn commit(&mut self, mut jobs: Vec<Job>) {
        while let Some(first) = jobs.first() {
            let day = first.arrived();
            let (together, others) = jobs.into_iter().partition(|job| job.arrived() == day);
            self.commit_together(together);
            jobs = others;
        }
    }

    fn commit_together(&mut self, mut jobs: Vec<Job>) {
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

    /// One transaction per day's file; ids decide which file, so a group over midnight has two. The day on which the
    /// batches came is the last one: what is noted of their senders then counts every row.
    fn transact(&mut self, jobs: &mut [Job]) -> Result<(), StoreError> {
        jobs.iter_mut().for_each(|job| self.strays.lead(&mut job.batch));
        let arrived = jobs.first().map(Job::arrived);
        let mut days: BTreeSet<Day> = jobs.iter().flat_map(Job::days).collect();
        let last = arrived.filter(|day| days.remove(day));
        for day in days.into_iter().chain(last) {
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
        // Earlier days are asked only where a copy may lie in them.
        let arrivals = |r: &Row| r.day == day && r.home == Home::Arrival;
        let arrivals = jobs.iter().any(|job| job.batch.rows.iter().any(arrivals));
        let earlier = (1..=ARRIVAL_DAYS).filter(|_| arrivals).map(|days| day.back(days));
        let earlier: Vec<Day> = earlier.collect();
        let mut kept = Kept { own: ids::open(&self.directory, day)?, earlier: Vec::new() };
        for earlier in &earlier {
            kept.earlier.extend(ids::open(&self.directory, *earlier)?);
        }
        let earlier: Vec<Day> = earlier.into_iter().filter(|day| self.directory.has(*day)).collect();
        self.open(day, &earlier)?;
        // After an error it is gone with the file's connection, and read anew.
        let known = self.files.get_mut(&day).map(|file| (take(&mut file.awaited), take(&mut file.growing)));
        let (mut awaited, mut growing) = known.unwrap_or_default();
        let earlier = earlier.iter().filter_map(|day| self.files.get(day)).map(|file| &file.connection);
        let elsewhere = Elsewhere {
            own_ids: kept.own.as_ref(),
            earlier_ids: kept.earlier.iter().collect(),
            earlier: earlier.collect(),
        };
        let Some(file) = self.files.get(&day) else { return Err(rusqlite::Error::InvalidQuery) };
        let transaction =
            rusqlite::Transaction::new_unchecked(&file.connection, TransactionBehavior::Immediate)?;
        let mut inserter = Inserter::new(&transaction, &mut awaited, &mut growing)?;
        for job in &mut *jobs {
            let batch = &job.batch;
            for (row, verdict) in batch.rows.iter().zip(&mut job.verdicts).filter(|(row, _)| row.day == day) {
                *verdict = inserter.row(batch, row, &elsewhere)?;
            }
        }
        inserter.finish()?;
        for job in jobs.iter() {
            self.strays.note(&transaction, &job.batch, day)?;
        }
        let arrived = jobs.iter().filter(|job| job.arrived() == day && job.batch.sender.is_some());
        if arrived.clone().next().is_some() {
            let mut notes = Notes::new(&transaction)?;
            for Job { batch, verdicts, .. } in arrived {
                batch.sender.iter().try_for_each(|sender| notes.take(sender, batch, verdicts))?;
            }
        }
        transaction.commit()?;
        if let Some(file) = self.files.get_mut(&day) {
            (file.awaited, file.growing) = (awaited, growing);
        }
        Ok(())
    }

    fn erase(&mut self, day: Day, seqs: &[i64]) -> Result<u64, StoreError> {
        let path = self.directory.file(day);
        let explain = |e: rusqlite::Error| explain(&e, &path);
        // A day that is gone since takes no file again.
        if !self.directory.has(day) {
            return Ok(0);
        }
        self.open(day, &[]).map_err(explain)?;
        let Some(file) = self.files.get_mut(&day) else { return Ok(0) };
        let erased = erase::erase(&mut file.connection, seqs).map_err(explain)?;
        self.readers.committed();
        self.bound_wal(day);
        Ok(erased)
    }

    /// Opens the file of `day`, and those of earlier days if asked; closes what was used longest ago.
    fn open(&mut self, day: Day, earlier: &[Day]) -> rusqlite::Result<()> {
        for wanted in earlier.iter().copied().chain([day]) {
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
            let growing = Growing::read(&connection, next_seq(&connection)?)?;
            self.files.insert(wanted, OpenFile { connection, identity, used: now, awaited, growing });
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
            truncate(&file.connection, BRIEFLY);
        }
    }

    /// Keeps a log from growing: above its bound it is moved into its file, if readers let it; half as much again, and
    /// nothing is written, and no query begins, until those under way have ended, each of which has its time.
    fn bound_wal(&mut self, day: Day) {
        let (bytes, bound) = (self.directory.wal_bytes(day), self.options.wal_bytes);
        let due = |last: Option<Instant>, every| last.is_none_or(|at| at.elapsed() >= every);
        let stand = bytes > bound + bound / 2 && due(self.stood, STAND_EVERY);
        if bytes <= bound || !(stand || due(self.truncated, TRUNCATE_EVERY)) {
            return;
        }
        self.truncated = Some(Instant::now());
        let Some(file) = self.files.get(&day) else { return };
        let _held = stand.then(|| self.readers.hold());
        let most = if stand { self.options.query_time + Duration::from_secs(2) } else { BRIEFLY };
        if !truncate(&file.connection, most) && stand {
            self.stood = Some(Instant::now());
        }
    }

    /// Whether a batch would be taken now: today's file opens, and the directory takes a file.
    pub(super) fn probe(&mut self) -> Result<(), StoreError> {
        let today = Day::of(self.options.clock.now());
        self.open(today, &[]).map_err(|e| explain(&e, &self.directory.file(today)))?;
        self.directory.probe().map_err(|e| {
            let path = self.directory.path().display();
            StoreError::Unavailable(format!("the data directory {path} cannot be written to: {e}"))
        })
    }

    /// Deletes the days that retention does not keep. The ids of a young one outlive it; where they cannot be kept, the
    /// day stays until the next time.
    pub(super) fn sweep(&mut self) {
        let today = Day::of(self.options.clock.now());
        ids::expire(&self.directory, today);
        self.strays.forget(today);
        let days: Vec<_> =
            self.directory.days().into_iter().map(|day| (day, self.directory.bytes(day))).collect();
        let Options { retention_days, retention_bytes, .. } = self.options;
        let bytes = retention_bytes.saturating_sub(self.directory.ids_bytes());
        for day in retention::expired(&days, today, retention_days, bytes) {
            self.release(day);
            self.readers.forget(day);
            if day >= today.back(ids::KEPT_DAYS)
                && let Err(error) = ids::keep(&self.directory, day)
            {
                directory::warn(&format!("the entries of {day} stay, as their ids cannot be kept: {error}"));
                continue;
            }
            self.directory.delete(day);
        }
    }
}

impl Job {
    fn new(batch: Box<Batch>, reply: oneshot::Sender<Result<Vec<Verdict>, StoreError>>) -> Self {
        let verdicts = vec![Verdict::Stored; batch.rows.len()];
        Self { batch, verdicts, reply }
    }

    fn arrived(&self) -> Day {
        Day::of(self.batch.received_at)
    }

    fn days(&self) -> BTreeSet<Day> {
        let sender = self.batch.sender.as_ref().map(|_| self.arrived());
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

/// Moves the log into the file and cuts it to nothing; readers in the way are waited for so long. Whether it was done.
fn truncate(connection: &Connection, most: Duration) -> bool {
    let _ = connection.busy_timeout(most);
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    let _ = connection.busy_timeout(Duration::from_secs(1));
    busy.is_ok_and(|busy| !busy)
}
