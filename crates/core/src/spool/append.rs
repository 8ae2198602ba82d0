//! Appending frames and making them durable.

use std::time::{Duration, Instant};

use hoplog_entry::spool::{BadFrame, Place};

use super::segment::State;
use super::{Fs, Health, Now, Position, Spool, SyncPolicy, Trouble};

/// Segments that a write is tried on, and syncs that may fail in a row, before the disk is left alone.
const ATTEMPTS: u32 = 3;

/// Who has the records of a new frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The caller has them and sends them; the frame is not handed out until it is released.
    Held,
    /// The spool alone.
    Spooled,
}

/// The records are not in the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendError {
    /// The disk fails; the spool tries again by itself, later.
    Degraded(Trouble),
    /// A cap or the floor is reached, and the newcomer is what goes.
    Full,
    /// No frame can hold that.
    Unfit(BadFrame),
}

/// What was written since the last sync may not outlast a power cut, and what sync says later does not change that. Frames
/// that were in memory are written to another segment; they are not lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SyncFailed;

impl<F: Fs> Spool<F> {
    /// Writes records, which stand one after the other, as one frame. It survives the process from then on, and a power
    /// cut once it is synced.
    ///
    /// # Errors
    /// [`AppendError`]; the records are then where they were, with the caller.
    pub(crate) fn append(
        &mut self,
        now: Now,
        records: &[u8],
        entries: u32,
        keep: Keep,
    ) -> Result<Position, AppendError> {
        if let Health::Degraded { why, .. } = self.health
            && self.is_resting(now)
        {
            return Err(AppendError::Degraded(why));
        }
        let state = match keep {
            Keep::Held => State::Held,
            Keep::Spooled => State::Idle,
        };
        self.check(records, entries)?;
        self.make_room(now, records.len())?;
        for _ in 0..ATTEMPTS {
            match self.write(now, records, entries, state) {
                Ok(position) => {
                    self.health = Health::Healthy;
                    return Ok(position);
                }
                Err(error) => {
                    let trouble = Trouble::of(&error);
                    let may_go_on = match trouble {
                        Trouble::Gone => self.note_vanished(),
                        // Rule of the table: another segment, at once.
                        Trouble::Io => {
                            self.start_over(now);
                            true
                        }
                        Trouble::ReadOnly => {
                            self.let_go();
                            false
                        }
                        Trouble::NoSpace | Trouble::Descriptors => false,
                    };
                    if !may_go_on {
                        self.degrade(now, trouble);
                        return Err(AppendError::Degraded(trouble));
                    }
                }
            }
        }
        self.degrade(now, Trouble::Io);
        Err(AppendError::Degraded(Trouble::Io))
    }

    /// As [`Spool::append`], for entries that have a place among those that were sealed. Where the disk fails and they are written
    /// anew, they lose it.
    ///
    /// # Errors
    /// Likewise.
    pub(crate) fn append_placed(
        &mut self,
        now: Now,
        records: &[u8],
        entries: u32,
        place: Place,
    ) -> Result<Position, AppendError> {
        self.place = Some(place);
        let written = self.append(now, records, entries, Keep::Held);
        self.place = None;
        written
    }

    fn check(&self, records: &[u8], entries: u32) -> Result<(), AppendError> {
        if records.is_empty() || entries == 0 {
            return Err(AppendError::Unfit(BadFrame::Empty));
        }
        if records.len() > hoplog_entry::spool::MAX_RECORDS {
            return Err(AppendError::Unfit(BadFrame::TooLarge));
        }
        Ok(())
    }

    /// Makes everything that was written outlast a power cut.
    ///
    /// # Errors
    /// The disk said no. That is final for what was written since the last sync.
    pub(crate) fn sync(&mut self, now: Now) -> Result<(), SyncFailed> {
        let Some(active) = &mut self.active else { return Ok(()) };
        if active.unsynced.since.is_none() && !active.new_name {
            return Ok(());
        }
        let mut synced = self.fs.sync(&active.file);
        if let Some(home) = self.home.as_ref().filter(|_| active.new_name && synced.is_ok()) {
            synced = self.fs.sync_dir(&home.dir);
        }
        // A file that was removed under our hands is synced, and gone with this process.
        let there = self.fs.stat(&active.file).is_ok_and(|stat| stat.links > 0);
        if synced.is_err() || !there {
            self.status.failed_syncs += 1;
            self.strikes += 1;
            self.doubtful = true;
            self.start_over(now);
            if self.strikes >= ATTEMPTS {
                self.degrade(now, Trouble::Io);
            }
            return Err(SyncFailed);
        }
        self.strikes = 0;
        active.new_name = false;
        active.unsynced.since = None;
        active.unsynced.bytes = 0;
        let frames = active.unsynced.frames.get_or_insert_default();
        frames.clear();
        if let Some(segment) = self.segments.get_mut(&active.key) {
            segment.durable = segment.frames();
        }
        Ok(())
    }

    /// From here on somebody waits for what is written, until [`Spool::sync_awaited`].
    pub(crate) fn begin_awaited(&mut self) {
        if !std::mem::replace(&mut self.awaited, true) {
            self.doubtful = false;
        }
    }

    /// As [`Spool::sync`], and yes only if all that was written since [`Spool::begin_awaited`] outlasts a power cut: a
    /// sync says nothing of a file that was let go of before.
    ///
    /// # Errors
    /// The disk said no, at any time since then.
    pub(crate) fn sync_awaited(&mut self, now: Now) -> Result<(), SyncFailed> {
        let synced = self.sync(now);
        self.awaited = false;
        if std::mem::take(&mut self.doubtful) { Err(SyncFailed) } else { synced }
    }

    /// Whether a frame outlasts a power cut. One that was resolved or dropped does not any more.
    #[cfg(test)]
    pub(crate) fn is_durable(&self, position: Position) -> bool {
        let place = self.place(position);
        self.segments.get(&place.segment).is_some_and(|segment| place.frame < segment.durable)
    }

    /// When the policy wants the next sync; `None` while nothing is unsynced, or if it never does.
    pub(crate) fn sync_due(&self) -> Option<Instant> {
        let unsynced = &self.active.as_ref()?.unsynced;
        let since = unsynced.since?;
        match self.config.sync {
            SyncPolicy::Never => None,
            SyncPolicy::Interval(delay) => Some(since + delay),
            SyncPolicy::Group { delay, bytes } => {
                Some(since + if unsynced.bytes >= bytes { Duration::ZERO } else { delay })
            }
        }
    }

    /// Where a frame is now.
    pub(super) fn place(&self, position: Position) -> Position {
        self.moved.get(&position).copied().unwrap_or(position)
    }

    /// Leaves the file that failed alone for good, and goes on with another one.
    fn start_over(&mut self, now: Now) {
        if self.note_vanished() {
            return;
        }
        if let Some(retained) = self.abandon() {
            // Where that fails too, the frames are read from the file that is not trusted, as far as they are there.
            let _ = self.write_anew(now, &retained);
        }
    }

    /// Whether the disk is left alone.
    pub(super) fn is_resting(&self, now: Now) -> bool {
        matches!(self.health, Health::Degraded { until, .. } if now.mono < until)
    }

    /// The next append tries the disk, however it failed.
    pub(crate) fn try_again(&mut self, now: Now) {
        if let Health::Degraded { until, .. } = &mut self.health {
            *until = now.mono;
        }
    }

    /// Leaves the disk alone for a while.
    pub(super) fn degrade(&mut self, now: Now, why: Trouble) {
        self.strikes = 0;
        self.health = Health::Degraded { why, until: now.mono + why.pause() };
    }
}
