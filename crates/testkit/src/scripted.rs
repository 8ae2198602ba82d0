//! A collector that answers as it is told, and remembers what it was sent.
//!
//! ```text
//! script: [Answer, Answer, …]  one per request, in their order of arrival; after the last: a good answer to each
//! ```
//!
//! It runs on a thread of its own, so that tests without a runtime, or inside any, can use it.

mod answer;
mod received;
mod server;

pub use answer::{Answer, Framing};
pub use received::Received;
pub use server::Scripted;
