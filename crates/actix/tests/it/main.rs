//! The middleware on a real server, spoken to over raw sockets.
#![allow(clippy::unwrap_used, clippy::panic)] // a helper of a test fails like the test itself

mod answers;
mod connections;
mod endings;
mod ids;
mod rig;
mod rules;
