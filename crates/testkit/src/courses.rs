//! Any order in which a request can go: the glue of each framework, without sockets, against a scripted service.
//!
//! ```text
//! plan (any) ─► cuts (every await point) ─┬─► the service alone ──────┐ polled in step: same answers, same panics,
//!                                         └─► the service, logged ────┤ same sizes, as many inner polls
//!                                                   │                 ▼
//!                                              the one entry ◄──── model: what this order of events must give
//! ```
//!
//! A framework's test implements [`Glue`]: it puts the [`Actor`]'s handler and body behind the framework's traits.

mod act;
mod drive;
mod glue;
mod model;
mod plan;
mod run;
mod tally;

pub use act::{Actor, Broken, Piece, ScriptedBody, ScriptedHandler};
pub use glue::{BodyState, Failure, Glue, Head, Side};
pub use plan::{Failing, Plan};
pub use run::run;
