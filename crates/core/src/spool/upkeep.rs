//! What is done from time to time, and in the end.

use std::time::{Duration, Instant};

use hoplog_entry::DropReason;
use hoplog_entry::spool::{HEADER_LEN, SegmentHeader};

use super::segment::{Born, Segment};
use super::{Fs, Health, Now, Spool, Trouble, home};
use hoplog_entry::spool::Name;

const HINTS_EVERY: Duration = Duration::from_secs(5);
const EXPIRY_EVERY: Duration = Duration::from_secs(10);
const ADOPTION_EVERY: Duration = Duration::from_secs(60);
/// Older than the cap by more than this is no age but a clock that is wrong.
const PLAUSIBLE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// When what is due next.
#[derive(Debug)]
pub(super) struct Schedule {
    hints: Instant,
    expiry: Instant,
    adoption: Instant,
}

impl Schedule {
    pub(super) fn new(now: Now) -> Self {
        Self { hints: now.mono + HINTS_EVERY, expiry: now.mono, adoption: now.mono + ADOPTION_EVERY }
    }
}

impl<F: Fs> Spool<F> {
    /// Does what is due; to be called every second or so, and at [`Spool::sync_due`].
    pub(crate) fn tick(&mut self, now: Now) {
        if self.sync_due().is_some_and(|due| due <= now.mono) {
            // Who waits for it asks for it; here it is the policy that does, and a failure is in the status.
            let _ = self.sync(now);
        }
        self.sync_thinned();
        if self.home.is_none() && !self.is_resting(now) {
            match self.home(now) {
                Ok(_) => {
                    self.health = Health::Healthy;
                    self.adopt(now);
                }
                Err(error) => self.degrade(now, Trouble::of(&error)),
            }
        }
        if self.upkeep.hints <= now.mono {
            self.upkeep.hints = now.mono + HINTS_EVERY;
            self.leave_delivered(now);
            self.save_hints();
            self.remove_doomed();
        }
        if self.upkeep.expiry <= now.mono {
            self.upkeep.expiry = now.mono + EXPIRY_EVERY;
            self.expire(now);
        }
        if self.upkeep.adoption <= now.mono && self.health == Health::Healthy {
            self.upkeep.adoption = now.mono + ADOPTION_EVERY;
            self.adopt(now);
        }
    }

    /// Leaves everything so that the next process finds it: synced, with hints. What is empty is removed.
    pub(crate) fn close(mut self, now: Now) -> super::Status {
        self.seal(now);
        self.active = None;
        let keys: Vec<u64> = self.segments.keys().copied().collect();
        for key in keys {
            self.delete_if_done(key);
        }
        self.save_hints();
        self.remove_doomed();
        self.sync_thinned();
        let status = self.status();
        if let Some(home) = self.home.take() {
            home::remove_dir_if_empty(&self.fs, &home.dir);
        }
        status
    }

    /// Names that went stay away after a power cut. One that comes back costs duplicates.
    fn sync_thinned(&mut self) {
        for dir in std::mem::take(&mut self.thinned) {
            let _ = self.fs.sync_dir(&dir);
        }
    }

    /// What is delivered does not stay on the disk because nothing comes after it.
    fn leave_delivered(&mut self, now: Now) {
        let written = self.active.as_ref().filter(|active| active.tally.entries > 0);
        let segment = written.and_then(|active| self.segments.get(&active.key));
        if segment.is_some_and(Segment::is_done) {
            self.seal(now);
        }
    }

    fn remove_doomed(&mut self) {
        let fs = &self.fs;
        self.doomed.retain(|(path, _)| match fs.remove(path) {
            Ok(()) => false,
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        });
    }

    fn expire(&mut self, now: Now) {
        let active = self.active.as_ref().map(|active| active.key);
        let old: Vec<u64> = self
            .segments
            .iter()
            .filter(|(key, segment)| Some(**key) != active && self.is_expired(segment, now))
            .map(|(key, _)| *key)
            .collect();
        for key in old {
            self.lose(key, DropReason::SpoolExpired);
        }
    }

    /// Whether a segment is older than the spool keeps. Of our own, the monotonic clock says so. Of others, the stamp in
    /// the file and the file's own time have to agree; "now" is the time at which we started and what has passed since,
    /// so that no jump of the wall clock ages anything. An age beyond all reason is a clock that was wrong at one end:
    /// then only the time counts that we have had it.
    fn is_expired(&self, segment: &Segment, now: Now) -> bool {
        let max = self.config.max_age;
        let (modified_ms, adopted) = match segment.born {
            Born::Here(at) => return now.mono.saturating_duration_since(at) > max,
            Born::Found { modified_ms, adopted } => (modified_ms, adopted),
        };
        if now.mono.saturating_duration_since(adopted) > max {
            return true;
        }
        let since_start = now.mono.saturating_duration_since(self.opened.mono);
        let now_ms = self.opened.unix_ms.saturating_add(since_start.as_millis() as u64);
        let is_old = |ms: u64| {
            let age = Duration::from_millis(now_ms.saturating_sub(ms));
            age > max && age <= max.saturating_add(PLAUSIBLE)
        };
        is_old(modified_ms) && self.stamp(segment).is_none_or(is_old)
    }

    /// What the header says of when it was begun.
    fn stamp(&self, segment: &Segment) -> Option<u64> {
        let mut header = [0; HEADER_LEN];
        let file = self.fs.open(&segment.path(Name::Segment)).ok()?;
        let read = self.fs.read_full_at(&file, 0, &mut header).ok()?;
        SegmentHeader::read(header.get(..read)?).ok().map(|header| header.created_unix_ms)
    }
}
