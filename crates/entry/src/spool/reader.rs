//! Reading a segment: frame by frame, over damage, to a torn tail.

use std::io::{self, Read};

use super::frame::{Checked, Head};
use super::{BadHeader, ENTRIES_HEAD, FRAME_HEAD, HEADER_LEN, MAX_FRAME, SYNC, SegmentHeader, Tally};
use crate::{Malformed, Record};

/// Bytes asked of the source at a time.
const STEP: usize = 64 * 1024;
/// What may be hashed in vain in one segment, and per byte that is searched. Content that is made to look like frames
/// would otherwise cost a frame's worth of work per few bytes.
const CREDIT: u64 = 16 << 20;
const CREDIT_PER_BYTE: u64 = 4;

/// Reads a segment from any source.
#[derive(Debug)]
pub struct SegmentReader<R> {
    source: R,
    header: Result<SegmentHeader, BadHeader>,
    /// What was read and not yet passed begins at `start`; that byte is the `at`th of the segment.
    buffer: Vec<u8>,
    start: usize,
    at: u64,
    source_ended: bool,
    /// The frame that begins at `start` was found sound when the damage before it was searched.
    found: Option<(usize, Checked)>,
    /// Where the damage begins that is being searched; the source failed on the way.
    bad_from: Option<u64>,
    credit: u64,
    #[cfg(test)]
    in_vain: u64,
    tally: Tally,
    summary: Summary,
}

/// A piece of a segment. The pieces and a sound header cover every byte once.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// Entries whose checksum holds.
    Frame(Frame<'a>),
    /// Who wrote the entries behind it.
    Source {
        /// Where it is.
        region: Region,
        /// For [`Source::read`](super::Source::read).
        payload: &'a [u8],
    },
    /// A sound frame of a type that this version does not know; it holds nothing that this version could read.
    Other {
        /// Where it is.
        region: Region,
        /// Its type.
        kind: u8,
    },
    /// What the writer counted when it closed the segment.
    Footer {
        /// Where it is.
        region: Region,
        /// Whether just those frames were read that the writer counted.
        complete: bool,
    },
    /// Bytes that are no frame, with more behind them, or behind a footer.
    Damaged(Region),
    /// Bytes that are no frame, up to the end of a segment that was never closed: what a crash leaves.
    Torn(Region),
}

/// Bytes of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The first byte's offset.
    pub at: u64,
    /// How many.
    pub len: u64,
}

/// A frame of entries.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Where it is.
    pub region: Region,
    /// How many entries its writer put into it; at least one.
    pub count: u32,
    /// The records, one after the other.
    pub bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The records. After one that cannot be read there is nothing more.
    pub fn records(&self) -> impl Iterator<Item = Result<Record<'a>, Malformed>> + use<'a> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let read = Record::read(rest);
            rest = read.as_ref().map_or(&[], |(_, after)| after);
            Some(read.map(|(record, _)| record))
        })
    }
}

/// What was read so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Sound frames, of any type but footers.
    pub frames: u64,
    /// Entries in them.
    pub entries: u64,
    /// Entries that are not: by the footer where there is one, else one per damaged region.
    pub lost: u64,
    /// Damaged regions.
    pub damaged: u64,
    /// Bytes in them.
    pub damaged_bytes: u64,
    /// Bytes of a torn tail.
    pub torn_bytes: u64,
    /// A footer was read.
    pub closed: bool,
}

impl<R: Read> SegmentReader<R> {
    /// Reads the header. One that is damaged does not keep frames from being found; where it is of an unknown version
    /// there are none to be found.
    ///
    /// # Errors
    /// The source's.
    pub fn new(source: R) -> io::Result<Self> {
        let mut reader = Self {
            source,
            header: Err(BadHeader::Cut),
            buffer: Vec::new(),
            start: 0,
            at: 0,
            source_ended: false,
            found: None,
            bad_from: None,
            credit: CREDIT,
            #[cfg(test)]
            in_vain: 0,
            tally: Tally::default(),
            summary: Summary::default(),
        };
        reader.fill(HEADER_LEN)?;
        reader.header = SegmentHeader::read(reader.window());
        if reader.header.is_ok() {
            reader.pass(HEADER_LEN);
        }
        Ok(reader)
    }

    /// What the segment says of itself.
    ///
    /// # Errors
    /// [`BadHeader`].
    pub fn header(&self) -> Result<SegmentHeader, BadHeader> {
        self.header
    }

