//! The segment that is being written.

use std::io;
use std::time::Instant;

use hoplog_entry::spool::{
    FOOTER_LEN, FRAME_OVERHEAD, HEADER_LEN, MAX_FRAMES, MAX_SOURCE, SegmentHeader, Source, Tally,
    push_entries, push_footer, push_source,
};

use super::segment::{Born, Owner, Segment, Slot, State};
use super::{Fs, Now, Position, Spool, SyncPolicy};
use hoplog_entry::spool::Name;

/// Frames that are kept in memory until they are synced, to be written anew if that fails.
pub(crate) const RETAINED: usize = 1 << 20;

/// The file at the end of which frames are written.
pub(super) struct Active<F: Fs> {
    pub(super) key: u64,
    pub(super) file: F::File,
    /// Of the header and whole frames.
    pub(super) len: u64,
    pub(super) tally: Tally,
    pub(super) unsynced: Unsynced,
    /// Its name may not outlast a power cut.
    pub(super) new_name: bool,
    /// Half a frame is at its end, and cannot be taken back.
    broken: bool,
}

/// Frames since the last sync.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    pub(super) since: Option<Instant>,
    pub(super) bytes: u64,
    /// All of them; `None` where they are too many.
    pub(super) frames: Option<Vec<u8>>,
}

/// Frames of a segment whose sync failed, as far as they are in memory.
#[derive(Debug)]
pub(super) struct Retained {
    key: u64,
    /// The first of them.
    frame: u32,
    bytes: Vec<u8>,
}

impl<F: Fs> Spool<F> {
    /// Whether a frame of this length goes into the segment that is being written.
    fn fits(&self, len: u64) -> bool {
        let frames = |key| self.segments.get(&key).map_or(0, Segment::frames);
        self.active.as_ref().is_none_or(|active| {
            active.len + len + FOOTER_LEN as u64 <= self.config.segment_bytes
                // With a source before it, and one behind it.
                && frames(active.key) + 3 <= MAX_FRAMES
        })
    }

    /// Writes one frame at the end of the spool; around it, where it has a place, who wrote it.
    pub(super) fn write(
        &mut self,
        now: Now,
        records: &[u8],
        entries: u32,
        state: State,
    ) -> io::Result<Position> {
        if self.active.as_ref().is_some_and(|active| active.broken) {
            self.let_go();
        }
        let placed = self.place.zip(self.config.source.clone());
        let around = if placed.is_some() { 2 * MAX_SOURCE } else { 0 };
        if !self.fits((around + FRAME_OVERHEAD + records.len()) as u64) {
            self.seal(now);
        }
        if self.active.is_none() {
            self.begin_segment(now)?;
        }
        let active = self.active.as_mut().ok_or(io::ErrorKind::NotFound)?;
        let segment = self.segments.get_mut(&active.key).ok_or(io::ErrorKind::NotFound)?;
        self.buffer.clear();
        let mut tally = active.tally;
        if let Some((place, source)) = &placed {
            let source = Source { place: Some(*place), ..Source::clone(source) };
            push_source(&mut self.buffer, &mut tally, &source);
        }
        let before = self.buffer.len() as u32;
        push_entries(&mut self.buffer, &mut tally, entries, records)
            .map_err(|bad| io::Error::new(io::ErrorKind::InvalidInput, bad))?;
        let len = self.buffer.len() as u32 - before;
        if let Some((_, source)) = &placed {
            push_source(&mut self.buffer, &mut tally, source);
        }
        if let Err(error) = self.fs.write_all_at(&active.file, active.len, &self.buffer) {
            active.broken = self.fs.truncate(&active.file, active.len).is_err();
            return Err(error);
        }
        let (start, all) = (active.len as u32, self.buffer.len() as u32);
        active.tally = tally;
        active.len += u64::from(all);
        active.unsynced.since.get_or_insert(now.mono);
        active.unsynced.bytes += u64::from(all);
        let kept = self.config.sync != SyncPolicy::Never;
        active.unsynced.frames = active
            .unsynced
            .frames
            .take()
            .filter(|frames| kept && frames.len() + self.buffer.len() <= RETAINED);
        if let Some(frames) = &mut active.unsynced.frames {
            frames.extend_from_slice(&self.buffer);
        }
        segment.len = active.len;
        let source = |at, len| Slot { at, len, entries: 0, bytes: 0, state: State::Resolved };
        if before > 0 {
            segment.push(source(start, before));
        }
        let at = start + before;
        let frame = segment.push(Slot { at, len, entries, bytes: records.len() as u32, state });
        if before > 0 {
            segment.push(source(at + len, all - before - len));
        }
        if state == State::Idle {
            self.ready.insert(active.key);
        }
        Ok(Position { segment: active.key, frame })
    }

