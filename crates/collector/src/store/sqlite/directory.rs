//! The data directory: which days have a file, who may write, what is done with a damaged file.

use super::connection;
use super::schema;
use crate::error::StartError;
use crate::time::{Clock, Day};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The directory and the days in it.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    days: Mutex<BTreeSet<Day>>,
    /// Held while the store is open; the system lets go of it when the process dies, however it dies.
    lock: File,
}

/// What tells one file from another at the same path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Directory {
    pub(super) fn open(path: &Path, clock: &Clock) -> Result<Self, StartError> {
        let refused = |e: io::Error| StartError::directory(path, e);
        // For its owner only: entries may hold what not everyone on the machine should read.
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(refused)?;
        // The directory may be reached through links; its files may be none.
        let path = &fs::canonicalize(path).map_err(refused)?;
        let lock = File::create(path.join("LOCK")).map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StartError::directory_in_use(path)),
            Err(TryLockError::Error(e)) => return Err(refused(e)),
        }
        let directory = Self { path: path.to_owned(), days: Mutex::default(), lock };
        let mut days = BTreeSet::new();
        for entry in fs::read_dir(path).map_err(refused)? {
            let name = entry.map_err(refused)?.file_name();
            let Some(day) = name.to_str().and_then(day_of) else { continue };
            if directory.admit(day, clock)? {
                days.insert(day);
            }
        }
        *directory.days.lock().unwrap_or_else(PoisonError::into_inner) = days;
        Ok(directory)
    }

    /// Looks whether a file that was found is one of ours, and whole as far as its first pages tell. A damaged one
    /// is set aside: it never keeps the collector from starting.
    fn admit(&self, day: Day, clock: &Clock) -> Result<bool, StartError> {
        let path = self.file(day);
        // Opened for writing, so that the log that a killed process left is moved in.
        let looked = connection::existing(&path).and_then(|mut connection| {
            let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
            let tables: i64 =
                connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            let before = connection::version(&connection)?;
            if application == schema::APPLICATION && (1..schema::VERSION).contains(&before) {
                warn(&format!("{} is brought to layout {}", path.display(), schema::VERSION));
                schema::prepare(&mut connection)?;
            }
            Ok((application, connection::version(&connection)?, tables))
        });
        match looked {
            Ok((schema::APPLICATION, schema::VERSION, _)) => Ok(true),
            Ok((_, _, 0)) => Ok(false), // begun and never written to; the writer may still do so
            Ok((schema::APPLICATION, newer, _)) => Err(StartError::new(format!(
                "{} has layout {newer}, this hoplog knows {}: run the newer hoplog that wrote it",
                path.display(),
                schema::VERSION
            ))),
            Ok(_) => {
                self.set_aside(day, clock, "it is a database of something else");
                Ok(false)
            }
            Err(error) if connection::is_damage(&error) => {
                self.set_aside(day, clock, &error.to_string());
                Ok(false)
            }
            Err(error) => Err(StartError::directory(&path, io::Error::other(error))),
        }
    }

    pub(super) fn file(&self, day: Day) -> PathBuf {
        self.path.join(format!("logs-{day}.db"))
    }

    /// The ids kept of a day.
    pub(super) fn ids_file(&self, day: Day) -> PathBuf {
        self.path.join(format!("ids-{day}.db"))
    }

    /// The same while they are being written.
    pub(super) fn ids_draft(&self, day: Day) -> PathBuf {
        self.path.join(format!("ids-{day}.draft"))
    }

    /// The days of which ids are kept, in no order; none if the directory cannot be read.
    pub(super) fn ids_days(&self) -> Vec<Day> {
        let names = fs::read_dir(&self.path).into_iter().flatten().flatten().map(|entry| entry.file_name());
        names
            .filter_map(|name| Day::parse(name.to_str()?.strip_prefix("ids-")?.strip_suffix(".db")?))
            .collect()
    }

    /// Bytes of the ids that are kept.
    pub(super) fn ids_bytes(&self) -> u64 {
        let files = self.ids_days().into_iter().filter_map(|day| fs::metadata(self.ids_file(day)).ok());
        files.map(|m| m.len()).sum()
    }

    /// The days that have a file, oldest first.
    pub(super) fn days(&self) -> BTreeSet<Day> {
        self.days.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn has(&self, day: Day) -> bool {
        self.days.lock().unwrap_or_else(PoisonError::into_inner).contains(&day)
    }

    pub(super) fn add(&self, day: Day) {
        self.days.lock().unwrap_or_else(PoisonError::into_inner).insert(day);
    }

    /// Bytes of a day's file and its log.
    pub(super) fn bytes(&self, day: Day) -> u64 {
        self.parts(day).iter().filter_map(|part| fs::metadata(part).ok()).map(|m| m.len()).sum()
    }

    pub(super) fn wal_bytes(&self, day: Day) -> u64 {
        fs::metadata(with_suffix(&self.file(day), "-wal")).map_or(0, |m| m.len())
    }

    /// Deletes a day.
    pub(super) fn delete(&self, day: Day) {
        self.days.lock().unwrap_or_else(PoisonError::into_inner).remove(&day);
        for part in self.parts(day) {
            if let Err(error) = fs::remove_file(&part)
                && error.kind() != io::ErrorKind::NotFound
            {
                warn(&format!("cannot delete {}: {error}", part.display()));
            }
        }
    }

    /// Renames a damaged day, for whoever wants to look at it, and forgets it.
    pub(super) fn set_aside(&self, day: Day, clock: &Clock, why: &str) {
        self.days.lock().unwrap_or_else(PoisonError::into_inner).remove(&day);
        let mark = format!(".damaged-{}", clock.now());
        for part in self.parts(day) {
            // A part that cannot be renamed is met again at the next start.
            let _ = fs::rename(&part, with_suffix(&part, &mark));
        }
        let path = self.file(day);
        warn(&format!("{} is set aside as {}{mark}: {why}", path.display(), path.display()));
    }

    /// Which file stands at a day's path right now.
    pub(super) fn identity(&self, day: Day) -> io::Result<Identity> {
        fs::metadata(self.file(day)).map(|m| Identity(m.dev(), m.ino()))
    }

    /// Makes and removes a file, as only that tells whether the directory can be written to.
    pub(super) fn probe(&self) -> io::Result<()> {
        let path = self.path.join("PROBE");
        let written = File::create(&path).and_then(|mut file| file.write_all(b"?"));
        written.and(fs::remove_file(&path))
    }

    /// Lets another collector have the directory.
    pub(super) fn unlock(&self) {
        // What fails here, the end of the process does.
        let _ = self.lock.unlock();
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn parts(&self, day: Day) -> [PathBuf; 3] {
        let file = self.file(day);
        [with_suffix(&file, "-wal"), with_suffix(&file, "-shm"), file]
    }
}

/// One line on stderr; for what an operator should know and no request can be told.
pub(super) fn warn(what: &str) {
    let _ = writeln!(io::stderr(), "hoplog: {what}");
}

fn day_of(name: &str) -> Option<Day> {
    Day::parse(name.strip_prefix("logs-")?.strip_suffix(".db")?)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
