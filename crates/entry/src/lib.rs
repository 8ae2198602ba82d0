//! What hoplog's SDK and collector share, all of it synchronous: levels, kinds and outcomes, ids, trace headers,
//! field names, the flat record codec, the frames of the spool, the form of API keys, what readable lines need.
//!
//! An application depends on `hoplog` and its glue crates; this crate is of use to those who read or write
//! hoplog's records themselves.

mod api_key;
mod calendar;
mod crc32c;
mod diagnostics;
mod field;
pub mod forwarded;
mod header_name;
mod id;
pub mod record;
pub mod spool;
pub mod trace_headers;
mod visible;
mod vocabulary;

pub use api_key::{ApiKey, NotAnApiKey};
pub use calendar::Civil;
pub use diagnostics::Diagnostics;
pub use field::Field;
pub use header_name::KnownHeader;
pub use id::{EntryId, ParseIdError, SpanId, TraceId};
pub use record::{Fragment, Item, Items, Malformed, RawItem, RawName, Record, RecordWriter, Value};
pub use visible::{Visible, is_hidden};
pub use vocabulary::{DropReason, Kind, Level, Outcome, UnknownWord};
