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
mod exchange;
mod head;
mod live;
mod rules;

pub use exchange::Exchange;
pub use head::RequestHead;
pub(crate) use live::Live;
pub(crate) use rules::Rules;
pub use rules::{Requests, RouteRules, Statuses};

#[cfg(test)]
mod tests;
