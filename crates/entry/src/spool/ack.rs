//! The hint beside a segment: which of its frames need not be sent again.

use super::{BadHeader, MAX_FRAMES, VERSION, checksum};
use crate::EntryId;

const MAGIC: [u8; 8] = *b"HOPSPACK";
const HEAD: usize = 40;

/// Frames of one segment that found their fate. Frames are numbered from 0 as they stand in an undamaged segment: behind
/// damage the numbers mean nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acks {
    segment: u64,
    writer: EntryId,
    bits: Vec<u8>,
}

impl Acks {
    /// The most bytes of such a file.
    pub const MAX_LEN: usize = HEAD + (MAX_FRAMES / 8) as usize + 4;

    /// None so far.
    #[must_use]
    pub fn new(segment: u64, writer: EntryId) -> Self {
        Self { segment, writer, bits: Vec::new() }
    }

    /// Whose frames these are: the segment's number and its writer.
    #[must_use]
    pub fn of(&self) -> (u64, EntryId) {
        (self.segment, self.writer)
    }

    /// Says that a frame found its fate. One beyond [`MAX_FRAMES`] is not noted.
    pub fn insert(&mut self, frame: u32) {
        if frame < MAX_FRAMES {
            let at = (frame / 8) as usize;
            if self.bits.len() <= at {
                self.bits.resize(at + 1, 0);
            }
            if let Some(byte) = self.bits.get_mut(at) {
                *byte |= 1 << (frame % 8);
            }
        }
    }

    /// Whether it did.
    #[must_use]
    pub fn contains(&self, frame: u32) -> bool {
        self.bits.get((frame / 8) as usize).is_some_and(|byte| byte >> (frame % 8) & 1 == 1)
    }

    /// How many did.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.bits.iter().map(|byte| byte.count_ones()).sum()
    }

    /// Whether none did.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + self.bits.len() + 4);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&(self.bits.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.segment.to_le_bytes());
        bytes.extend_from_slice(self.writer.as_bytes());
        bytes.extend_from_slice(&self.bits);
        let crc = checksum(&[&bytes]);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// [`BadHeader`]; a file that cannot be read is to be passed over, for it is only a hint.
    pub fn read(bytes: &[u8]) -> Result<Self, BadHeader> {
        let (checked, crc) = bytes.split_last_chunk::<4>().ok_or(BadHeader::Cut)?;
        let (head, bits) = checked.split_first_chunk::<HEAD>().ok_or(BadHeader::Cut)?;
        if !head.starts_with(&MAGIC) {
            return Err(BadHeader::NotASegment);
        }
        if bytes.len() > Self::MAX_LEN || checksum(&[checked]).to_le_bytes() != *crc {
            return Err(BadHeader::Damaged);
        }
        let [.., v0, v1, f0, f1, l0, l1, l2, l3] = head[..16] else { return Err(BadHeader::Cut) };
        let version = u16::from_le_bytes([v0, v1]);
        if version != VERSION || [f0, f1] != [0; 2] {
            return Err(BadHeader::Unknown { version });
        }
        if u32::from_le_bytes([l0, l1, l2, l3]) as usize != bits.len() {
            return Err(BadHeader::Damaged);
        }
        let mut segment = [0; 8];
        segment.copy_from_slice(&head[16..24]);
        let mut writer = [0; 16];
        writer.copy_from_slice(&head[24..]);
        let (segment, writer) = (u64::from_le_bytes(segment), EntryId::from_bytes(writer));
        Ok(Self { segment, writer, bits: bits.to_vec() })
    }
}
