//! What hoplog's SDK and collector share, all of it synchronous: levels, kinds and outcomes, ids, trace headers,
//! field names, the flat record codec.
//!
//! An application depends on `hoplog` and its glue crates; this crate is of use to those who read or write
//! hoplog's records themselves.

mod id;
pub mod trace_headers;
mod vocabulary;

pub use id::{EntryId, ParseIdError, SpanId, TraceId};
pub use vocabulary::{DropReason, Kind, Level, Outcome, UnknownWord};
