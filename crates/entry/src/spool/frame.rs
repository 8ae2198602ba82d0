//! Frames, as they are written and checked.

use std::fmt;

use super::{ENTRIES_HEAD, FOOTER_PAYLOAD, FRAME_HEAD, MAX_PAYLOAD, MAX_RECORDS, SYNC, checksum};
use super::{Source, TYPE_ENTRIES, TYPE_FOOTER, TYPE_SOURCE};
use crate::crc32c;

/// What was asked for is no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadFrame {
    /// Without an entry.
    Empty,
    /// More than [`MAX_RECORDS`] bytes of records.
    TooLarge,
}

impl fmt::Display for BadFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a frame without an entry"),
            Self::TooLarge => write!(f, "more than {MAX_RECORDS} bytes for one frame"),
        }
    }
}

impl std::error::Error for BadFrame {}

/// What the frames of a segment add up to. Its footer holds it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Frames before the footer.
    pub frames: u32,
    /// Entries in them.
    pub entries: u64,
    /// The checksum of their checksums.
    crcs: u32,
}

impl Tally {
    pub(super) fn add(&mut self, crc: u32, entries: u32) {
        self.frames = self.frames.saturating_add(1);
        self.entries = self.entries.saturating_add(u64::from(entries));
        self.crcs = crc32c::append(self.crcs, &crc.to_le_bytes());
    }

    fn to_bytes(self) -> [u8; FOOTER_PAYLOAD] {
        let mut bytes = [0; FOOTER_PAYLOAD];
        bytes[..4].copy_from_slice(&self.frames.to_le_bytes());
        bytes[4..12].copy_from_slice(&self.entries.to_le_bytes());
        bytes[12..].copy_from_slice(&self.crcs.to_le_bytes());
        bytes
    }

    fn read(payload: &[u8]) -> Option<Self> {
        let (frames, rest) = payload.split_first_chunk()?;
        let (entries, rest) = rest.split_first_chunk()?;
        let crcs = u32::from_le_bytes(rest.try_into().ok()?);
        Some(Self { frames: u32::from_le_bytes(*frames), entries: u64::from_le_bytes(*entries), crcs })
    }
}

/// Appends a frame of `count` records, which stand one after the other in `records`, to `out`, and adds it to the tally.
///
/// # Errors
/// [`BadFrame`]; `out` and the tally are then as before.
pub fn push_entries(
    out: &mut Vec<u8>,
    tally: &mut Tally,
    count: u32,
    records: &[u8],
) -> Result<(), BadFrame> {
    if count == 0 || records.is_empty() {
        return Err(BadFrame::Empty);
    }
    if records.len() > MAX_RECORDS {
        return Err(BadFrame::TooLarge);
    }
    let mut head = [0; ENTRIES_HEAD];
    head[..4].copy_from_slice(&count.to_le_bytes());
    head[4..].copy_from_slice(&(records.len() as u32).to_le_bytes());
    let crc = push(out, TYPE_ENTRIES, &head, records);
    tally.add(crc, count);
    Ok(())
}

/// Appends the footer that closes a segment of these frames.
pub fn push_footer(out: &mut Vec<u8>, tally: &Tally) {
    push(out, TYPE_FOOTER, &tally.to_bytes(), &[]);
}

/// Appends the frame that says who wrote the segment, and adds it to the tally. It stands before all others.
pub fn push_source(out: &mut Vec<u8>, tally: &mut Tally, source: &Source) {
    let crc = push(out, TYPE_SOURCE, &source.to_bytes(), &[]);
    tally.add(crc, 0);
}

/// The records of one whole frame; `None` where it is none, or does not check out.
#[must_use]
pub fn records_of(frame: &[u8]) -> Option<&[u8]> {
    let head = Head::read(frame)?;
    let payload = frame.get(FRAME_HEAD..)?;
    match head.check(payload)? {
        Checked::Entries { .. } => payload.get(ENTRIES_HEAD..),
        Checked::Source { .. } | Checked::Footer(_) | Checked::Other { .. } => None,
    }
}

fn push(out: &mut Vec<u8>, kind: u8, head: &[u8], rest: &[u8]) -> u32 {
    let len = ((head.len() + rest.len()) as u32).to_le_bytes();
    let crc = checksum(&[&len, &[kind], head, rest]);
    out.reserve(FRAME_HEAD + head.len() + rest.len());
    for part in [&SYNC[..], &len, &crc.to_le_bytes(), &[kind], head, rest] {
        out.extend_from_slice(part);
    }
    crc
}

/// The first 13 bytes of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) payload: usize,
    crc: u32,
    kind: u8,
}

/// A frame whose checksum holds, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checked {
    Entries {
        crc: u32,
        count: u32,
    },
    Source {
        crc: u32,
    },
    Footer(Tally),
    /// Of a type that a later version may write.
    Other {
        crc: u32,
        kind: u8,
    },
}

impl Head {
    /// `None` where no frame begins, or one that is longer than any.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.get(..FRAME_HEAD)?.strip_prefix(&SYNC)?;
        let (len, rest) = rest.split_first_chunk()?;
        let (crc, rest) = rest.split_first_chunk()?;
        let payload = u32::from_le_bytes(*len) as usize;
        let kind = *rest.first()?;
        (payload <= MAX_PAYLOAD).then_some(Self { payload, crc: u32::from_le_bytes(*crc), kind })
    }

    /// `None` where the checksum does not hold, or what it covers does not add up.
    pub(super) fn check(self, payload: &[u8]) -> Option<Checked> {
        let len = (payload.len() as u32).to_le_bytes();
        if payload.len() != self.payload || checksum(&[&len, &[self.kind], payload]) != self.crc {
            return None;
        }
        match self.kind {
            TYPE_ENTRIES => {
                let (count, rest) = payload.split_first_chunk()?;
                let (raw, records) = rest.split_first_chunk()?;
                let count = u32::from_le_bytes(*count);
                let adds_up = count > 0 && u32::from_le_bytes(*raw) as usize == records.len();
                adds_up.then_some(Checked::Entries { crc: self.crc, count })
            }
            TYPE_FOOTER => Tally::read(payload).map(Checked::Footer),
            TYPE_SOURCE => Some(Checked::Source { crc: self.crc }),
            kind => Some(Checked::Other { crc: self.crc, kind }),
        }
    }
}
