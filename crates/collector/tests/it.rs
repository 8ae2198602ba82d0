//! The collector over real sockets, with real files.

#![recursion_limit = "256"] // of json!, for entries with every field
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests, and what they share")]

#[path = "it/support.rs"]
mod support;

#[path = "it/answers.rs"]
mod answers;
#[path = "it/bodies.rs"]
mod bodies;
#[path = "it/chaos/mod.rs"]
mod chaos;
#[path = "it/command.rs"]
mod command;
#[path = "it/completeness.rs"]
mod completeness;
#[path = "it/dedup.rs"]
mod dedup;
#[path = "it/deletion.rs"]
mod deletion;
#[path = "it/entries.rs"]
mod entries;
#[path = "it/keys.rs"]
mod keys;
#[path = "it/layout.rs"]
mod layout;
#[path = "it/logs_sdk.rs"]
mod logs_sdk;
#[path = "it/otlp.rs"]
mod otlp;
#[path = "it/process.rs"]
mod process;
#[path = "it/query.rs"]
mod query;
#[path = "it/running.rs"]
mod running;
#[path = "it/safety.rs"]
mod safety;
#[path = "it/spool.rs"]
mod spool;
#[path = "it/store.rs"]
mod store;
#[path = "it/tail.rs"]
mod tail;
#[path = "it/weight.rs"]
mod weight;
