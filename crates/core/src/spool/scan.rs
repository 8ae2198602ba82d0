//! Reading an adopted segment, part by part.

use std::io::{self, Read};
use std::sync::Arc;

use hoplog_entry::spool::{Acks, BadHeader, Part, Region, SegmentReader, Source};

use super::fs::Kind;
use super::segment::{Slot, State};
use super::{Count, Fs, Spool, Trouble};
use hoplog_entry::DropReason;
use hoplog_entry::spool::Name;

/// A disk that cannot read a byte cannot read this block.
const BLOCK: u64 = 4_096;

/// An adopted segment on its way through the reader.
pub(super) struct Scan<F: Fs> {
    pub(super) key: u64,
    reader: SegmentReader<Bytes<F>>,
}

/// A file as a source of bytes. What the disk cannot read is read as zeros, which are no frame.
pub(super) struct Bytes<F: Fs> {
    fs: F,
    file: F::File,
    at: u64,
    len: u64,
}

impl<F: Fs> Bytes<F> {
    pub(super) fn new(fs: F, file: F::File) -> io::Result<Self> {
        let stat = fs.stat(&file)?;
        if stat.kind != Kind::File {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(Self { fs, file, at: 0, len: stat.len })
    }
}

impl<F: Fs> Read for Bytes<F> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = match self.fs.read_at(&self.file, self.at, out) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let block = (BLOCK - self.at % BLOCK).min(self.len.saturating_sub(self.at));
                let zeros = out.len().min(block as usize);
                out.iter_mut().take(zeros).for_each(|byte| *byte = 0);
                zeros
            }
            other => other?,
        };
        self.at += read as u64;
        Ok(read)
    }
}

/// What one step over a segment came to.
pub(super) enum Step {
    /// A frame to hand out; its records are in the buffer.
    Frame(u32),
    /// So many bytes hold nothing to hand out.
    Passed(u64),
    /// The segment is read to its end, or gone.
    Ended,
    /// There is no descriptor to read it with.
    Later,
}

impl<F: Fs> Spool<F> {
    /// Reads the next part of an adopted segment.
    pub(super) fn step(&mut self, key: u64) -> Step {
        if self.scan.as_ref().is_none_or(|scan| scan.key != key) {
            match self.begin_scan(key) {
                Ok(scan) => self.scan = Some(scan),
                Err(error) => {
                    match Trouble::of(&error) {
                        Trouble::Descriptors => return Step::Later,
                        Trouble::Gone => self.lose(key, DropReason::SpoolIoError),
                        _ => self.leave_alone(key),
                    }
                    return Step::Ended;
                }
            }
        }
        let (Some(scan), Some(segment)) = (self.scan.as_mut(), self.segments.get_mut(&key)) else {
            return Step::Ended;
        };
        // The source has zeros for what cannot be read, and does not fail.
        let Ok(part) = scan.reader.next() else { return Step::Passed(BLOCK) };
        let slot = |region: Region, entries, bytes: usize, state| Slot {
            at: region.at as u32,
            len: region.len as u32,
            entries,
            bytes: bytes as u32,
            state,
        };
        match part {
            Some(Part::Frame(frame)) => {
                let number = segment.frames();
                if number < segment.numbered && segment.acks.contains(number) {
                    segment.push(slot(frame.region, frame.count, frame.bytes.len(), State::Resolved));
                    return Step::Passed(frame.region.len);
                }
                let (entries, bytes) = readable(frame.bytes);
                self.buffer.clear();
                self.buffer.extend_from_slice(frame.bytes.get(..bytes).unwrap_or_default());
                let slot = slot(frame.region, entries, bytes, State::InFlight);
                self.changes.recovered += slot.count();
                if bytes < frame.bytes.len() {
                    let lost = Count {
                        entries: u64::from(frame.count.saturating_sub(entries)).max(1),
                        bytes: (frame.bytes.len() - bytes) as u64,
                    };
                    self.changes.recovered += lost;
                    self.changes.drop(DropReason::SpoolCorrupt, lost);
                    let region = frame.region;
                    segment.push(slot);
                    self.keep_region(key, region);
                } else {
                    segment.push(slot);
                }
                Step::Frame(number)
            }
            Some(Part::Source { region, payload }) => {
                let source = Source::read(payload).map(Arc::new);
                // What an earlier run of this process wrote is this process's.
                segment.now_written_by(source.filter(|source| Some(source) != self.config.source.as_ref()));
                segment.push(slot(region, 0, 0, State::Resolved));
                Step::Passed(region.len)
            }
            Some(Part::Other { region, .. }) => {
                segment.push(slot(region, 0, 0, State::Resolved));
                Step::Passed(region.len)
            }
            Some(Part::Damaged(region)) => {
                segment.numbered = segment.numbered.min(segment.frames());
                self.changes.damaged_bytes += region.len;
                self.keep_region(key, region);
                Step::Passed(region.len)
            }
            Some(Part::Footer { region, .. } | Part::Torn(region)) => Step::Passed(region.len),
            None => {
                self.end_scan(key);
                Step::Ended
            }
        }
    }

