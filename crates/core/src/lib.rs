//! hoplog logs every hop an HTTP request makes.
//!
//! This crate is what the middleware crates (`hoplog-tower`, `hoplog-actix`, `hoplog-reqwest`) stand on: it captures a
//! request as one flat record, keeps secrets out of it, queues it in bounded memory, and has a worker thread deliver
//! it in compressed batches. The request's thread does no I/O and never waits.
//!
//! ```text
//! request ─► capture ─► redact ─► record ─► queue ═══ worker ═══► batch ─► encode ─► transport ─► collector
//!                          (request's thread)    │   (its own thread)        └─► console, file
//!                                                └ full: dropped and counted
//! ```
//!
//! ```
//! use std::time::Duration;
//!
//! let client = hoplog::Client::builder()
//!     .endpoint("http://127.0.0.1:8000")
//!     .service("shop")
//!     .build()?;
//! client.info("order placed").field("order_id", 42).send();
//! client.flush_blocking(Duration::from_millis(100))?; // nobody listens there; the entry stays queued
//! assert_eq!(client.stats().accepted, 1);
//! # client.flush_blocking(Duration::ZERO)?;
//! # Ok::<(), hoplog::Error>(())
//! ```
//!
//! # Promises
//! - No call does I/O, waits for it, or panics on the request's thread. An entry is copied under a lock that is held for
//!   nanoseconds; a system call happens once per batch, to wake the worker.
//! - Memory is bounded in bytes and entries; what does not fit is dropped, newest first unless [`Overflow`] says
//!   otherwise, and counted by reason in [`Client::stats`]. A tenth is reserved for errors.
//! - Secrets are masked before an entry is written; the whole value goes.
//! - A batch is sent until it is answered; the collector recognises what it has already. What is in memory when the
//!   process is killed is lost; [`ClientBuilder::spool`] keeps it on the disk, and [`EntryBuilder::durable`] waits for that.

#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod capture;
mod client;
mod clock;
mod config;
mod context;
mod count;
mod destination;
mod durable;
mod encode;
mod error;
mod error_chain;
mod failpoint;
mod ledger;
mod level_filter;
mod logger;
mod macros;
mod open_requests;
mod panic_hook;
mod pipeline;
mod queue;
mod redact;
mod scan;
#[cfg(feature = "signal")]
mod signal;
mod spool;
mod sync;
pub mod testing;
mod transport;
mod worker;

pub use capture::{
    Bodies, ErrorReport, Exchange, HeaderName, HeaderNames, KeepOpen, LazyName, RequestHead, RequestTap,
    Requests, RouteRules, Statuses, TraceMode, Trust,
};
pub use client::{Client, FlushReport, ShutdownReport, WeakClient};
#[cfg(feature = "otlp")]
pub use config::Otlp;
#[cfg(feature = "toml")]
pub use config::Reloaded;
pub use config::{
    ClientBuilder, Compression, Console, Durability, LineFormat, LogCollector, LogFile, Network, Output,
    Overflow, Spool,
};
pub use context::{
    Context, ContextGuard, InCurrentContext, Scope, WithContext, WithScope, current, in_current_context,
    scope,
};
pub use destination::{Batch, Delivery, Destination, Entry};
pub use durable::{Durable, NotDurable};
pub use error::Error;
pub use error_chain::{error_chain, error_sources, error_text};
pub use hoplog_entry::forwarded::ForwardedBy;
pub use hoplog_entry::{DropReason, EntryId, Kind, Level, Outcome, SpanId, TraceId};
pub use ledger::{DestinationBytes, DestinationStats, Drops, SpoolStats, Stats};
pub use level_filter::LevelFilter;
#[doc(hidden)]
pub use logger::function_of as __function_of;
pub use logger::{
    EntryBuilder, FieldWriter, Noted, Origin, Refusal, Refused, SharedFields, TimedFuture, Timer,
};
pub use redact::{ClientIp, Detector, Place, Redaction, Treatment};
#[cfg(feature = "signal")]
pub use signal::shutdown_signal;
pub use worker::is_worker_thread;
