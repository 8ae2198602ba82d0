//! The spool: records on disk until they are delivered. Its files are laid out in `docs/spool-format.md`.
//!
//! ```text
//! append ─► frame ─► active segment ── full ─► sealed ─┐
//!              └ sync: group, interval, never          ├─► next_backlog ─► (sent) ─► resolve ─► segment deleted
//! orphans of dead processes ─► adopted, read lazily ───┘         └ damaged ─► quarantine
//! ```
//!
//! Synchronous, without a thread and without a clock: whoever owns it calls, and says what time it is. The files come in
//! through [`Fs`]. Nothing here fails because of what is found on the disk; a disk that fails makes the spool
//! *degraded*: it refuses for a while, says so, and tries again by itself.
//!
//! A frame is one append and has one [`Position`]. It is *held* while its owner has the records in memory and sends
//! them from there, *idle* when it may be handed out, *in flight* when it was, and *resolved* in the end. When all frames of
//! a segment are resolved, its file goes.

mod active;
mod append;
mod backlog;
mod caps;
mod config;
mod fs;
mod health;
mod hints;
mod home;
mod quarantine;
mod scan;
mod segment;
mod status;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hoplog_entry::spool::Place;

use crate::count::Count;
use active::Active;
pub(crate) use active::RETAINED;
pub(crate) use append::{AppendError, Keep, SyncFailed};
pub(crate) use backlog::Backlog;
pub(crate) use config::{SpoolConfig, SyncPolicy, WhenFull};
pub(crate) use fs::RealFs;
pub(crate) use fs::{Fs, Space, Stat};
pub(crate) use health::{Health, Trouble};
use home::{Adopted, Home};
pub(crate) use home::{Refused, check_dir, is_plain_file, try_dir};
use scan::Scan;
use segment::Segment;
pub(crate) use status::{Changes, Status};

/// A moment as the spool's owner reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// What intervals are measured with.
    pub(crate) mono: Instant,
    /// What files are stamped with: milliseconds since the Unix epoch.
    pub(crate) unix_ms: u64,
}

impl Now {
    pub(crate) fn of_system() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { mono: Instant::now(), unix_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX) }
    }
}

/// Where a frame is, for as long as this spool is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    segment: u64,
    frame: u32,
}

/// A spool that this process writes to, and those of dead processes that it reads.
pub(crate) struct Spool<F: Fs> {
    fs: F,
    config: SpoolConfig,
    /// `None` while the disk does not let us have one.
    home: Option<Home<F>>,
    adopted: Vec<Adopted<F>>,
    /// There are more directories of dead processes than are held at a time.
    more_orphans: bool,
    /// By age; the numbers are this spool's own.
    segments: BTreeMap<u64, Segment>,
    next_segment: u64,
    /// Segments that have something to hand out, or have not been read to their end.
    ready: BTreeSet<u64>,
    active: Option<Active<F>>,
    /// Where the entries of the next frame stand among those that were sealed, if they were.
    place: Option<Place>,
    /// Somebody waits for what is written, whatever the policy is.
    awaited: bool,
    /// Meanwhile frames went out of sight that were not synced.
    doubtful: bool,
    /// The adopted segment that is being read.
    scan: Option<Scan<F>>,
    /// The last segment that a single frame was read from.
    open: Option<(u64, F::File)>,
    /// Frames that were written anew after a sync had failed, by where they were.
    moved: BTreeMap<Position, Position>,
    /// Files that could not be removed yet, and their length.
    doomed: Vec<(PathBuf, u64)>,
    /// Directories in which names went since they were synced.
    thinned: BTreeSet<PathBuf>,
    health: Health,
    /// Failed writes and syncs in a row.
    strikes: u32,
    changes: Changes,
    status: Status,
    caps: caps::Watch,
    upkeep: upkeep::Schedule,
    opened: Now,
    /// Frames as they are written or read.
    buffer: Vec<u8>,
}

impl<F: Fs> Spool<F> {
    /// Opens the spool in a directory, which is made if it is missing. Segments of dead processes are adopted, and not
    /// read yet. Where the disk fails the spool is degraded, and tries again later.
    ///
    /// # Errors
    /// The directory is not safe to use: what is in it could be read or changed by others, or its files cannot be locked.
    pub(crate) fn open(fs: F, config: SpoolConfig, now: Now) -> Result<Self, Refused> {
        let mut spool = Self {
            fs,
            config,
            home: None,
            adopted: Vec::new(),
            more_orphans: false,
            segments: BTreeMap::new(),
            next_segment: 0,
            ready: BTreeSet::new(),
            active: None,
            place: None,
            awaited: false,
            doubtful: false,
            scan: None,
            open: None,
            moved: BTreeMap::new(),
            doomed: Vec::new(),
            thinned: BTreeSet::new(),
            health: Health::Healthy,
            strikes: 0,
            changes: Changes::default(),
            status: Status::default(),
            caps: caps::Watch::default(),
            upkeep: upkeep::Schedule::new(now),
            opened: now,
            buffer: Vec::new(),
        };
        match spool.settle(now) {
            Ok(()) => spool.adopt(now),
            Err(home::Unsettled::Refused(refused)) => return Err(refused),
            Err(home::Unsettled::Failed(error)) => spool.degrade(now, Trouble::of(&error)),
        }
        Ok(spool)
    }

    /// What became of entries since the last call; the owner's ledger counts them.
    pub(crate) fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// How it stands.
    pub(crate) fn status(&self) -> Status {
        let mut status = self.status;
        status.health = self.health;
        status.segments = self.segments.len();
        status.bytes = self.bytes();
        for segment in self.segments.values() {
            segment.add_to(&mut status);
        }
        status
    }

    /// Bytes of all files of its own and adopted segments.
    fn bytes(&self) -> u64 {
        let segments: u64 = self.segments.values().map(|segment| segment.len).sum();
        segments + self.doomed.iter().map(|(_, len)| len).sum::<u64>()
    }
}

#[cfg(test)]
pub(crate) mod tests;
