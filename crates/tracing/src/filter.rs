//! Which events and spans there is an interest in: what client and layer take, and nothing of hoplog's own.

use std::sync::Arc;

use hoplog::{Level, LevelFilter, WeakClient};
use tracing_core::{Interest, LevelFilter as Most, Metadata, callsite};
use tracing_log::AsLog as _;
use tracing_subscriber::layer::{Context, Filter};

use crate::level;

/// The crates whose events are never logged.
const OWN: [&str; 6] =
    ["hoplog", "hoplog_entry", "hoplog_tower", "hoplog_actix", "hoplog_reqwest", "hoplog_tracing"];

/// The filter of [`layer`](crate::layer()): lets through what the client takes and the layer's own levels, and follows
/// when the client's change.
#[derive(Debug, Clone)]
pub struct EventFilter {
    client: WeakClient,
    levels: Option<Arc<LevelFilter>>,
}

impl EventFilter {
    pub(crate) fn new(client: WeakClient, levels: Option<Arc<LevelFilter>>) -> Self {
        client.watch_levels(look_again);
        Self { client, levels }
    }

    pub(crate) fn client(&self) -> &WeakClient {
        &self.client
    }

    /// Whether the layer takes it; the client is asked by its logger.
    pub(crate) fn layer_takes(&self, level: Level, target: &str) -> bool {
        let takes = match &self.levels {
            Some(levels) => levels.takes(level, target),
            None => self.client.takes_of_others(level, target),
        };
        takes && !is_own(target)
    }

    fn takes(&self, level: Level, target: &str) -> bool {
        self.layer_takes(level, target) && self.client.takes(level, target)
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let (level, target) = (level(metadata.level()), metadata.target());
        // A span's fields are wanted by more serious events inside of it, if there may be any.
        let wanted = if metadata.is_span() && level >= Level::Info { Level::Error } else { level };
        self.takes(wanted, target)
    }
}

impl<S> Filter<S> for EventFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<Most> {
        let least = match &self.levels {
            Some(levels) => {
                levels.least().zip(self.client.least_level()).map(|(layer, client)| layer.max(client))
            }
            None => self.client.least_level_of_others(),
        };
        Some(match least {
            Some(Level::Trace) => Most::TRACE,
            Some(Level::Debug) => Most::DEBUG,
            // Spans count from here on.
            Some(Level::Info | Level::Warn | Level::Error) => Most::INFO,
            Some(Level::Fatal) | None => Most::OFF,
        })
    }
}

fn is_own(target: &str) -> bool {
    // Most targets are told apart by their first letter.
    target.starts_with("hoplog") && OWN.contains(&target.split("::").next().unwrap_or_default())
}

/// The client's levels have changed: call sites remember what was said before.
fn look_again() {
    let before = Most::current().as_log();
    callsite::rebuild_interest_cache();
    // Who limited `log` as `tracing` is limited wants it so still.
    if tracing_log::log::max_level() == before {
        tracing_log::log::set_max_level(Most::current().as_log());
    }
}
