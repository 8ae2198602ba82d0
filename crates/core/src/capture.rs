//! From a request's head to its entry.
//!
//! ```text
//! RequestHead + headers ── begin ──► Exchange ── response ──► ── bytes ──► finish(outcome), once ──► queue
//!                                       │ enter, in every poll
//!                                       ▼
//!                                    current()
//! ```
//!
//! The fields are copied straight into a flat record; nothing of the connection is kept alive. An [`Exchange`] that
//! is dropped unfinished ends itself: `panicked` while unwinding, `cancelled` before a response, `body_aborted` after.

mod begin;
mod bodies;
mod derived;
mod exchange;
mod failure;
mod head;
mod header_name;
mod header_names;
mod headers;
mod kept;
mod live;
mod noted;
mod place;
mod record;
mod response_ids;
mod rules;
pub(crate) mod running;
mod tap;
mod told;
mod trust;

pub use bodies::Bodies;
pub use exchange::Exchange;
pub use failure::ErrorReport;
pub(crate) use failure::{PANIC, Panic, panic_message};
pub use head::RequestHead;
pub use header_name::HeaderName;
pub use header_names::{HeaderNames, LazyName};
pub use kept::KeepOpen;
pub(crate) use live::Live;
pub(crate) use rules::Rules;
pub use rules::{Requests, RouteRules, Statuses};
pub use tap::RequestTap;
pub(crate) use told::Told;
pub(crate) use trust::TrustRules;
pub use trust::{TraceMode, Trust};

#[cfg(test)]
mod tests;