    fn begin_scan(&mut self, key: u64) -> io::Result<Scan<F>> {
        let segment = self.segments.get(&key).ok_or(io::ErrorKind::NotFound)?;
        let (path, hint) = (segment.path(Name::Segment), segment.path(Name::Ack));
        let of = segment.acks.of();
        let file = self.with_spare(|fs| fs.open(&path))?;
        let reader = SegmentReader::new(Bytes::new(self.fs.clone(), file)?)?;
        let acks = self.read_hint(&hint).filter(|acks| acks.of() == of);
        if let (Some(acks), Some(segment)) = (acks, self.segments.get_mut(&key)) {
            segment.acks = acks;
        }
        Ok(Scan { key, reader })
    }

    fn read_hint(&self, path: &std::path::Path) -> Option<Acks> {
        let file = self.fs.open(path).ok()?;
        let mut bytes = vec![0; Acks::MAX_LEN + 1];
        let read = self.fs.read_full_at(&file, 0, &mut bytes).ok()?;
        Acks::read(bytes.get(..read)?).ok()
    }

    fn end_scan(&mut self, key: u64) {
        let Some(scan) = self.scan.take() else { return };
        let (header, summary) = (scan.reader.header(), scan.reader.summary());
        let nothing = summary.frames == 0 && !summary.closed;
        match header {
            Err(BadHeader::Unknown { .. }) => {
                self.status.unknown_versions += 1;
                return self.leave_alone(key);
            }
            Err(BadHeader::NotASegment) if nothing => {
                self.status.foreign += 1;
                return self.leave_alone(key);
            }
            _ => {}
        }
        // The footer counts entries alone.
        let lost = Count { entries: summary.lost, bytes: 0 };
        self.changes.recovered += lost;
        self.changes.drop(DropReason::SpoolCorrupt, lost);
        self.changes.torn_bytes += summary.torn_bytes;
        if let Some(segment) = self.segments.get_mut(&key) {
            segment.unread = false;
        }
    }

    /// Entries of an adopted segment that were not read yet, by their frames' own word.
    pub(super) fn count_unread(&self, key: u64) -> Count {
        let mut count = Count::default();
        let Some(segment) = self.segments.get(&key).filter(|segment| segment.unread) else { return count };
        let Ok(file) = self.fs.open(&segment.path(Name::Segment)) else { return count };
        let Ok(source) = Bytes::new(self.fs.clone(), file) else { return count };
        let Ok(mut reader) = SegmentReader::new(source) else { return count };
        let mut number = 0;
        while let Ok(Some(part)) = reader.next() {
            if let Part::Frame(frame) = part
                && number >= segment.frames()
            {
                count += Count::of(frame.bytes, frame.count as usize);
            }
            number += u32::from(matches!(part, Part::Frame(_) | Part::Source { .. } | Part::Other { .. }));
        }
        count.entries += reader.summary().lost;
        count
    }
}

/// How many records can be read, and how many bytes they are.
pub(super) fn readable(mut bytes: &[u8]) -> (u32, usize) {
    let (mut entries, len) = (0, bytes.len());
    while let Ok((_, rest)) = hoplog_entry::Record::read(bytes) {
        entries += 1;
        bytes = rest;
    }
    (entries, len - bytes.len())
}
