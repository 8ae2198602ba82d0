//! Sealed batches over HTTP: send, read the answer, decide.
//!
//! What an answer means is a pure function ([`Verdict`]'s, one per dialect); how long to wait is another ([`Backoff`]).

mod answer;
mod http;
mod retry;

#[cfg(feature = "zstd")]
pub(crate) use answer::accepts;
#[cfg(feature = "otlp")]
pub(crate) use answer::otlp_remark;
pub(crate) use answer::{Answer, Verdict};
pub(crate) use http::{
    Encoding, Http, HttpConfig, Lone, REQUEST_TIMEOUT, SealedBatch, SendError, is_loopback,
};
pub(crate) use retry::Backoff;
