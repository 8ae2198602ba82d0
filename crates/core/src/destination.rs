//! Where entries go. Each destination is a task of the worker with an inbox of chunks; one that is slow or down holds
//! up no other, and each counts in a ledger of its own.
//!
//! Memory is shared fairly: one that stands still may hold its [`share`] of the chunks, and loses what comes beyond.

mod dialect;
mod entry;
mod file;
mod filter;
mod inbox;
mod lines;
mod memory;
mod own;
mod parcel;
mod remote;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::count::Count;
use crate::ledger::{Home, Ledger};
use crate::open_requests::Reporter;
use crate::pipeline::Pipeline;
use hoplog_entry::{Diagnostics, Record, SpanId};

pub(crate) use dialect::DialectConfig;
pub use entry::Entry;
pub(crate) use file::{Every, FilePlan, Keep, RealDisk, Rotation, Zone};
pub(crate) use filter::{Filter, Gate};
pub(crate) use hoplog_entry::spool::Source;
pub(crate) use inbox::{Inbox, Mail, Message, inbox};
pub(crate) use lines::{Form, Lines, Sink};
pub(crate) use memory::Memory;
pub(crate) use own::Own;
pub use own::{Batch, Delivery, Destination};
pub(crate) use parcel::{Holding, Parcel, share};
pub(crate) use remote::{BatchLimits, Remote, RemoteConfig, SpoolPlan};

/// What every destination works with.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) name: Arc<str>,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) source: Arc<Source>,
    pub(crate) diagnostics: Arc<Diagnostics>,
    pub(crate) gate: Arc<Gate>,
}

impl Surroundings {
    /// Whether the destination is to have this entry of this process; if not, that is its fate, and counted. To be asked
    /// one time per entry, before anything else is counted of it.
    pub(crate) fn takes(&self, record: &Record<'_>, home: Home) -> bool {
        self.takes_of(&self.source, record, home)
    }

    /// Likewise, of an entry that another process may have written.
    pub(crate) fn takes_of(&self, source: &Source, record: &Record<'_>, home: Home) -> bool {
        let takes = self.gate.takes(record, source, &self.diagnostics);
        if !takes {
            self.ledger.filtered(home, Count::one(record.bytes()));
        }
        takes
    }
}

/// A destination with its name and what it takes, before its task runs.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) name: String,
    pub(crate) filter: Filter,
    pub(crate) prepared: Prepared,
}

impl Planned {
    /// The one destination of a client whose entries stay in memory.
    pub(crate) fn memory(memory: Memory) -> Self {
        Self { name: "memory".into(), filter: Filter::default(), prepared: Prepared::Memory(memory) }
    }

    /// Who tells of processes that died, if somebody does.
    pub(crate) fn reporter(&self) -> Option<&Reporter> {
        let Prepared::Remote(config) = &self.prepared else { return None };
        config.spool.as_ref()?.reporter.as_deref()
    }

    /// Gives what serves one client only to the one that is built; a complaint where another has it.
    pub(crate) fn give(&self) -> Option<String> {
        let own = if let Prepared::Own(own) = &self.prepared { own } else { return None };
        let taken = !own.give();
        taken.then(|| format!("`destination` `{}` serves another client: make one for each", self.name))
    }
}

/// What a destination is, checked and ready to run.
#[derive(Debug, Clone)]
pub(crate) enum Prepared {
    Remote(Box<RemoteConfig>),
    Lines(Lines),
    Memory(Memory),
    Own(Own),
}

impl Prepared {
    /// The most bytes that it holds of entries, beside those that are in the queue's chunks.
    pub(crate) fn ceiling(&self) -> usize {
        match self {
            Self::Remote(config) => config.ceiling(),
            Self::Lines(_) => Lines::CEILING,
            // What the application's own code holds is its own; memory is for tests.
            Self::Memory(_) | Self::Own(_) => 0,
        }
    }

    /// Works until its inbox is closed.
    pub(crate) async fn run(self, inbox: Inbox, around: Surroundings) {
        match self {
            Self::Remote(config) => Remote::new(*config, around).run(inbox).await,
            Self::Lines(lines) => lines.run(inbox, around).await,
            Self::Memory(memory) => memory.run(inbox, around).await,
            Self::Own(own) => own.run(inbox, around).await,
        }
    }
}

/// Uniform in 0..=1; ids are random enough to spread clients.
fn random() -> f64 {
    let bits = u64::from_le_bytes(*SpanId::generate().as_bytes());
    (bits >> 11) as f64 / ((1u64 << 53) - 1) as f64
}

/// The time by the runtime's clock, which tests move by hand.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => tokio::time::sleep(Duration::MAX).await,
    }
}
