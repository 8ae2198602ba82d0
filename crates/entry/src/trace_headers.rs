//! The headers that carry a trace from hop to hop: read, checked, printed. Pure functions of bytes.
//!
//! ```text
//! request head ─► IncomingHeaders::offer ─► Incoming::resolve ─► Continued { trace_id, … } or New { … }
//!                                                 │ keep_tracestate
//!                                                 └─► TraceState::combine
//! ```
//!
//! `traceparent` and `tracestate` follow [W3C Trace Context level 2](https://www.w3.org/TR/trace-context-2/).
//! B3 is read, not written. What is missing and what cannot be used are the same thing: the next header in the order of precedence is asked.
//!
//! ```
//! use hoplog_entry::trace_headers::{Incoming, IncomingHeaders, TraceFlags};
//!
//! let mut headers = IncomingHeaders::default();
//! headers.offer(b"accept", b"*/*");
//! headers.offer(b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
//! let Incoming::Continued { trace_id, flags, .. } = Incoming::resolve(&headers) else { panic!() };
//! assert_eq!(trace_id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
//! assert_eq!(flags, TraceFlags::SAMPLED);
//! ```

mod b3;
mod incoming;
mod parent;
mod request_ids;
mod state;
#[cfg(test)]
mod tests;

pub use incoming::{Incoming, IncomingHeaders};
pub use parent::{InvalidTraceParent, TraceFlags, TraceParent};
pub use request_ids::{XTraceId, is_request_id, request_id};
pub use state::TraceState;

/// W3C: trace id, span id of the caller, flags.
pub const TRACEPARENT: &str = "traceparent";
/// W3C: what other tracing systems pass on beside `traceparent`.
pub const TRACESTATE: &str = "tracestate";
/// A trace id, or any id of the caller's own making.
pub const X_TRACE_ID: &str = "x-trace-id";
/// The caller's span id, beside `x-trace-id`; not read where `traceparent` is.
pub const X_PARENT_SPAN_ID: &str = "x-parent-span-id";
/// The id of one request, in the form its maker likes.
pub const X_REQUEST_ID: &str = "x-request-id";
