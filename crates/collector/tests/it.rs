//! The collector over real sockets, with real files and a real PostgreSQL.
//!
//! What every store promises stands in one suite, which runs on each: `on_sqlite` and `on_postgres`.

#![recursion_limit = "256"] // of json!, for entries with every field
#![allow(clippy::duplicate_mod, reason = "one suite for every store")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests, and what they share")]

#[path = "it/support.rs"]
mod support;

#[path = "it/bodies.rs"]
mod bodies;
#[path = "it/both_stores.rs"]
mod both_stores;
#[path = "it/browser.rs"]
mod browser;
#[path = "it/chaos/mod.rs"]
mod chaos;
#[path = "it/command.rs"]
mod command;
#[path = "it/cors.rs"]
mod cors;
#[path = "it/deploy.rs"]
mod deploy;
#[path = "it/doctor.rs"]
mod doctor;
#[path = "it/interface.rs"]
mod interface;
#[path = "it/layout.rs"]
mod layout;
#[path = "it/logs_sdk.rs"]
mod logs_sdk;
#[path = "it/on_postgres.rs"]
mod on_postgres;
#[path = "it/on_sqlite.rs"]
mod on_sqlite;
#[path = "it/otlp.rs"]
mod otlp;
#[path = "it/paths.rs"]
mod paths;
#[path = "it/postgres_check.rs"]
mod postgres_check;
#[path = "it/postgres_limits.rs"]
mod postgres_limits;
#[path = "it/postgresql.rs"]
mod postgresql;
#[path = "it/process.rs"]
mod process;
#[path = "it/safety.rs"]
mod safety;
#[path = "it/shared_keys.rs"]
mod shared_keys;
#[path = "it/spool.rs"]
mod spool;
#[path = "it/store.rs"]
mod store;
#[path = "it/terminal.rs"]
mod terminal;
#[path = "it/tls.rs"]
mod tls;
#[path = "it/weight.rs"]
mod weight;
#[path = "it/words.rs"]
mod words;