    /// Makes the next segment: its header, and who writes it.
    fn begin_segment(&mut self, now: Now) -> io::Result<()> {
        let home = self.home(now)?;
        let (dir, writer, number) = (home.dir.clone(), home.writer, home.next);
        let path = dir.join(Name::Segment(number).to_string());
        let file = self.with_spare(|fs| fs.create(&path))?;
        if let Some(home) = &mut self.home {
            home.next += 1;
        }
        let header = SegmentHeader { segment: number, writer, created_unix_ms: now.unix_ms };
        let (mut bytes, mut tally) = (header.to_bytes().to_vec(), Tally::default());
        if let Some(source) = &self.config.source {
            push_source(&mut bytes, &mut tally, source);
        }
        if let Err(error) = self.fs.write_all_at(&file, 0, &bytes) {
            let _ = self.fs.remove(&path);
            return Err(error);
        }
        let len = bytes.len() as u64;
        let mut segment = Segment::new(Owner::Home, dir, number, writer, len, Born::Here(now.mono));
        let frame = bytes.split_off(HEADER_LEN);
        if !frame.is_empty() {
            let (at, len) = (HEADER_LEN as u32, frame.len() as u32);
            segment.push(Slot { at, len, entries: 0, bytes: 0, state: State::Resolved });
        }
        let key = self.insert(segment);
        let unsynced = Unsynced { frames: Some(frame), ..Unsynced::default() };
        self.active = Some(Active { key, file, len, tally, unsynced, new_name: true, broken: false });
        Ok(())
    }

    /// Closes the segment that is being written: what is in it is synced, unless the policy is never to.
    pub(super) fn seal(&mut self, now: Now) {
        let Some(active) = &mut self.active else { return };
        self.buffer.clear();
        push_footer(&mut self.buffer, &active.tally);
        // Without a footer the segment is read all the same.
        match self.fs.write_all_at(&active.file, active.len, &self.buffer) {
            Ok(()) => active.len += self.buffer.len() as u64,
            Err(_) => drop(self.fs.truncate(&active.file, active.len)),
        }
        let (key, len) = (active.key, active.len);
        if let Some(segment) = self.segments.get_mut(&key) {
            segment.len = len;
        }
        let unasked = self.config.sync == SyncPolicy::Never && !self.awaited;
        if unasked || self.sync(now).is_ok() {
            self.let_go();
        }
        self.delete_if_done(key);
    }

    /// Closes the file that is being written. No later sync reaches what was not synced by then.
    pub(super) fn let_go(&mut self) -> Option<Active<F>> {
        let active = self.active.take()?;
        self.doubtful |= active.unsynced.since.is_some();
        Some(active)
    }

    /// Lets go of the segment that is being written, for its file cannot be trusted: it is never written or synced
    /// again. What is in memory of it is to be written anew.
    pub(super) fn abandon(&mut self) -> Option<Retained> {
        let active = self.let_go()?;
        let frame = self.segments.get(&active.key).map_or(0, |segment| segment.durable);
        active.unsynced.frames.map(|bytes| Retained { key: active.key, frame, bytes })
    }

    /// Writes frames anew whose file cannot be trusted. Their positions go on to mean them.
    pub(super) fn write_anew(&mut self, now: Now, retained: &Retained) -> io::Result<()> {
        let frames = self.segments.get(&retained.key).map_or(0, Segment::frames);
        let mut bytes = &retained.bytes[..];
        for frame in retained.frame..frames {
            let Some(slot) = self.segments.get(&retained.key).and_then(|segment| segment.slot(frame)) else {
                break;
            };
            let Some((whole, rest)) = bytes.split_at_checked(slot.len as usize) else { break };
            bytes = rest;
            let records = whole.get(FRAME_OVERHEAD..).unwrap_or_default();
            if slot.state == State::Resolved || records.is_empty() {
                continue;
            }
            let to = self.write(now, records, slot.entries, slot.state)?;
            let from = Position { segment: retained.key, frame };
            if let Some(segment) = self.segments.get_mut(&retained.key) {
                segment.turn(frame, State::Resolved);
            }
            for place in self.moved.values_mut().filter(|place| **place == from) {
                *place = to;
            }
            self.moved.insert(from, to);
        }
        self.delete_if_done(retained.key);
        Ok(())
    }
}
