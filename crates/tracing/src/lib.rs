//! `tracing` events, and `log` records, as hoplog entries: with the trace, the user and the fields of the request that
//! they were written in, and the fields of their spans.
//!
//! ```
//! use tracing_subscriber::prelude::*;
//!
//! let client = hoplog::Client::builder().service("shop").without_collector().console(hoplog::Console::Text).build()?;
//! tracing_subscriber::registry().with(hoplog_tracing::layer(client.clone())).init();
//!
//! let span = tracing::info_span!("checkout", cart = 7);
//! span.in_scope(|| tracing::info!(total = 9.5, "order placed"));
//! log::warn!("low on tea");
//! assert_eq!(client.stats().accepted, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```text
//! span ──► its fields, judged once, as bytes ──┐
//! span.record(…) ── in their place ────────────┤ root to leaf
//! event ─► filter ─► entry of this request ◄───┘ ◄─ the event's own fields ─► queue
//!            └ levels of the client, and of the layer
//! ```
//!
//! # What an entry has
//! | of the event | in the entry |
//! |---|---|
//! | level | `level`; `tracing` has no `FATAL` |
//! | message | `message`; without one the text of its `error` or `err`, else its name |
//! | target | `target`: what levels go by |
//! | module | `function_name`: `tracing` knows modules, not functions |
//! | file, line | `file_path`, `line` |
//! | a field | a field of the same name: numbers, yes and no as they are, `?` and `%` as texts |
//! | `error` or `err`, given as `&dyn Error` | `error_type` as far as its `Debug` tells it, `error_message`, and in `stack_trace` its sources |
//! | its spans | their fields, an inner one's in the place of an outer one's; `spans`: their names, root to leaf |
//!
//! Fields and messages are masked as those of hoplog's logger are. An entry takes 256 fields from its event, and 64 (32
//! KiB) from each of its 64 innermost spans; it counts the others as `fields_left_out`.
//!
//! # Which request
//! The current one ([`hoplog::current`]). A thread that is in none, but in a span that was made in one, logs for that
//! request: a spawned task that is `.instrument`ed, a thread that enters a span. A span's own entry is of the request
//! that it was made in, whoever closes it. At most
//! [`max_events_per_request`](hoplog::ClientBuilder::max_events_per_request) entries are taken for one.
//!
//! With the feature `opentelemetry`, trace and span of OpenTelemetry's current context go before the request's, which
//! is linked. `tracing-opentelemetry` makes a span's context current while the span is entered.
//!
//! # Which events
//! Those that the client takes: [`min_level`](hoplog::ClientBuilder::min_level),
//! [`min_level_of`](hoplog::ClientBuilder::min_level_of), `HOPLOG_LOG=info,h2=off`. Where none of them says a level
//! overall, from `INFO` on: libraries tell their every step. [`LayerBuilder::levels`] sets another for what comes by
//! `tracing`. Other layers see what they would without this one. Events that no layer wants cost what a look at an atomic
//! costs.
//!
//! Spans are kept from `INFO` on, whatever the least level, unless their target is `off`: a warning has the fields of
//! the spans around it.
//!
//! What hoplog's own threads do is not logged, nor what hoplog's crates say. An event that is written while the values
//! of another one are read is logged too; one within that one is left out and counted as `rate_limited_local`.
//!
//! # With other layers and filters
//! [`layer`] is an [`EventLayer`] behind an [`EventFilter`], a per-layer filter. A filter of your own goes on top by
//! `with_filter`; in the place of this one, of the [`EventLayer`] that [`LayerBuilder::build_parts`] gives. To exchange the client behind a
//! `reload` handle, wrap the [`EventLayer`], or `modify` both parts: `tracing-subscriber` does not register a filtered
//! layer that comes later.
//!
//! # Troubleshooting
//! | sign | cause |
//! |---|---|
//! | nothing is logged | the client is gone: the layer does not keep it alive, hold a handle until the end |
//! | an event has no request | it was written in a spawned task: spawn `future.in_current_context()`, of [`hoplog::InCurrentContext`], or in a span |
//! | a span's fields are missing | it is of a level below `INFO` and below what is taken |
//! | a background task falls silent | it was spawned in a span of a request, and has logged what one request may: spawn it with `parent: None` |
//! | `log` records are missing | nobody turns them into events: `tracing_log::LogTracer::init()`, or `init()` of a `tracing-subscriber` with its feature `tracing-log` |
//!
//! # Features
//! `opentelemetry`: see above. `tls` (default): HTTPS to the collector. `proxy` (default): `HTTPS_PROXY` and its kin are
//! honoured.

mod builder;
mod filter;
mod layer;
#[cfg(feature = "opentelemetry")]
mod otel;
mod span;
mod values;

pub use builder::{LayerBuilder, builder};
pub use filter::EventFilter;
use hoplog::WeakClient;
pub use layer::EventLayer;
use tracing_core::{Level, Subscriber};
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::registry::LookupSpan;

/// What [`layer`] makes: entries of what the filter lets through.
pub type HoplogLayer<S> = Filtered<EventLayer, EventFilter, S>;

/// A layer that hands events to the client, as entries. It does not keep the client alive: once that is gone, events
/// are passed over.
#[must_use = "a layer does nothing until it is part of a subscriber"]
pub fn layer<S>(client: impl Into<WeakClient>) -> HoplogLayer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let (layer, filter) = builder(client).parts(None);
    Filtered::new(layer, filter)
}

/// hoplog's word for a level.
fn level(of: &Level) -> hoplog::Level {
    match *of {
        Level::TRACE => hoplog::Level::Trace,
        Level::DEBUG => hoplog::Level::Debug,
        Level::INFO => hoplog::Level::Info,
        Level::WARN => hoplog::Level::Warn,
        Level::ERROR => hoplog::Level::Error,
    }
}
