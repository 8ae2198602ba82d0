//! One suite of requests that the middleware of every framework has to pass.
//!
//! ```text
//! table: bytes to send, when to leave, the entries that must come of it
//!    │
//!    ▼                     ┌─► app with the log layer ─► entries ─► expect
//! run: raw socket ─────────┤
//!                          └─► the same app without it ─► the same bytes on the wire
//! ```
//!
//! A framework's test implements [`Framework`]: it serves the app of [`routes`] and says where it cannot do, or does
//! differently, what a scenario asks for, and why.

mod burst;
mod expect;
mod framework;
pub mod routes;
mod run;
mod table;

pub use expect::{Entry, Size};
pub use framework::{Deviation, Framework, Subject};
pub use run::run;
