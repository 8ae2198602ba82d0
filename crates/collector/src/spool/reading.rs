//! Reading one segment to its end.

use super::survey::{SegmentFile, about, open};
use hoplog_entry::EntryId;
use hoplog_entry::spool::{Acks, BadHeader, Frame, Part, Region, SegmentReader, Source, Summary};
use std::io::{self, Read as _};

/// What a segment came to.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) header: Result<(), BadHeader>,
    /// Who wrote it, where it says so.
    pub(super) source: Option<Source>,
    pub(super) summary: Summary,
    /// Regions that are no frames; with the torn tail, if there is one.
    pub(super) bad: Vec<Region>,
    /// Entries that are noted as delivered.
    pub(super) delivered: u64,
    /// There is a hint, and it cannot be followed.
    pub(super) bad_hint: bool,
}

impl Reading {
    /// It is of a version that this program does not know, or no segment at all: nothing is to be done about it.
    pub(super) fn is_strange(&self) -> bool {
        match self.header {
            Err(BadHeader::Unknown { .. }) => true,
            Err(BadHeader::NotASegment) => self.summary.frames == 0 && !self.summary.closed,
            _ => false,
        }
    }

    /// Bytes are damaged, or entries missing. A torn tail is neither.
    pub(super) fn is_damaged(&self) -> bool {
        !self.is_strange() && (self.summary.damaged > 0 || self.summary.lost > 0 || self.bad_hint)
    }
}

/// Reads a segment; `each` is shown every frame, who wrote it, and whether it is noted as delivered.
///
/// # Errors
/// The disk's, and those of `each`.
pub(super) fn read(
    segment: &SegmentFile,
    writer: EntryId,
    mut each: impl FnMut(&Frame<'_>, Option<&Source>, bool) -> io::Result<()>,
) -> io::Result<Reading> {
    let file = open(&segment.path).map_err(|error| about(&segment.path, &error))?;
    let failed = |error: io::Error| about(&segment.path, &error);
    let mut reader = SegmentReader::new(file).map_err(failed)?;
    let hint = hint(segment);
    let acks = hint.as_ref().and_then(Option::as_ref).filter(|acks| acks.of() == (segment.number, writer));
    let bad_hint = hint.is_some() && acks.is_none();
    let mut reading = Reading {
        header: reader.header().map(drop),
        source: None,
        summary: Summary::default(),
        bad: Vec::new(),
        delivered: 0,
        bad_hint,
    };
    let (mut number, mut counted) = (0, true);
    while let Some(part) = reader.next().map_err(failed)? {
        match part {
            Part::Frame(frame) => {
                // Behind damage the numbers mean nothing.
                let delivered = counted && acks.is_some_and(|acks| acks.contains(number));
                reading.delivered += if delivered { u64::from(frame.count) } else { 0 };
                each(&frame, reading.source.as_ref(), delivered)?;
                number += 1;
            }
            Part::Source { payload, .. } => {
                reading.source = Source::read(payload);
                number += 1;
            }
            Part::Other { .. } => number += 1,
            Part::Footer { .. } => {}
            Part::Damaged(region) => {
                counted = false;
                reading.bad.push(region);
            }
            Part::Torn(region) => reading.bad.push(region),
        }
    }
    reading.summary = reader.summary();
    Ok(reading)
}

/// The hint beside a segment: `None` where there is none, `Some(None)` where it cannot be read.
fn hint(segment: &SegmentFile) -> Option<Option<Acks>> {
    match open(&segment.hint) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some(None),
        Ok(file) => {
            let mut bytes = Vec::new();
            let read = file.take(Acks::MAX_LEN as u64 + 1).read_to_end(&mut bytes);
            Some(read.ok().and_then(|_| Acks::read(&bytes).ok()))
        }
    }
}
