//! The flat record: an entry as bytes, written once and copied as it is through queue, batch and spool.
//!
//! # Layout
//! All numbers are little-endian. A record is self-delimiting, so records stand one after the other.
//!
//! ```text
//! record = head (32 bytes) | field*
//!
//! head:   length u24   of the whole record, these 32 bytes included; at most 256 KiB
//!         version u8   1
//!         kind u8      code of `Kind`
//!         level u8     code of `Level`
//!         outcome u8   code of `Outcome`, 255 where there is none
//!         flags u8     bit 0: something was cut or left out to stay within the limits
//!         id [u8; 16]  UUIDv7
//!         created u64  nanoseconds since the Unix epoch
//!
//! field:  tag u32      bits 0–7 field id (`Field`), bits 8–11 type (`Type`), bits 12–31 length of what follows
//!         bytes
//!
//! types:  0 text       UTF-8
//!         1 uint       1, 2, 4 or 8 bytes
//!         2 int        8 bytes, two's complement
//!         3 float      8 bytes, IEEE 754
//!         4 bool       1 byte, 0 or 1
//!         5 nanos      8 bytes, a duration
//!         6 uuid       16 bytes
//!         7 trace id   16 bytes
//!         8 span id    8 bytes
//!         9 ip         4 or 16 bytes
//!        10 json       UTF-8, one JSON value
//!        11 header     name code u8 (index into `KNOWN_HEADERS`, 255: a length u8 and the name follow) | value bytes
//!        12 custom     type u8 (0–10) | name length u8 | name, UTF-8 | value
//! ```
//!
//! # Rules
//! - A reader skips field ids and types that it does not know; a later version may add both.
//! - A record of another version is refused, never guessed at.
//! - Fields come in the order in which they were written. A single-valued field that comes twice: the last one counts.
//! - Any byte string is read or refused; nothing panics and nothing is allocated on behalf of a length.

mod fragment;
mod reader;
mod together;
mod writer;

pub use fragment::Fragment;
pub use reader::{Item, Items, Malformed, RawItem, RawName, Record, Value};
pub use writer::RecordWriter;

/// The version that is written, and the only one read.
pub const VERSION: u8 = 1;
/// The bytes before the first field.
pub const HEAD_LEN: usize = 32;
/// The most bytes that one record may take.
pub const MAX_RECORD: usize = 256 * 1024;
/// The most that a record grows to for headers: behind them come how it ended, an error with its stack, two bodies. A
/// power of two, as buffers are.
const HEADER_ROOM: usize = 32 * 1024;
/// The most bytes in the name of an application's own field.
pub const MAX_NAME: usize = 128;

const FLAG_CUT: u8 = 1;
const NO_OUTCOME: u8 = u8::MAX;
const NAMED_HEADER: u8 = u8::MAX;

/// The type of a value in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)] // the table above says what each is
pub enum Type {
    Text = 0,
    Uint = 1,
    Int = 2,
    Float = 3,
    Bool = 4,
    Nanos = 5,
    Uuid = 6,
    TraceId = 7,
    SpanId = 8,
    Ip = 9,
    Json = 10,
    Header = 11,
    Custom = 12,
}

#[cfg(test)]
mod tests;
