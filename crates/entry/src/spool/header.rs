//! The header of a segment.

use super::{HEADER_LEN, MAGIC, VERSION, checksum};
use crate::EntryId;

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Its number among the segments of its writer.
    pub segment: u64,
    /// Who wrote it: one run of one process.
    pub writer: EntryId,
    /// When it was begun, in milliseconds since the Unix epoch, by the writer's clock.
    pub created_unix_ms: u64,
}

/// The first 64 bytes are no header that this version reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadHeader {
    /// The file is shorter than a header.
    Cut,
    /// It does not begin as a segment does.
    NotASegment,
    /// It begins as a segment does, but the checksum does not hold.
    Damaged,
    /// It is whole, and of a version or with flags that this one does not know. Leave it alone.
    Unknown {
        /// The version.
        version: u16,
    },
}

impl SegmentHeader {
    /// The header as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&(HEADER_LEN as u32).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.segment.to_le_bytes());
        bytes[24..40].copy_from_slice(self.writer.as_bytes());
        bytes[40..48].copy_from_slice(&self.created_unix_ms.to_le_bytes());
        let crc = checksum(&[&bytes[..60]]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the header at the start of `bytes`.
    ///
    /// # Errors
    /// [`BadHeader`]; in a damaged segment frames may still be found.
    pub fn read(bytes: &[u8]) -> Result<Self, BadHeader> {
        let bytes = bytes.first_chunk::<HEADER_LEN>().ok_or(BadHeader::Cut)?;
        let (checked, crc) = bytes.split_at(60);
        let sound = checksum(&[checked]).to_le_bytes() == crc;
        match (bytes.starts_with(&MAGIC), sound) {
            (false, _) => return Err(BadHeader::NotASegment),
            (true, false) => return Err(BadHeader::Damaged),
            (true, true) => {}
        }
        let version = u16::from_le_bytes(at(bytes, 8));
        let known = version == VERSION
            && u16::from_le_bytes(at(bytes, 10)) == 0
            && u32::from_le_bytes(at(bytes, 12)) as usize == HEADER_LEN;
        if !known {
            return Err(BadHeader::Unknown { version });
        }
        Ok(Self {
            segment: u64::from_le_bytes(at(bytes, 16)),
            writer: EntryId::from_bytes(at(bytes, 24)),
            created_unix_ms: u64::from_le_bytes(at(bytes, 40)),
        })
    }
}

/// Some bytes of a header; every offset here is a constant within it.
fn at<const N: usize>(bytes: &[u8; HEADER_LEN], from: usize) -> [u8; N] {
    bytes.get(from..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}
