//! Segments cut at every byte, with every byte flipped, and made up by somebody who means harm.

mod acks;
mod any_bytes;
mod damage;
mod vectors;

use super::*;
use crate::{EntryId, Field, Kind, Level, RecordWriter};

const WRITER: EntryId = EntryId::from_bytes(*b"writer-of-spools");

/// A record of which every byte follows from its number.
fn record(number: u64) -> Vec<u8> {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let mut w = RecordWriter::default();
    w.begin(Kind::Event, EntryId::from_bytes(id), 1_763_600_000_000_000_000 + number);
    w.uint(Field::StatusCode, 200 + number % 300);
    w.text(Field::Message, &"x".repeat(number as usize % 5));
    w.end(Level::Info, None).to_vec()
}

fn header(segment: u64) -> SegmentHeader {
    SegmentHeader { segment, writer: WRITER, created_unix_ms: 1_763_600_000_000 }
}

/// A segment of so many frames, with one or two records each, and where its frames begin and end.
fn segment(frames: u64, closed: bool) -> (Vec<u8>, Vec<Region>) {
    let mut bytes = header(7).to_bytes().to_vec();
    let (mut tally, mut regions, mut number) = (Tally::default(), Vec::new(), 0);
    for frame in 0..frames {
        let count = 1 + frame as u32 % 2;
        let records: Vec<u8> = (number..number + u64::from(count)).flat_map(record).collect();
        number += u64::from(count);
        let at = bytes.len() as u64;
        push_entries(&mut bytes, &mut tally, count, &records).unwrap();
        regions.push(Region { at, len: bytes.len() as u64 - at });
    }
    if closed {
        push_footer(&mut bytes, &tally);
    }
    (bytes, regions)
}

/// What a segment is read to. Panics where the parts do not cover every byte once, or a record is not what was written.
#[derive(Debug, Default)]
struct Read {
    frames: Vec<Region>,
    damaged: Vec<Region>,
    torn: Option<Region>,
    summary: Summary,
    complete: bool,
    most_memory: usize,
}

fn read(bytes: &[u8]) -> Read {
    let mut reader = SegmentReader::new(bytes).unwrap();
    let mut read = Read::default();
    let mut at = if reader.header().is_ok() { HEADER_LEN as u64 } else { 0 };
    while let Some(part) = reader.next().unwrap() {
        let region = match part {
            Part::Frame(frame) => {
                assert_eq!(frame.region.len as usize, frame.bytes.len() + FRAME_OVERHEAD);
                read.frames.push(frame.region);
                frame.region
            }
            Part::Source { region, .. } | Part::Other { region, .. } => region,
            Part::Footer { region, complete } => {
                read.complete = complete;
                region
            }
            Part::Damaged(region) => {
                read.damaged.push(region);
                region
            }
            Part::Torn(region) => {
                read.torn = Some(region);
                region
            }
        };
        assert_eq!(region.at, at, "parts stand one behind the other");
        assert!(region.len > 0);
        at += region.len;
        read.most_memory = read.most_memory.max(reader.memory());
    }
    assert_eq!(at, bytes.len() as u64, "parts cover everything");
    assert!(reader.next().unwrap().is_none(), "the end stays the end");
    read.summary = reader.summary();
    read
}

/// The numbers of the records in a segment, each checked against what its number says.
fn numbers(bytes: &[u8]) -> Vec<u64> {
    let mut reader = SegmentReader::new(bytes).unwrap();
    let mut numbers = Vec::new();
    while let Some(part) = reader.next().unwrap() {
        let Part::Frame(frame) = part else { continue };
        let before = numbers.len();
        for read in frame.records() {
            let read = read.unwrap();
            let number = u64::from_be_bytes(*read.id().as_bytes().first_chunk().unwrap());
            assert_eq!(read.bytes(), record(number), "a record is as it was written");
            numbers.push(number);
        }
        assert_eq!((numbers.len() - before) as u32, frame.count);
    }
    numbers
}
