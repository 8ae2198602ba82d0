//! Handing frames out, and what becomes of them.

use std::io;
use std::sync::Arc;

use hoplog_entry::DropReason;
use hoplog_entry::spool::{FRAME_OVERHEAD, MAX_FRAME, Region, Source, records_of};

use super::scan::{Step, readable};
use super::segment::{Owner, State};
use super::{Count, Fs, Position, Spool, SyncPolicy, Trouble};
use hoplog_entry::spool::Name;

/// Bytes that hold nothing to hand out, passed in one call.
const PASSED_AT_A_TIME: u64 = 4 << 20;
/// What opening a file costs, in bytes that could be read meanwhile.
const OPENING: u64 = 64 * 1024;

/// The next frame to send.
#[derive(Debug)]
pub(crate) enum Backlog<'a> {
    /// In flight from now on, until it is resolved or released.
    Frame {
        position: Position,
        entries: u32,
        /// One after the other.
        records: &'a [u8],
        /// Which other process wrote them, where that is known.
        source: Option<Arc<Source>>,
    },
    /// None was found so far; ask again after other work.
    Unfinished,
    /// There is none.
    Empty,
}

impl<F: Fs> Spool<F> {
    /// Hands out the oldest idle frame.
    pub(crate) fn next_backlog(&mut self) -> Backlog<'_> {
        let mut passed = 0;
        let found = loop {
            let Some(key) = self.ready.first().copied() else { return Backlog::Empty };
            let Some(segment) = self.segments.get_mut(&key) else {
                self.ready.remove(&key);
                continue;
            };
            if let Some((frame, slot)) = segment.first_idle() {
                let region = Region { at: u64::from(slot.at), len: u64::from(slot.len) };
                match self.read_frame(key, region) {
                    Ok(true) => {
                        self.turn(key, frame, State::InFlight);
                        break Position { segment: key, frame };
                    }
                    // Closing another file helps; then it is read.
                    Err(error) if Trouble::of(&error) == Trouble::Descriptors => return Backlog::Unfinished,
                    Err(error) if Trouble::of(&error) == Trouble::Gone => {
                        self.lose(key, DropReason::SpoolIoError);
                    }
                    Ok(false) | Err(_) => {
                        self.turn(key, frame, State::Resolved);
                        self.changes.damaged_bytes += region.len;
                        self.changes.drop(DropReason::SpoolCorrupt, slot.count());
                        self.keep_region(key, region);
                        self.delete_if_done(key);
                    }
                }
                passed += region.len;
            } else if segment.unread {
                match self.step(key) {
                    Step::Frame(frame) => break Position { segment: key, frame },
                    Step::Passed(bytes) => passed += bytes,
                    Step::Ended => {
                        passed += OPENING;
                        self.delete_if_done(key);
                    }
                    Step::Later => return Backlog::Unfinished,
                }
            } else {
                self.ready.remove(&key);
            }
            if passed > PASSED_AT_A_TIME {
                return Backlog::Unfinished;
            }
        };
        let segment = self.segments.get(&found.segment);
        let entries = segment.and_then(|segment| segment.slot(found.frame)).map_or(0, |slot| slot.entries);
        let source = segment.and_then(|segment| segment.source_of(found.frame));
        Backlog::Frame { position: found, entries, records: &self.buffer, source }
    }

    /// The entries of a frame have their fate: delivered, or dropped for a reason that the caller counts.
    pub(crate) fn resolve(&mut self, position: Position) {
        let place = self.place(position);
        let Some(segment) = self.segments.get_mut(&place.segment) else { return };
        match segment.slot(place.frame) {
            Some(slot) if slot.state != State::Resolved => {}
            _ => return,
        }
        segment.turn(place.frame, State::Resolved);
        segment.ack(place.frame);
        if !self.moved.is_empty() {
            self.moved.retain(|_, to| *to != place);
        }
        self.delete_if_done(place.segment);
    }

    /// Gives a frame back that was held or handed out; it is handed out again. False where the spool had to drop it
    /// meanwhile: then the caller counts its entries, unless it still has them.
    pub(crate) fn release(&mut self, position: Position) -> bool {
        let place = self.place(position);
        let slot = self.segments.get(&place.segment).and_then(|segment| segment.slot(place.frame));
        if slot.is_none_or(|slot| slot.state == State::Resolved) {
            return false;
        }
        self.turn(place.segment, place.frame, State::Idle);
        self.ready.insert(place.segment);
        true
    }

    fn turn(&mut self, key: u64, frame: u32, to: State) {
        if let Some(segment) = self.segments.get_mut(&key) {
            segment.turn(frame, to);
        }
    }

    /// Reads one frame into the buffer; false where it does not check out any more. An adopted frame whose records could
    /// only be read in part was counted so, and is read so again.
    fn read_frame(&mut self, key: u64, region: Region) -> io::Result<bool> {
        let len = (region.len as usize).min(MAX_FRAME);
        self.buffer.clear();
        self.buffer.resize(len, 0);
        let active = self.active.as_ref().filter(|active| active.key == key);
        let read = match active {
            Some(active) => self.fs.read_full_at(&active.file, region.at, &mut self.buffer)?,
            None => {
                if self.open.as_ref().is_none_or(|(open, _)| *open != key) {
                    let path = self.segments.get(&key).ok_or(io::ErrorKind::NotFound)?.path(Name::Segment);
                    let file = self.with_spare(|fs| fs.open(&path))?;
                    self.open = Some((key, file));
                }
                let (_, file) = self.open.as_ref().ok_or(io::ErrorKind::NotFound)?;
                self.fs.read_full_at(file, region.at, &mut self.buffer)?
            }
        };
        if read != len || records_of(&self.buffer).is_none() {
            return Ok(false);
        }
        self.buffer.drain(..FRAME_OVERHEAD);
        let (entries, bytes) = readable(&self.buffer);
        self.buffer.truncate(bytes);
        Ok(entries > 0)
    }

    /// Removes a segment in which every frame has its fate.
    pub(super) fn delete_if_done(&mut self, key: u64) {
        let done = self.segments.get(&key).is_some_and(super::Segment::is_done);
        if done && self.active.as_ref().is_none_or(|active| active.key != key) {
            self.remove_segment(key, true);
        }
    }

    /// Drops a segment with what is idle in it. What is held or in flight is still with whoever has it.
    pub(super) fn lose(&mut self, key: u64, reason: DropReason) {
        let unread = self.count_unread(key);
        self.changes.recovered += unread;
        let mut lost = self.segments.get(&key).map_or(Count::default(), super::Segment::idle);
        lost += unread;
        self.changes.drop(reason, lost);
        self.remove_segment(key, true);
    }

    /// Forgets a segment that is none of ours; its file stays.
    pub(super) fn leave_alone(&mut self, key: u64) {
        self.remove_segment(key, false);
    }

    /// In this order: the data, the hint, and at the next tick the directory. A hint without data is harmless, data
    /// that comes back without its hint is sent again.
    fn remove_segment(&mut self, key: u64, file_too: bool) {
        self.ready.remove(&key);
        self.scan.take_if(|scan| scan.key == key);
        self.open.take_if(|(open, _)| *open == key);
        if self.active.as_ref().is_some_and(|active| active.key == key) {
            self.let_go();
        }
        if !self.moved.is_empty() {
            self.moved.retain(|_, to| to.segment != key);
        }
        let Some(segment) = self.segments.remove(&key) else { return };
        if file_too {
            let path = segment.path(Name::Segment);
            match self.fs.remove(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    self.doomed.push((path, segment.len));
                }
                _ => {}
            }
            if segment.unsaved < segment.acks.len() || !matches!(segment.owner, Owner::Home) {
                let _ = self.fs.remove(&segment.path(Name::Ack));
            }
            if self.config.sync != SyncPolicy::Never {
                self.thinned.insert(segment.dir);
            }
        }
        if let Owner::Adopted(id) = segment.owner {
            if let Some(adopted) = self.adopted.iter_mut().find(|adopted| adopted.id == id) {
                adopted.left = adopted.left.saturating_sub(1);
            }
            self.leave_empty_dirs();
        }
    }
}
