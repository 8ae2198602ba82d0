//! A client that is not kept alive.

use std::sync::{Arc, Weak};

use hoplog_entry::{DropReason, Level};

use super::Client;
use crate::logger::{EntryBuilder, FieldWriter, Origin, SharedFields};
use crate::pipeline::Pipeline;

/// A client for what outlives it, as a global subscriber does: it does not keep it alive, and does nothing once it is
/// gone. For glue crates; made by [`Client::downgrade`], or from a client.
#[derive(Debug, Clone, Default)]
pub struct WeakClient {
    pipeline: Weak<Pipeline>,
}

impl Client {
    /// This client, not kept alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakClient {
        WeakClient { pipeline: self.pipeline().map(Arc::downgrade).unwrap_or_default() }
    }
}

impl From<&Client> for WeakClient {
    fn from(client: &Client) -> Self {
        client.downgrade()
    }
}

impl From<Client> for WeakClient {
    fn from(client: Client) -> Self {
        client.downgrade()
    }
}

impl WeakClient {
    /// Whether there is a client still. Costs a look at a counter.
    #[inline]
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.pipeline.strong_count() > 0
    }

    /// [`Client::takes`]; false once the client is gone.
    #[must_use]
    pub fn takes(&self, level: Level, target: &str) -> bool {
        self.pipeline.upgrade().is_some_and(|pipeline| pipeline.levels.takes(level, target))
    }

    /// Likewise, for what was said to another log, where libraries tell their every step: from `INFO` on, where nobody
    /// set a level.
    #[must_use]
    pub fn takes_of_others(&self, level: Level, target: &str) -> bool {
        self.pipeline.upgrade().is_some_and(|pipeline| pipeline.levels.takes_of_others(level, target))
    }

    /// The least serious level that is taken from any target; `None` where nothing is.
    #[must_use]
    pub fn least_level(&self) -> Option<Level> {
        self.pipeline.upgrade()?.levels.least()
    }

    /// Likewise, of what was said to another log.
    #[must_use]
    pub fn least_level_of_others(&self) -> Option<Level> {
        self.pipeline.upgrade()?.levels.least_of_others()
    }

    /// Calls `changed` whenever a reload changed the levels: for what remembers them.
    pub fn watch_levels(&self, changed: fn()) {
        if let Some(pipeline) = self.pipeline.upgrade() {
            pipeline.levels.watch(changed);
        }
    }

    /// An entry that has no message so far: [`EntryBuilder::write`] gives it one.
    pub fn log_from(&self, level: Level, origin: &Origin<'_>) -> EntryBuilder {
        EntryBuilder::unsaid(self.pipeline.upgrade(), level, origin)
    }

    /// Fields that many entries will share, judged once by this client's rules.
    pub fn shared_fields(&self, write: impl FnOnce(&mut FieldWriter<'_>)) -> SharedFields {
        self.pipeline.upgrade().map(|pipeline| SharedFields::new(&pipeline, write)).unwrap_or_default()
    }

    /// Counts an entry that was not taken, in [`Stats::refused`](crate::Stats::refused).
    pub fn leave_out(&self, reason: DropReason) {
        if let Some(pipeline) = self.pipeline.upgrade() {
            pipeline.queue.leave_out(reason);
        }
    }
}
