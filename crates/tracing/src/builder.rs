//! Building a layer: its settings, checked at the end.

use std::sync::Arc;

use hoplog::{LevelFilter, WeakClient};
use tracing_core::Subscriber;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::registry::LookupSpan;

use crate::HoplogLayer;
use crate::filter::EventFilter;
use crate::layer::EventLayer;

/// A layer with settings of its own.
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// let client = hoplog::Client::builder().service("shop").without_collector().console(hoplog::Console::Text).build()?;
/// let layer = hoplog_tracing::builder(&client).levels("info,h2=off").spans().build()?;
/// tracing_subscriber::registry().with(layer).init();
///
/// tracing::info_span!("import").in_scope(|| tracing::debug!("not taken"));
/// assert_eq!(client.stats().accepted, 1, "the span, with its duration");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn builder(client: impl Into<WeakClient>) -> LayerBuilder {
    LayerBuilder { client: client.into(), levels: None, spans: false }
}

/// Configures a layer; see [`builder`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build()`"]
pub struct LayerBuilder {
    client: WeakClient,
    levels: Option<String>,
    spans: bool,
}

impl LayerBuilder {
    /// Takes no more of events and spans than this, in the language of `HOPLOG_LOG`: `info,my_crate=debug,h2=off`; the
    /// client's own levels hold besides. A later call takes the place of an earlier one. Default: what the client
    /// takes, and from `INFO` on where its levels are nowhere set.
    pub fn levels(mut self, directives: impl Into<String>) -> Self {
        self.levels = Some(directives.into());
        self
    }

    /// Makes an entry of each span that is taken, at its close: its name as the message, its fields, and as
    /// `duration_ms` how long it was open. Default: off.
    pub fn spans(mut self) -> Self {
        self.spans = true;
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// Every wrong directive at once.
    pub fn build<S>(self) -> Result<HoplogLayer<S>, hoplog::Error>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let (layer, filter) = self.build_parts()?;
        Ok(Filtered::new(layer, filter))
    }

    /// Likewise, layer and filter by themselves: to be put together in a way of your own.
    ///
    /// # Errors
    /// Every wrong directive at once.
    pub fn build_parts(self) -> Result<(EventLayer, EventFilter), hoplog::Error> {
        let levels = self.levels.as_deref().map(str::parse).transpose()?;
        Ok(self.parts(levels))
    }

    pub(crate) fn parts(self, levels: Option<LevelFilter>) -> (EventLayer, EventFilter) {
        let filter = EventFilter::new(self.client, levels.map(Arc::new));
        (EventLayer::new(filter.clone(), self.spans), filter)
    }
}
