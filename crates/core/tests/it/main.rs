//! The client from its public side: over real sockets, against a collector that answers by script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests, and what they share"
)]

mod support;

mod answers;
#[cfg(unix)]
mod backlog;
mod batches;
#[cfg(feature = "toml")]
mod config_file;
mod context;
mod contexts;
#[cfg(unix)]
mod course;
mod crashes;
mod destinations;
mod ends;
#[cfg(target_os = "linux")]
mod faults;
mod files;
mod handlers;
mod hooks;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(target_os = "linux")]
mod hot_path;
mod lines;
mod log_collector;
mod logger;
mod logging;
#[cfg(feature = "otlp")]
mod otlp;
mod outages;
mod overflow;
mod panics;
mod proxying;
mod refusals;
mod sampling;
mod scopes;
#[cfg(unix)]
mod sources;
mod spool;
#[cfg(feature = "tls")]
mod tls;
