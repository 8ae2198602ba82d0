//! The file in which a process notes which requests are open, so that its end does not take them along.
//!
//! Its places are written over and over, and never moved. Nothing of it is synced: it outlives the process, not the machine.

use super::{BadHeader, Source, VERSION, checksum};
use crate::{EntryId, Record};

/// The directory of these files, beside the folders of the destinations.
pub const OPEN_DIR: &str = "requests.open";
/// The bytes of a place.
pub const OPEN_PLACE: usize = 1024;
/// The most places of a file.
pub const MAX_OPEN_PLACES: u32 = 4096;
/// Where the count of the requests stands that found no place.
pub const OPEN_BEYOND_AT: u64 = FIXED as u64;
/// A longer file is none of these.
pub const MAX_OPEN_FILE: u64 = (MOST_HEADER + MAX_OPEN_PLACES as usize * OPEN_PLACE) as u64;

const MAGIC: [u8; 8] = *b"HOPOPENR";
const FIXED: usize = 64;
const BEYOND: usize = 8;
const PLACE_HEAD: usize = 8;
const MOST_HEADER: usize = 32 * 1024;

/// What such a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHeader {
    /// One run of one process; the file's name.
    pub process: EntryId,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_unix_ms: u64,
    /// How many places there are.
    pub places: u32,
    /// The process, as its entries name it.
    pub source: Source,
}

/// What a process left in it.
#[derive(Debug)]
pub struct OpenLeft<'a> {
    /// What the file says of itself.
    pub header: OpenHeader,
    /// Entries of the requests that were open.
    pub records: Vec<Record<'a>>,
    /// Requests that were open beside them.
    pub beyond: u64,
    /// Places that cannot be read.
    pub unreadable: u32,
}

impl OpenHeader {
    /// The beginning of the file, up to the first place. All places behind it are zeros: free.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let source = self.source.to_bytes();
        let mut bytes = vec![0; FIXED + BEYOND];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.places.to_le_bytes());
        bytes[20..24].copy_from_slice(&(OPEN_PLACE as u32).to_le_bytes());
        bytes[24..40].copy_from_slice(self.process.as_bytes());
        bytes[40..48].copy_from_slice(&self.created_unix_ms.to_le_bytes());
        bytes[48..52].copy_from_slice(&(source.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&source);
        bytes.resize(bytes.len().next_multiple_of(OPEN_PLACE), 0);
        let header = (bytes.len() as u32).to_le_bytes();
        bytes[12..16].copy_from_slice(&header);
        let crc = checksum(&[&bytes[..60], &source]);
        bytes[60..FIXED].copy_from_slice(&crc.to_le_bytes());
        bytes
    }
}

/// What is written at a place: `None` where the record is too long for one.
#[must_use]
pub fn open_place(record: &[u8]) -> Option<Vec<u8>> {
    if record.is_empty() || record.len() > OPEN_PLACE - PLACE_HEAD {
        return None;
    }
    let len = (record.len() as u32).to_le_bytes();
    Some([&len[..], &checksum(&[&len, record]).to_le_bytes(), record].concat())
}

/// What is written at a place whose request has ended.
pub const OPEN_FREE: [u8; 4] = [0; 4];

/// Reads a whole file.
///
/// # Errors
/// [`BadHeader`]; then nothing can be said of what is in it.
pub fn read_open(bytes: &[u8]) -> Result<OpenLeft<'_>, BadHeader> {
    let fixed = bytes.first_chunk::<FIXED>().ok_or(BadHeader::Cut)?;
    if !fixed.starts_with(&MAGIC) {
        return Err(BadHeader::NotASegment);
    }
    let version = u16::from_le_bytes(at(fixed, 8));
    let [header, places, place, source] = [12, 16, 20, 48].map(|from| u32::from_le_bytes(at(fixed, from)));
    let payload = bytes.get(FIXED + BEYOND..).unwrap_or_default();
    let source = payload.get(..source as usize).ok_or(BadHeader::Damaged)?;
    if checksum(&[&fixed[..60], source]) != u32::from_le_bytes(at(fixed, 60)) {
        return Err(BadHeader::Damaged);
    }
    if version != VERSION || at(fixed, 10) != [0; 2] || place as usize != OPEN_PLACE {
        return Err(BadHeader::Unknown { version });
    }
    if places > MAX_OPEN_PLACES {
        return Err(BadHeader::Damaged);
    }
    let header_len = header as usize;
    let header = OpenHeader {
        process: EntryId::from_bytes(at(fixed, 24)),
        created_unix_ms: u64::from_le_bytes(at(fixed, 40)),
        places,
        source: Source::read(source).ok_or(BadHeader::Damaged)?,
    };
    let beyond = bytes.get(FIXED..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
    let mut left =
        OpenLeft { header, records: Vec::new(), beyond: u64::from_le_bytes(beyond), unreadable: 0 };
    for place in bytes.get(header_len..).unwrap_or_default().chunks(OPEN_PLACE).take(places as usize) {
        match read_place(place) {
            Ok(None) => {}
            Ok(Some(record)) => left.records.push(record),
            Err(Torn) => left.unreadable += 1,
        }
    }
    Ok(left)
}

/// A write that did not end, or damage.
struct Torn;

fn read_place(place: &[u8]) -> Result<Option<Record<'_>>, Torn> {
    let Some((len, rest)) = place.split_first_chunk() else { return Ok(None) };
    if *len == OPEN_FREE {
        return Ok(None);
    }
    let (crc, rest) = rest.split_first_chunk().ok_or(Torn)?;
    let record = rest.get(..u32::from_le_bytes(*len) as usize).ok_or(Torn)?;
    if checksum(&[len, record]) != u32::from_le_bytes(*crc) {
        return Err(Torn);
    }
    Record::read(record).map(|(record, _)| Some(record)).map_err(|_| Torn)
}

fn at<const N: usize>(bytes: &[u8; FIXED], from: usize) -> [u8; N] {
    bytes.get(from..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

#[cfg(test)]
#[path = "tests/open.rs"]
mod tests;
