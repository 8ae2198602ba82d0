//! Directories: one of our own, and those of dead processes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use hoplog_entry::EntryId;
use hoplog_entry::spool::MAX_SEGMENT;

use super::fs::Kind;
use super::segment::{Born, Owner, Segment};
use super::{Fs, Health, Now, RealFs, Spool, SpoolConfig, Stat, SyncPolicy, Trouble};
use hoplog_entry::spool::name::{self, LOCK, Name, QUARANTINE};

/// Others may not write: permission bits of group and world.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// Directories of dead processes held at a time; each takes a descriptor for its lock.
const ADOPTED_AT_A_TIME: usize = 64;
/// Names to try for a directory of our own.
const ATTEMPTS: usize = 3;

/// The spool's directory is not to be used; says why and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Why there is no directory of our own.
#[derive(Debug)]
pub(super) enum Unsettled {
    Refused(Refused),
    Failed(io::Error),
}

impl From<io::Error> for Unsettled {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The directory that this process writes to.
pub(super) struct Home<F: Fs> {
    pub(super) dir: PathBuf,
    pub(super) writer: EntryId,
    pub(super) next: u64,
    _lock: F::File,
    /// Given up where the process has no descriptor left.
    pub(super) spare: Option<F::File>,
}

/// The directory of a dead process.
pub(super) struct Adopted<F: Fs> {
    pub(super) id: u64,
    pub(super) dir: PathBuf,
    /// Segments that are still there.
    pub(super) left: usize,
    _lock: F::File,
}

impl<F: Fs> Spool<F> {
    /// Makes the spool's directory, checks it, and makes one of our own in it.
    pub(super) fn settle(&mut self, now: Now) -> Result<(), Unsettled> {
        let root = self.config.dir.clone();
        if self.fs.stat_path(&root)?.is_none() {
            self.fs.make_dir(&root)?;
        }
        let stat = self.fs.stat_path(&root)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        if let Some(fault) = fault_of(&stat, self.fs.user()) {
            return Err(Unsettled::Refused(Refused(format!("{}: {fault}", root.display()))));
        }
        for _ in 0..ATTEMPTS {
            let writer = EntryId::generate(now.unix_ms);
            let dir = root.join(writer.to_string());
            self.fs.make_dir(&dir)?;
            let settled = self.lock_anew(&dir);
            match settled {
                Ok(Some((lock, spare))) => {
                    if self.config.sync != SyncPolicy::Never {
                        self.fs.sync_dir(&root)?;
                    }
                    self.home = Some(Home { dir, writer, next: 0, _lock: lock, spare });
                    return Ok(());
                }
                // Somebody who looks for orphans was faster.
                Ok(None) => {}
                Err(error) => {
                    let _ = self.fs.remove(&dir.join(LOCK));
                    let _ = self.fs.remove_dir(&dir);
                    return Err(error);
                }
            }
        }
        Err(Unsettled::Failed(io::ErrorKind::WouldBlock.into()))
    }

    /// Makes and takes the lock of a new directory, and sees whether that keeps anybody out. `None` where somebody else
    /// has it.
    #[allow(clippy::type_complexity, reason = "the lock and the second handle that it was tried with")]
    fn lock_anew(&self, dir: &Path) -> Result<Option<(F::File, Option<F::File>)>, Unsettled> {
        let path = dir.join(LOCK);
        let lock = match self.fs.create(&path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if self.config.unsafe_allow_no_locks {
            let _ = self.fs.lock(&lock);
            return Ok(Some((lock, None)));
        }
        let unlocked = |why: &str| {
            Unsettled::Refused(Refused(format!(
                "{}: files cannot be locked here ({why}), so that two processes could send the same entries; use a \
                 directory on a local disk",
                dir.display()
            )))
        };
        match self.fs.lock(&lock) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(unlocked(&error.to_string())),
        }
        let second = self.fs.open(&path)?;
        match self.fs.lock(&second) {
            Ok(false) => Ok(Some((lock, Some(second)))),
            Ok(true) => Err(unlocked("a second lock was granted")),
            Err(error) => Err(unlocked(&error.to_string())),
        }
    }

