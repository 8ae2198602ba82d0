//! The client from its public side: over real sockets, against a collector that answers by script.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests, and what they share")]

mod support;

mod answers;
mod batches;
mod context;
mod ends;
mod handlers;
mod lines;
mod logger;
mod logging;
mod outages;
mod panics;
mod sampling;
mod scopes;
