//! hoplog-tracing through real subscribers, one per test and thread.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)] // a helper of a test fails like the test itself

mod alone;
mod events;
mod harm;
mod levels;
mod logs;
#[cfg(feature = "opentelemetry")]
mod otel;
mod requests;
mod spans;

use hoplog::testing::{Capture, capture_with};
use hoplog::{Client, Level};
use serde_json::Value;
use tracing::Dispatch;
use tracing_subscriber::prelude::*;

/// A client in memory that takes every level, and a subscriber of its layer alone.
fn rig() -> (Capture, Dispatch) {
    let capture = capture_with(Client::builder().service("test").min_level(Level::Trace)).unwrap();
    let subscriber = tracing_subscriber::registry().with(hoplog_tracing::layer(capture.client()));
    (capture, subscriber.into())
}

/// What was logged by `run`, oldest first.
fn logged(run: impl FnOnce()) -> Vec<Value> {
    let (capture, dispatch) = rig();
    tracing::dispatcher::with_default(&dispatch, run);
    capture.entries()
}

/// What was logged by `run`, which logs one event.
fn logs(run: impl FnOnce()) -> Value {
    let mut entries = logged(run);
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0)
}

fn messages(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["message"].as_str().unwrap_or("-")).collect()
}
