//! Queries: a few at once, each within its time, on connections that never write, and on a thread of its own that stands
//! behind everything else: a query takes what writing leaves of the processors.

use super::connection::{self, explain};
use super::directory::Directory;
use crate::store::StoreError;
use crate::time::Day;
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot};

/// SQLite's steps between two looks at the clock: well under a millisecond.
const STEPS: i32 = 10_000;
/// Connections kept per day between queries.
const IDLE: usize = 2;

/// Where queries run.
#[derive(Clone)]
pub(super) struct Readers {
    directory: Arc<Directory>,
    idle: Arc<Mutex<HashMap<Day, Vec<Connection>>>>,
    slots: Arc<Semaphore>,
    time: Duration,
    /// How far its thread stands behind others, as in `nice`.
    nice: u8,
    /// Passed by every query, and shut while the writer waits for those under way.
    gate: Arc<RwLock<()>>,
    commits: Arc<AtomicU64>,
}

/// The files of one query: every day, opened read-only.
pub(super) struct Files {
    pub(super) by_day: BTreeMap<Day, Connection>,
    directory: Arc<Directory>,
}

impl Files {
    /// Says what an error of this day's file means.
    pub(super) fn explain(&self, day: Day) -> impl Fn(rusqlite::Error) -> StoreError + use<> {
        let path = self.directory.file(day);
        move |error| explain(&error, &path)
    }
}

impl Readers {
    pub(super) fn new(directory: Arc<Directory>, queries: usize, time: Duration, nice: u8) -> Self {
        let slots = Arc::new(Semaphore::new(queries.max(1)));
        let (gate, commits) = (Arc::default(), Arc::default());
        Self { directory, idle: Arc::default(), slots, time, nice, gate, commits }
    }

    /// Notes that there is something new to read.
    pub(super) fn committed(&self) {
        self.commits.fetch_add(1, Relaxed);
    }

    /// How often something was committed.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Relaxed)
    }

    /// Runs a query over all files. Dropping the future ends the query soon after.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Files) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let busy = || StoreError::TooSlow("too many queries at once: try again".to_owned());
        let slot = tokio::time::timeout(self.time, Arc::clone(&self.slots).acquire_owned()).await;
        let slot = slot.map_err(|_| busy())?.map_err(|_| busy())?;
        let given_up = GivenUp::default();
        let (readers, flag, until) = (self.clone(), Arc::clone(&given_up.0), Instant::now() + self.time);
        let (answer, answered) = oneshot::channel();
        let work = move || {
            let _slot = slot;
            stand_behind(readers.nice);
            drop(readers.gate.read());
            let files = readers.open(until, &flag)?;
            let result = query(&files);
            readers.keep(files);
            result
        };
        let cut_off = || StoreError::Unavailable("the query was cut off".to_owned());
        // One that may be put behind others, as it does nothing else afterwards; it costs less than a query's statement.
        let thread = std::thread::Builder::new().name("hoplog-query".to_owned()).spawn(move || {
            // Nobody may be waiting any more.
            let _ = answer.send(work());
        });
        thread.map_err(|_| StoreError::Unavailable("no thread is to be had for a query".to_owned()))?;
        answered.await.map_err(|_| cut_off())?
    }

    fn open(&self, until: Instant, given_up: &Arc<AtomicBool>) -> Result<Files, StoreError> {
        let mut files = Files { by_day: BTreeMap::new(), directory: Arc::clone(&self.directory) };
        for day in self.directory.days() {
            let explain = files.explain(day);
            let idle =
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&day).and_then(Vec::pop);
            let mut connection = match idle {
                Some(connection) => connection,
                None => match connection::for_reading(&self.directory.file(day)) {
                    Ok(connection) => connection,
                    Err(_) if !self.directory.has(day) => continue, // deleted since
                    Err(error) => return Err(explain(error)),
                },
            };
            let given_up = Arc::clone(given_up);
            connection
                .progress_handler(STEPS, Some(move || Instant::now() >= until || given_up.load(Relaxed)))
                .map_err(explain)?;
            files.by_day.insert(day, connection);
        }
        Ok(files)
    }

    fn keep(&self, files: Files) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        for (day, connection) in files.by_day {
            let kept = idle.entry(day).or_default();
            if kept.len() < IDLE && self.directory.has(day) {
                kept.push(connection);
            }
        }
    }

    /// No query begins as long as this is held.
    ///
    /// SQLite has places for four moments of one file; where each is taken, a query shares one that is past, and
    /// queries that take turns there keep the log from being moved in however long one waits.
    pub(super) fn hold(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes what is kept of a day.
    pub(super) fn forget(&self, day: Day) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).remove(&day);
    }

    pub(super) fn forget_all(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Puts this thread so far behind where the collector runs. Where that is not to be had, it runs abreast.
fn stand_behind(nice: u8) {
    // Elsewhere it would be the whole process.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(nice.into());
    #[cfg(not(target_os = "linux"))]
    let _ = nice;
}

/// Tells the query when nobody waits for it any more.
#[derive(Default)]
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