    /// What was read so far.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.buffer.capacity()
    }

    #[cfg(test)]
    pub(super) fn hashed_in_vain(&self) -> u64 {
        self.in_vain
    }

    /// The source, wherever it stands.
    pub fn into_inner(self) -> R {
        self.source
    }

    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// The source's. The next call goes on where it failed.
    #[allow(clippy::should_implement_trait, reason = "what it returns is borrowed from the reader")]
    pub fn next(&mut self) -> io::Result<Option<Part<'_>>> {
        if matches!(self.header, Err(BadHeader::Unknown { .. })) {
            return Ok(None);
        }
        let sound = match self.found.take() {
            Some(found) => Some(found),
            None if self.bad_from.is_some() => None,
            None => self.check()?,
        };
        match sound {
            Some((len, checked)) => Ok(Some(self.take(len, checked))),
            None => self.search(),
        }
    }

    /// Passes a sound frame.
    fn take(&mut self, len: usize, checked: Checked) -> Part<'_> {
        let region = Region { at: self.at, len: len as u64 };
        let payload = self.start + FRAME_HEAD..self.start + len;
        self.pass(len);
        match checked {
            Checked::Entries { crc, count } => {
                self.tally.add(crc, count);
                self.summary.frames += 1;
                self.summary.entries += u64::from(count);
                let bytes = self.buffer.get(payload.start + ENTRIES_HEAD..payload.end).unwrap_or_default();
                Part::Frame(Frame { region, count, bytes })
            }
            Checked::Source { crc } => {
                self.tally.add(crc, 0);
                self.summary.frames += 1;
                Part::Source { region, payload: self.buffer.get(payload).unwrap_or_default() }
            }
            Checked::Other { crc, kind } => {
                self.tally.add(crc, 0);
                self.summary.frames += 1;
                Part::Other { region, kind }
            }
            Checked::Footer(footer) => {
                let complete = footer == self.tally;
                self.summary.closed = true;
                self.summary.lost = footer.entries.saturating_sub(self.tally.entries);
                Part::Footer { region, complete }
            }
        }
    }

    /// Passes bytes that are no frame, up to the next sound one or to the end.
    fn search(&mut self) -> io::Result<Option<Part<'_>>> {
        let at = *self.bad_from.get_or_insert(self.at);
        loop {
            let window = self.window();
            // That no frame begins at the first byte is why there is a search.
            let next = usize::from(self.at == at && !window.is_empty());
            let found =
                window.get(next..).and_then(|bytes| bytes.windows(SYNC.len()).position(|b| b == SYNC));
            // The last bytes may be the beginning of a sync.
            let last = window.len().saturating_sub(SYNC.len() - 1);
            self.forgo(found.map_or(last.max(next), |found| next + found));
            if found.is_some() {
                self.found = self.check()?;
                if self.found.is_some() {
                    break;
                }
                self.forgo(1);
            } else if !self.fill(SYNC.len())? {
                self.forgo(self.window().len());
                break;
            }
        }
        self.bad_from = None;
        let region = Region { at, len: self.at - at };
        Ok((region.len > 0).then(|| self.tell(region)))
    }

    fn tell(&mut self, region: Region) -> Part<'_> {
        if self.found.is_none() && !self.summary.closed {
            self.summary.torn_bytes += region.len;
            return Part::Torn(region);
        }
        self.summary.damaged += 1;
        self.summary.damaged_bytes += region.len;
        if !self.summary.closed {
            self.summary.lost += 1;
        }
        Part::Damaged(region)
    }

    /// The length and kind of the frame that begins here, if there is a sound one.
    fn check(&mut self) -> io::Result<Option<(usize, Checked)>> {
        self.fill(FRAME_HEAD)?;
        let Some(head) = Head::read(self.window()) else { return Ok(None) };
        if self.credit < head.payload as u64 {
            return Ok(None);
        }
        let len = FRAME_HEAD + head.payload;
        self.fill(len)?;
        let Some(payload) = self.window().get(FRAME_HEAD..len) else { return Ok(None) };
        let checked = head.check(payload);
        if checked.is_none() {
            self.credit -= head.payload as u64;
            #[cfg(test)]
            {
                self.in_vain += head.payload as u64;
            }
        }
        Ok(checked.map(|checked| (len, checked)))
    }

    fn window(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn pass(&mut self, bytes: usize) {
        self.start += bytes;
        self.at += bytes as u64;
    }

    /// Passes bytes that are no frame.
    fn forgo(&mut self, bytes: usize) {
        self.pass(bytes);
        self.credit = (self.credit + bytes as u64 * CREDIT_PER_BYTE).min(CREDIT);
    }

    /// Reads until the window holds so many bytes; false where the source ends before.
    fn fill(&mut self, bytes: usize) -> io::Result<bool> {
        while self.window().len() < bytes && !self.source_ended {
            // What was passed is moved over only once it is worth it, so that each byte is moved a few times at most.
            if self.start > self.buffer.len() / 2 || self.buffer.len() >= 2 * MAX_FRAME {
                self.buffer.drain(..self.start.min(self.buffer.len()));
                self.start = 0;
            }
            self.buffer.reserve_exact(STEP);
            // What was read before an error stays in the buffer, and may do.
            match self.source.by_ref().take(STEP as u64).read_to_end(&mut self.buffer) {
                Ok(read) => self.source_ended = read < STEP,
                Err(error) if self.window().len() < bytes => return Err(error),
                Err(_) => {}
            }
        }
        Ok(self.window().len() >= bytes)
    }
}
