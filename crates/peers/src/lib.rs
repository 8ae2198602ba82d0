//! hoplog beside what people use for the same today: the same request, the same handler, equal content where the peer
//! can, and a check that each delivered what it was given.
//!
//! ```text
//! subjects ─► one process each: global subscribers and hubs meet nobody else's
//!   axum_apps   a Router and what stands around it      ─► benches/peers             ns, in turns
//!   actix_apps  an App and what stands around it        ─► benches/peers_allocations  allocations, bytes
//!   sinks       where each delivers to, and how often
//! ```
//!
//! Peers are set up as their own documentation says, with their batching exporters, and a sink in the place of the
//! network: what is measured is the request's own thread.
#![expect(clippy::print_stdout, reason = "that is what a bench is for")]

pub mod actix_apps;
pub mod axum_apps;
pub mod sinks;

use std::hint::black_box;

use sinks::Delivered;

/// Runs what it is given, and measures it.
pub type Measure<'a> = &'a mut dyn FnMut(&mut dyn FnMut());

/// A service that answers the request of the comparison, and what it has delivered.
pub struct Subject {
    /// Answers so many requests on this thread; what makes them is not measured.
    pub serve: Box<dyn FnMut(u32, Measure<'_>)>,
    /// Pushes what is under way and tells how much has arrived; `None` where nothing is to.
    pub delivered: Option<Delivered>,
}

/// Everybody of the comparison; the first of each framework is the bare one.
pub const SUBJECTS: [&str; 16] = [
    "axum_bare",
    "axum_empty_layer",
    "axum",
    "fastrace",
    "opentelemetry_traces",
    "opentelemetry_logs",
    "sentry_tower",
    "tower_http_json",
    "tower_http_json_20_fields",
    "emit_otlp",
    "outlet",
    "actix_bare",
    "actix",
    "actix_logger",
    "tracing_actix_web",
    "sentry_actix",
];

/// The subject of this name.
///
/// # Panics
/// There is none, or it cannot be set up.
#[must_use]
pub fn subject(name: &str) -> Subject {
    match name {
        "actix_bare" | "actix" | "actix_logger" | "tracing_actix_web" | "sentry_actix" => {
            actix_apps::subject(name)
        }
        _ => axum_apps::subject(name),
    }
}

/// The bare one of its framework.
#[must_use]
pub fn bare(name: &str) -> &'static str {
    if name.contains("actix") { "actix_bare" } else { "axum_bare" }
}

/// What its figures' names begin with: hoplog's own are those of its other benches.
#[must_use]
pub fn figure_name(name: &str) -> String {
    match name {
        "axum" | "actix" | "axum_empty_layer" => name.to_owned(),
        _ => format!("peer.{name}"),
    }
}

/// The handler's answer, the same for all.
#[must_use]
pub fn answer() -> &'static str {
    black_box("ok")
}
