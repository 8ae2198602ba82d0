//! Sealed batches over HTTP: send, read the answer, decide.
//!
//! What an answer means is a pure function ([`Verdict::of`]); how long to wait is another ([`Backoff`]).

mod answer;
mod http;
mod retry;

pub(crate) use answer::{Answer, Verdict};
pub(crate) use http::{Http, HttpConfig, SealedBatch, SendError};
pub(crate) use retry::Backoff;
