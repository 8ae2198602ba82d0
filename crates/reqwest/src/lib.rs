//! Outgoing calls through reqwest: each carries the trace on and becomes one entry.
//!
//! ```
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = hoplog::Client::builder().service("shop").build()?;
//! let http = hoplog_reqwest::client(client.clone(), reqwest::Client::new());
//! let answer = http.get("http://127.0.0.1:9/charges").timeout(Duration::from_secs(1)).send().await;
//! assert!(answer.is_err(), "nobody listens there: the entry says so");
//! assert_eq!(client.stats().accepted, 1);
//! # let _ = client.shutdown(Duration::ZERO).await; Ok(()) }
//! ```
//!
//! ```text
//! send() ─► CallLog::handle ─► other middlewares, reqwest ─► response head ─► one entry
//!             │ headers of the current request                │ status, headers
//!             ▼ are added                                     ▼
//!          Exchange ───────────────────────────────────────► finished
//! ```
//!
//! # What it does
//! - A call made while a request is handled carries that request's trace: `traceparent` with a span of its own,
//!   `tracestate`, `x-trace-id`, `x-request-id`. Elsewhere it begins a trace. A header that the call has already is
//!   kept; with a `traceparent` of its own it is recorded under that.
//! - One entry of kind `outgoing` per call, as long as the wait for the response head. Redirects that reqwest follows
//!   are part of it; a body that breaks off later is not.
//! - hoplog's own deliveries are never recorded.
//!
//! # What it leaves alone
//! Requests but for those headers, responses, errors: they pass unchanged.
//!
//! # Outcomes
//! | outcome | status | what happened |
//! |---|---|---|
//! | `completed` | any other | the other side answered; 4xx and 5xx show in the status and the level |
//! | `timed_out` | 408, 504 | the other side answered that time ran out there, or behind it |
//! | `timed_out` | none | this call's own time ran out |
//! | `service_error` | none | no answer: refused, reset, no such host, a middleware's error. The text says it, without the URL |
//! | `cancelled` | none | the caller dropped the call |
//!
//! # Where to put it
//! Last in a `reqwest_middleware::ClientBuilder`, inside a retry, each attempt is an entry; first, outside of it, all
//! attempts are one. See [`CallLog`].
//!
//! # Troubleshooting
//! | sign | cause |
//! |---|---|
//! | a call has a trace of its own | it was made in a spawned task: spawn `future.in_current_context()`, of [`hoplog::InCurrentContext`] |
//!
//! # Features
//! `tls` (default): HTTPS to the collector. `proxy` (default): `HTTPS_PROXY` and its kin are honoured. Neither is
//! needed for calls: what reqwest can do is the application's choice.

mod failure;
mod head;
mod middleware;

pub use middleware::CallLog;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

/// `inner` with a [`CallLog`] that hands its entries to `client`.
#[must_use]
pub fn client(client: hoplog::Client, inner: reqwest::Client) -> ClientWithMiddleware {
    ClientBuilder::new(inner).with(CallLog::new(client)).build()
}
