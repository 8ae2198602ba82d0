//! hoplog's collector: takes entries in over HTTP, keeps them in SQLite, answers questions about them.
//!
//! ```text
//! POST /logs ─► guard ─► ingest: wire ─► inflate ─► envelope ─► entry ─┐ Batch
//!                                                                      ▼
//!                                          store::sqlite: writer ─► one file per UTC day
//!                                                                      ▲
//! GET  /api/… ─► guard ─► query: params ─► Search ────────► readers ───┘
//! ```
//!
//! A batch is answered with 200 only once every entry in it is committed, or refused by name. Nothing grows
//! without a bound: connections, header and body sizes and times, inflated bytes, entries, queries.
//!
//! ```no_run
//! # async fn example() -> Result<(), hoplog_collector::StartError> {
//! use hoplog_collector::{Collector, Config};
//!
//! let config = Config::default().listen("127.0.0.1:0".parse().expect("an address")).data_dir("./hoplog-data");
//! let running = Collector::start(config).await?;
//! println!("http://{}", running.local_addr());
//! running.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod budget;
mod config;
mod error;
mod fields;
mod http;
mod ingest;
mod json;
mod metrics;
mod query;
mod server;
mod store;
mod time;

pub use config::{Config, Limits};
pub use error::StartError;
pub use server::{Collector, Running};
