//! What is known of one segment: its frames, and how far each has come.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use hoplog_entry::EntryId;
use hoplog_entry::spool::{Acks, Source};

use super::{Count, Status};
use hoplog_entry::spool::Name;

/// How far a frame has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its owner has the records in memory.
    Held,
    /// May be handed out.
    Idle,
    /// Handed out.
    InFlight,
    /// It has its fate, or is written elsewhere.
    Resolved,
}

/// A frame that is known: where it is, how many entries it holds, how far it has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) at: u32,
    pub(super) len: u32,
    pub(super) entries: u32,
    /// Of their records, as far as they can be read.
    pub(super) bytes: u32,
    pub(super) state: State,
}

impl Slot {
    pub(super) fn count(&self) -> Count {
        Count { entries: u64::from(self.entries), bytes: u64::from(self.bytes) }
    }
}

/// Whose directory it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Home,
    Adopted(u64),
}

/// When it came to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Born {
    Here(Instant),
    /// By a process that is dead.
    Found {
        modified_ms: u64,
        adopted: Instant,
    },
}

/// A segment of this spool.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) owner: Owner,
    pub(super) dir: PathBuf,
    pub(super) number: u64,
    pub(super) writer: EntryId,
    /// Of the file.
    pub(super) len: u64,
    pub(super) born: Born,
    /// Which other process wrote what is behind these frames, as far as it was read.
    sources: Vec<(u32, Option<Arc<Source>>)>,
    /// Adopted, and not read to its end.
    pub(super) unread: bool,
    /// The first so many frames outlast a power cut.
    pub(super) durable: u32,
    /// Of these frames it is known where they stand among all; behind damage it is not.
    pub(super) numbered: u32,
    pub(super) acks: Acks,
    /// Acks that are not in the hint yet.
    pub(super) unsaved: u32,
    slots: Vec<Slot>,
    first_idle: usize,
    idle: Count,
    in_flight: Count,
    open: u32,
}

impl Segment {
    pub(super) fn new(
        owner: Owner,
        dir: PathBuf,
        number: u64,
        writer: EntryId,
        len: u64,
        born: Born,
    ) -> Self {
        Self {
            owner,
            dir,
            number,
            writer,
            len,
            born,
            sources: Vec::new(),
            unread: matches!(born, Born::Found { .. }),
            durable: 0,
            numbered: u32::MAX,
            acks: Acks::new(number, writer),
            unsaved: 0,
            slots: Vec::new(),
            first_idle: 0,
            idle: Count::default(),
            in_flight: Count::default(),
            open: 0,
        }
    }

    /// The next frame says that this process wrote what is behind it.
    pub(super) fn now_written_by(&mut self, source: Option<Arc<Source>>) {
        self.sources.push((self.frames(), source));
    }

    /// Which other process wrote a frame.
    pub(super) fn source_of(&self, frame: u32) -> Option<Arc<Source>> {
        let (_, source) = self.sources.iter().rev().find(|(from, _)| *from <= frame)?;
        source.clone()
    }

    pub(super) fn path(&self, name: fn(u64) -> Name) -> PathBuf {
        self.dir.join(name(self.number).to_string())
    }

    pub(super) fn frames(&self) -> u32 {
        self.slots.len() as u32
    }

    pub(super) fn slot(&self, frame: u32) -> Option<Slot> {
        self.slots.get(frame as usize).copied()
    }

    /// Adds a frame and returns its number.
    pub(super) fn push(&mut self, slot: Slot) -> u32 {
        self.slots.push(Slot { state: State::Resolved, ..slot });
        let frame = self.frames() - 1;
        self.turn(frame, slot.state);
        frame
    }

    /// Moves a frame on; returns it as it was.
    pub(super) fn turn(&mut self, frame: u32, to: State) -> Option<Slot> {
        let slot = self.slots.get_mut(frame as usize)?;
        let (was, count) = (*slot, slot.count());
        slot.state = to;
        match was.state {
            State::Idle => self.idle -= count,
            State::Held | State::InFlight => self.in_flight -= count,
            State::Resolved => self.open += 1,
        }
        match to {
            State::Idle => {
                self.idle += count;
                self.first_idle = self.first_idle.min(frame as usize);
            }
            State::Held | State::InFlight => self.in_flight += count,
            State::Resolved => self.open -= 1,
        }
        Some(was)
    }

    /// A frame that found its fate with the server.
    pub(super) fn ack(&mut self, frame: u32) {
        if frame < self.numbered {
            self.acks.insert(frame);
            self.unsaved += 1;
        }
    }

    /// The first idle frame.
    pub(super) fn first_idle(&mut self) -> Option<(u32, Slot)> {
        let rest = self.slots.get(self.first_idle..)?;
        let found = rest.iter().position(|slot| slot.state == State::Idle);
        self.first_idle += found.unwrap_or(rest.len());
        found.and_then(|_| self.slot(self.first_idle as u32)).map(|slot| (self.first_idle as u32, slot))
    }

    /// Entries that may be handed out.
    pub(super) fn idle(&self) -> Count {
        self.idle
    }

    /// Nothing is left to hand out or to wait for.
    pub(super) fn is_done(&self) -> bool {
        !self.unread && self.open == 0
    }

    /// Something may be handed out now or after some reading.
    pub(super) fn is_ready(&self) -> bool {
        self.unread || self.idle.entries > 0
    }

    pub(super) fn add_to(&self, status: &mut Status) {
        status.idle += self.idle;
        status.in_flight += self.in_flight;
        if self.unread {
            let read = self.slots.last().map_or(0, |slot| u64::from(slot.at) + u64::from(slot.len));
            status.unread_bytes += self.len.saturating_sub(read);
        }
    }
}