    /// Takes over the directories of dead processes, the oldest segments first, without reading any of them.
    pub(crate) fn adopt(&mut self, now: Now) {
        let Ok(mut names) = self.fs.list(&self.config.dir) else { return };
        names.sort_unstable();
        (self.status.live, self.status.foreign) = (0, 0);
        self.more_orphans = false;
        let mut found = Vec::new();
        for name in names {
            if name == QUARANTINE {
                continue;
            }
            let dir = self.config.dir.join(&name);
            let ours = self.home.as_ref().is_some_and(|home| home.dir == dir);
            if ours || self.adopted.iter().any(|adopted| adopted.dir == dir) {
                continue;
            }
            let Some(writer) = name::writer(&name) else {
                self.status.foreign += 1;
                continue;
            };
            if self.adopted.len() >= ADOPTED_AT_A_TIME {
                self.more_orphans = true;
                break;
            }
            let _ = self.take_over(now, dir, writer, &mut found);
        }
        found.sort_by_key(|(modified_ms, _): &(u64, Segment)| *modified_ms);
        for (_, segment) in found {
            self.insert(segment);
        }
        self.leave_empty_dirs();
    }

    /// Goes on with directories of dead processes where there were more than could be held, and half of those are done with.
    /// True where it did.
    pub(crate) fn adopt_more(&mut self, now: Now) -> bool {
        let goes_on = self.more_orphans
            && self.adopted.len() <= ADOPTED_AT_A_TIME / 2
            && self.health == Health::Healthy;
        if goes_on {
            self.adopt(now);
        }
        goes_on
    }

    /// Adds a segment behind all others; returns its number in this spool.
    pub(super) fn insert(&mut self, segment: Segment) -> u64 {
        let key = self.next_segment;
        self.next_segment += 1;
        if segment.is_ready() {
            self.ready.insert(key);
        }
        self.segments.insert(key, segment);
        key
    }

    fn take_over(
        &mut self,
        now: Now,
        dir: PathBuf,
        writer: EntryId,
        found: &mut Vec<(u64, Segment)>,
    ) -> io::Result<()> {
        let user = self.fs.user();
        let stat = self.fs.stat_path(&dir)?;
        if stat.is_none_or(|stat| fault_of(&stat, user).is_some()) {
            self.status.foreign += 1;
            return Ok(());
        }
        let lock = self.fs.open_lock(&dir.join(LOCK))?;
        if !self.fs.lock(&lock)? {
            self.status.live += 1;
            return Ok(());
        }
        // Whoever had it before may have removed it in between; then it keeps nobody out.
        let there = self.fs.stat_path(&dir.join(LOCK))?;
        if there.map(|stat| stat.id) != Some(self.fs.stat(&lock)?.id) {
            return Ok(());
        }
        let (mut segments, mut hints) = (BTreeMap::new(), Vec::new());
        for name in self.fs.list(&dir)? {
            let path = dir.join(&name);
            match Name::parse(&name) {
                Some(Name::Lock) => {}
                Some(Name::Segment(number)) => match self.fs.stat_path(&path) {
                    Ok(Some(stat)) if is_plain_file(&stat, user, MAX_SEGMENT) => {
                        segments.insert(number, stat);
                    }
                    _ => self.status.foreign += 1,
                },
                Some(Name::Ack(number)) => hints.push((number, path)),
                Some(Name::AckTmp(_)) => drop(self.fs.remove(&path)),
                None => self.status.foreign += 1,
            }
        }
        for (_, path) in hints.iter().filter(|(number, _)| !segments.contains_key(number)) {
            let _ = self.fs.remove(path);
        }
        let id = self.status.adopted;
        self.status.adopted += 1;
        self.adopted.push(Adopted { id, dir: dir.clone(), left: segments.len(), _lock: lock });
        for (number, stat) in segments {
            let born = Born::Found { modified_ms: stat.modified_ms, adopted: now.mono };
            let segment = Segment::new(Owner::Adopted(id), dir.clone(), number, writer, stat.len, born);
            found.push((stat.modified_ms, segment));
        }
        Ok(())
    }

    /// Lets go of the directories of dead processes that hold nothing more; removes those that are empty.
    pub(super) fn leave_empty_dirs(&mut self) {
        let fs = &self.fs;
        self.adopted.retain(|adopted| {
            if adopted.left == 0 {
                remove_dir_if_empty(fs, &adopted.dir);
            }
            adopted.left > 0
        });
    }

