//! Sealed batches over HTTP: send, read the answer, decide.
//!
//! ```text
//! SealedBatch ─► Transport ─► Answer | SendError ─► Verdict ─► Backoff, Breaker
//!                (Http: pool of connections, names looked up)
//! ```
//!
//! What an answer means is a pure function ([`Verdict`]'s, one per dialect), and so is what its lack means; how long to
//! wait is another ([`Backoff`]), when a server is taken to be away ([`Breaker`]), and which entry a batch is refused for
//! ([`Search`]).

mod answer;
mod batch;
mod breaker;
mod failure;
mod http;
mod pool;
mod reach;
mod resolver;
mod retry;
mod search;

use std::pin::Pin;

#[cfg(feature = "zstd")]
pub(crate) use answer::accepts;
#[cfg(feature = "otlp")]
pub(crate) use answer::otlp_remark;
pub(crate) use answer::{Answer, Cause, Verdict};
pub(crate) use batch::{Encoding, Lone, SealedBatch};
pub(crate) use breaker::Breaker;
pub(crate) use failure::{Failure, SendError};
pub(crate) use http::{Http, HttpConfig, REQUEST_TIMEOUT, is_loopback};
#[cfg(feature = "tls")]
pub(crate) use reach::Trust;
pub(crate) use reach::{Proxying, Reach, Timing};
pub(crate) use retry::Backoff;
pub(crate) use search::{Search, Step};

/// A request under way.
pub(crate) type Sending = Pin<Box<dyn Future<Output = Result<Answer, SendError>> + Send>>;

/// Sends batches to one server.
pub(crate) trait Transport: Send {
    /// The request for a batch; await it anywhere on the worker's runtime.
    fn send(&mut self, batch: SealedBatch) -> Sending;
}
