use super::*;
use crate::{Field, Kind, Level, Outcome, RecordWriter};

fn header() -> OpenHeader {
    let source = Source { service: "shop".into(), pid: 7, ..Source::default() };
    OpenHeader { process: EntryId::from_bytes([9; 16]), created_unix_ms: 5, places: 4, source }
}

fn record(number: u8, path: &str) -> Vec<u8> {
    let mut w = RecordWriter::default();
    w.begin(Kind::Request, EntryId::from_bytes([number; 16]), 1);
    w.text(Field::Path, path);
    w.end(Level::Error, Some(Outcome::ProcessDied)).to_vec()
}

/// A file with these records at its places.
fn file(records: &[Option<Vec<u8>>]) -> (Vec<u8>, usize) {
    let mut bytes = header().to_bytes();
    let first = bytes.len();
    bytes.resize(first + 4 * OPEN_PLACE, 0);
    for (place, record) in records.iter().enumerate() {
        let written = record.as_ref().map_or(OPEN_FREE.to_vec(), |record| open_place(record).unwrap());
        bytes[first + place * OPEN_PLACE..][..written.len()].copy_from_slice(&written);
    }
    (bytes, first)
}

#[test]
fn what_was_open_reads_back_wherever_it_stands() {
    let (mut bytes, _) = file(&[Some(record(1, "/a")), None, Some(record(3, "/c"))]);
    bytes[OPEN_BEYOND_AT as usize] = 12;
    let left = read_open(&bytes).unwrap();
    let ids: Vec<u8> = left.records.iter().map(|record| record.id().as_bytes()[0]).collect();
    assert_eq!((ids, left.beyond, left.unreadable), (vec![1, 3], 12, 0));
    assert_eq!(left.header, header());
    assert!(bytes.len() as u64 <= MAX_OPEN_FILE);
}

#[test]
fn a_place_that_was_half_written_is_counted_and_the_others_are_read() {
    let (whole, first) = file(&[Some(record(1, "/a")), Some(record(2, "/b"))]);
    let second = first + OPEN_PLACE;
    for at in second + 4..second + open_place(&record(2, "/b")).unwrap().len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let left = read_open(&bytes).unwrap();
        assert_eq!((left.records.len(), left.unreadable), (1, 1), "{at}");
    }
    for cut in first..whole.len() {
        assert!(read_open(&whole[..cut]).is_ok_and(|left| left.records.len() <= 2), "{cut}");
    }
}

#[test]
fn a_header_that_is_damaged_says_nothing() {
    let (whole, _) = file(&[Some(record(1, "/a"))]);
    for at in (0..FIXED).chain(FIXED + BEYOND..FIXED + BEYOND + header().source.to_bytes().len()) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        assert!(read_open(&bytes).is_err(), "{at}");
    }
    assert_eq!(read_open(&whole[..FIXED - 1]).unwrap_err(), BadHeader::Cut);
}

#[test]
fn a_record_that_is_too_long_has_no_place() {
    assert!(open_place(&record(1, &"x".repeat(OPEN_PLACE))).is_none());
    assert!(open_place(&[]).is_none());
}
