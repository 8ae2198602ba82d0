//! hoplog's collector: takes entries in over HTTP, keeps them in SQLite, answers questions about them.
//!
//! ```text
//! POST /logs ─► guard ─► ingest: wire ─► inflate ─┬► envelope ───────► entry ─┐ Batch
//! POST /v1/logs …                                 └► otlp, logs_sdk ───┘     ▼
//!                                                store::sqlite: writer ─► one file per UTC day
//!                                                                            ▲
//! GET  /api/… ─► guard ─► query: params ─► Search ──────────────► readers ───┘
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
//! - `device_type` (`desktop`, `mobile`, `tablet`, `bot`), `browser`, `browser_version`, `os_name` and `os_version` are
//!   read from `user_agent` where it does not say them, but for outgoing calls.
//! - One of kind `running` is shown until the entry that its `exchange_id` names is stored, and in no answer from then
//!   on but by its own id.
//! - Marked `"deleted": true` in a batch without `source`, it is kept and in no answer.
//! - It counts as often as its `weight` says, from 0 to 1 000 000, once without one.
//!
//! `GET /api/v1/logs` filters by `service level min_level path route method status trace_id request_id user_id session_id
//! tenant_id client_type ip outcome kind slow min_duration_ms q from to` and `metadata.<name>`; `kind` takes several with
//! commas between, `slow` is `true` or `false`, `ip` is an address or the text that stands in its place, `q` is words and
//! `"phrases"` that all occur, `from` and `to` are RFC 3339, Unix seconds or `-15m`. `histogram`, `traces`, `errors`,
//! `export` and `DELETE /api/v1/logs` take the same filters.
//!
//! `GET /api/v1/completeness?service=&from=&to=` answers whether what was sent is here, per life of a sending process
//! that was heard of in that time (by default the last 24 hours), the latest first, at most 1 000:
//!
//! ```text
//! {"from": …, "to": …, "complete": false, "missing": 7, "dropped": 12, "ended_abruptly": 1, "truncated": false,
//!  "senders": [{"boot_id": "0199…", "service": "shop", "source": {"service": "shop", "host": "h1", "pid": 7, …},
//!    "first_seen": …, "last_seen": …, "ended": "running" | "closed" | "abruptly", "batches": 42,
//!    "accepted": …, "delivered": …, "dropped": {"queue_full_newest": 12}, "sampled": 0,    as the sender counts
//!    "stored": …, "duplicates": …, "id_conflicts": 0, "rejected": 0,                       as the collector counts
//!    "missing": 7, "gaps": [{"first": 10, "last": 16, "entries": 7}],                      what seq tells
//!    "losses": [{"at": …, "reason": "queue_full_newest", "entries": 12}]}]}
//! ```
//!
//! Times are Unix seconds. `missing` was sealed by the sender and has not come: it may be on its way, it may be among
//! `dropped`, or it went down with the process. `abruptly` means three minutes of silence without a closing word.
//!
//! `GET /api/v1/tail` takes the same filters, but for times, and answers with server-sent events: each entry as `data`
//! when it has arrived; `skipped` with the number of `entries` that were not looked at, where a follower takes them more
//! slowly than they arrive; `end` with a `detail`. An event's id, shown again as `Last-Event-ID`, goes on behind it.
//!
//! Keys are made by `hoplog keys create`, which [`Keys`] does in a program. As long as there is none, loopback may do
//! everything and nobody else anything. A project is a store of its own; a key opens one.
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
mod floor;
mod http;
mod ingest;
mod json;
mod keys;
mod metrics;
mod offline;
mod openapi;
mod query;
mod server;
mod settings;
mod store;
mod time;

pub use config::{Config, Limits};
pub use error::StartError;
pub use floor::DiskSpace;
pub use keys::admin::{Keys, ListedKey, MadeKey, NewKey};
pub use offline::OfflineStore;
pub use server::{Collector, Running};
/// The newest layout of a day's file that this version reads.
pub const STORE_LAYOUT: i64 = store::sqlite::LAYOUT;

pub use settings::{Complaints, Effective, Settings};
pub use store::postgres::Indexes as PostgresIndexes;