    /// The directory is gone with all that was in it; whoever removed it may have meant it, so nothing is waited for.
    pub(super) fn note_vanished(&mut self) -> bool {
        let Some(home) = &self.home else { return false };
        if !matches!(self.fs.stat_path(&home.dir), Ok(None)) {
            return false;
        }
        self.status.vanished += 1;
        self.home = None;
        self.let_go();
        let gone = self.segments.iter().filter(|(_, segment)| {
            segment.owner == Owner::Home || matches!(self.fs.stat_path(&segment.dir), Ok(None))
        });
        for key in gone.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.lose(key, hoplog_entry::DropReason::SpoolIoError);
        }
        true
    }

    /// A directory of our own, made anew where there is none.
    pub(super) fn home(&mut self, now: Now) -> io::Result<&mut Home<F>> {
        if self.home.is_none() {
            self.settle(now).map_err(|unsettled| match unsettled {
                Unsettled::Failed(error) => error,
                Unsettled::Refused(refused) => io::Error::new(io::ErrorKind::PermissionDenied, refused),
            })?;
        }
        self.home.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Runs `open`; where the process has no descriptor left, once more with the spare one.
    pub(super) fn with_spare<T>(&mut self, open: impl Fn(&F) -> io::Result<T>) -> io::Result<T> {
        match open(&self.fs) {
            Err(error) if Trouble::of(&error) == Trouble::Descriptors => {
                let spare = self.home.as_mut().and_then(|home| home.spare.take());
                if spare.is_none() {
                    return Err(error);
                }
                drop(spare);
                open(&self.fs)
            }
            other => other,
        }
    }
}

/// Makes a directory that spools are to be in, if it is missing.
///
/// # Errors
/// Others may change what is in it. A disk that fails is none: it may not later.
pub(crate) fn check_dir(dir: &Path) -> Result<(), Refused> {
    let fs = RealFs;
    let _ = fs.make_dir(dir);
    let fault = fs.stat_path(dir).ok().flatten().and_then(|stat| fault_of(&stat, fs.user()));
    fault.map_or(Ok(()), |fault| Err(Refused(format!("{}: {fault}", dir.display()))))
}

/// Opens a spool and leaves it as it is.
///
/// # Errors
/// Its directory is refused.
pub(crate) fn try_dir(config: &SpoolConfig) -> Result<(), Refused> {
    let now = Now::of_system();
    let spool = Spool::open(RealFs, config.clone(), now)?;
    spool.close(now);
    Ok(())
}

/// Removes what is a spool's in an empty directory, its lock last, and the directory. Where anything else is in it,
/// the lock stays: a lock that goes while others wait for it keeps nobody out.
pub(super) fn remove_dir_if_empty<F: Fs>(fs: &F, dir: &Path) {
    let Ok(names) = fs.list(dir) else { return };
    let mut foreign = false;
    for name in names.iter().filter(|name| *name != LOCK) {
        match Name::parse(name) {
            Some(Name::Ack(_) | Name::AckTmp(_)) => foreign |= fs.remove(&dir.join(name)).is_err(),
            _ => foreign = true,
        }
    }
    if !foreign && fs.remove(&dir.join(LOCK)).is_ok() {
        let _ = fs.remove_dir(dir);
    }
}

fn fault_of(stat: &Stat, user: u32) -> Option<String> {
    if stat.kind != Kind::Directory {
        return Some("it is a link or a file; the spool needs a directory of its own".to_owned());
    }
    if stat.user != user {
        return Some(format!("it belongs to user {}; the spool's directory must be ours", stat.user));
    }
    (stat.mode & WRITABLE_BY_OTHERS != 0)
        .then(|| format!("others may write to it (mode {:03o}); `chmod 700` it", stat.mode))
}

/// A file that can only be one of ours: no link, no pipe, nobody else's, known by no other name, not too long.
pub(crate) fn is_plain_file(stat: &Stat, user: u32, most: u64) -> bool {
    stat.kind == Kind::File && stat.user == user && stat.links == 1 && stat.len <= most
}
