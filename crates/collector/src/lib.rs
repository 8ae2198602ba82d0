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
//! What becomes of an entry on its way:
//!
//! - Without a kind (or with one that is not known) it is a `request` if it has a method or a status, else an `event`.
//! - A value that does not fit its field, and a member that is no field, is kept under `metadata`.
//! - `NaN`, `Infinity` and `-Infinity`, which Python writes, become null; the entry then says `replaced_values` among
//!   its `hoplog_flags`.
//! - One of kind `running` is shown until the entry that its `exchange_id` names is stored, and in no answer from then
//!   on but by its own id.
//! - It counts as often as its `weight` says, from 0 to 1 000 000, once without one.
//!
//! `GET /api/v1/logs` filters by `service level path route method status trace_id request_id user_id session_id
//! tenant_id client_type ip outcome kind slow q from to` and `metadata.<name>`; `kind` takes several with commas
//! between, `slow` is `true` or `false`, `ip` is an address or the text that stands in its place.
//!
//! `GET /api/v1/tail` takes the same filters, but for times, and answers with server-sent events: each entry as `data`
//! when it has arrived; `skipped` with the number of `entries` that were not looked at, where a follower takes them more
//! slowly than they arrive; `end` with a `detail`.
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
