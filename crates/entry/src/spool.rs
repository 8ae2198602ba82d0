//! The spool's files: segments of checksummed frames, and the hints beside them. Synchronous, and without a disk of its
//! own, so that whoever writes a spool and whoever inspects one share it.
//!
//! The layout stands byte by byte in `docs/spool-format.md`. In short:
//!
//! ```text
//! segment = header (64 bytes) | frame* | footer?
//! frame   = sync u32 | len u32 | crc32c u32 | type u8 | payload (len bytes)
//! ```
//!
//! # Rules
//! - Any bytes are read: to frames, to damaged regions, and to a torn tail, which together cover every byte once.
//! - Nothing is allocated on behalf of a length that was not checked; a reader holds at most two frames and 64 KiB.
//! - The work is linear in the bytes, whatever they are.
//! - The checksum finds accidents, not forgers: who may write to the directory may write entries.

mod ack;
mod frame;
mod header;
pub mod name;
mod open;
mod reader;
mod source;

pub use ack::Acks;
pub use frame::{BadFrame, Tally, push_entries, push_footer, push_source, records_of};
pub use header::{BadHeader, SegmentHeader};
pub use name::Name;
pub use open::{
    MAX_OPEN_FILE, MAX_OPEN_PLACES, OPEN_BEYOND_AT, OPEN_DIR, OPEN_FREE, OPEN_PLACE, OpenHeader, OpenLeft,
    open_place, read_open,
};
pub use reader::{Frame, Part, Region, SegmentReader, Summary};
pub use source::{Place, Source};

use crate::crc32c;

/// The version that is written, and the only one read.
pub const VERSION: u16 = 1;
/// The bytes of a segment's header.
pub const HEADER_LEN: usize = 64;
/// The bytes of a frame before its payload.
pub const FRAME_HEAD: usize = 13;
/// The bytes of an entries frame that are not records.
pub const FRAME_OVERHEAD: usize = FRAME_HEAD + ENTRIES_HEAD;
/// The most bytes of records in one frame.
pub const MAX_RECORDS: usize = 1 << 20;
/// The most bytes of one frame.
pub const MAX_FRAME: usize = FRAME_OVERHEAD + MAX_RECORDS;
/// The most bytes of a frame that says who wrote others.
pub const MAX_SOURCE: usize = FRAME_HEAD + source::MOST;
/// The bytes of a footer.
pub const FOOTER_LEN: usize = FRAME_HEAD + FOOTER_PAYLOAD;
/// The most bytes of a segment, footer included; a longer file is none.
pub const MAX_SEGMENT: u64 = 64 << 20;
/// The most frames of a segment.
pub const MAX_FRAMES: u32 = 65_536;

const MAGIC: [u8; 8] = *b"HOPSPOOL";
/// Read as bytes: `FRGL`.
const SYNC: [u8; 4] = 0x4C47_5246_u32.to_le_bytes();
const TYPE_ENTRIES: u8 = 1;
const TYPE_FOOTER: u8 = 2;
const TYPE_SOURCE: u8 = 3;
const ENTRIES_HEAD: usize = 8;
const FOOTER_PAYLOAD: usize = 16;
const MAX_PAYLOAD: usize = ENTRIES_HEAD + MAX_RECORDS;

/// The checksum of everything here: CRC32C (Castagnoli; RFC 3720 appendix B.4).
fn checksum(parts: &[&[u8]]) -> u32 {
    parts.iter().fold(0, |crc, part| crc32c::append(crc, part))
}

#[cfg(test)]
mod tests;
