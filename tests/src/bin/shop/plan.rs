//! What the shop is told.

use std::path::PathBuf;
use std::time::Duration;

use hoplog::{Client, Durability, EntryBuilder, Level, Spool};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    endpoint: String,
    spool: Option<PathBuf>,
    #[serde(default)]
    write_through: bool,
    /// The spool's cap; its default otherwise.
    max_bytes: Option<u64>,
    /// Its default otherwise.
    queue_bytes: Option<usize>,
    /// Left to the system, which is what a control breaks.
    #[serde(default)]
    never_synced: bool,
    /// A promise is made before it is kept: the control of a rig, which has to see it.
    #[serde(default)]
    pub(crate) promises_early: bool,
    /// How long each note keeps its thread busy: the control of a rig that measures requests.
    #[serde(default)]
    pub(crate) holds_us: u64,
    /// `promise`: how many entries, from which number on, how many wait at a time, and how many a second.
    pub(crate) entries: Option<u64>,
    #[serde(default)]
    pub(crate) first: u64,
    #[serde(default = "one")]
    pub(crate) at_a_time: u64,
    pub(crate) per_second: Option<u32>,
    /// Of the shutdown.
    #[serde(default)]
    deadline_ms: u64,
}

fn one() -> u64 {
    1
}

impl Plan {
    pub(crate) fn read(text: &str) -> Self {
        serde_json::from_str(text).expect("a plan")
    }

    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }

    pub(crate) fn client(&self) -> Client {
        let mut builder = Client::builder()
            .without_variables()
            .endpoint(&self.endpoint)
            .service("shop")
            .flush_interval(Duration::from_millis(20));
        if let Some(bytes) = self.queue_bytes {
            builder = builder.queue_bytes(bytes);
        }
        let Some(dir) = &self.spool else { return builder.build().expect("a client") };
        let mut spool = Spool::new(dir).leave_free(0);
        if let Some(bytes) = self.max_bytes {
            spool = spool.max_bytes(bytes);
        }
        if self.never_synced {
            spool = spool.sync_after(Duration::MAX);
        }
        let durability = if self.write_through { Durability::WriteThrough } else { Durability::Spool };
        builder.spool(spool).durability(durability).build().expect("a client")
    }
}

/// The entry of an order.
pub(crate) fn entry(client: &Client, level: Level, order: u64) -> EntryBuilder {
    client
        .log(level, format!("order {order}"))
        .field("order", order)
        .field("payload", journeys::payload(order))
}
