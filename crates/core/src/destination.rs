//! Where entries go. Each destination is a task of the worker with an inbox of chunks; one that is slow or down holds
//! up no other, and each counts in a ledger of its own.

mod dialect;
mod inbox;
mod lines;
mod memory;
mod remote;

use std::sync::Arc;

use crate::encode::json;
use crate::ledger::Ledger;
use crate::pipeline::Pipeline;
use hoplog_entry::Diagnostics;

pub(crate) use dialect::DialectConfig;
pub(crate) use inbox::{Inbox, Mail, Message, inbox};
pub(crate) use lines::{Form, Lines, Sink};
pub(crate) use memory::Memory;
pub(crate) use remote::{BatchLimits, Remote, RemoteConfig};

/// What is the same for all entries of this process; stands once per batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    pub(crate) service: String,
    pub(crate) environment: String,
    pub(crate) service_version: String,
    pub(crate) log_type: Option<String>,
    pub(crate) host: String,
    pub(crate) pid: u32,
}

impl Source {
    /// `,"service":…` and so on, to be put into an object that has a member already.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        let mut text = |key: &str, value: &str| {
            out.extend_from_slice(key.as_bytes());
            json::string(out, value);
        };
        text(",\"service\":", &self.service);
        text(",\"environment\":", &self.environment);
        text(",\"service_version\":", &self.service_version);
        if let Some(log_type) = &self.log_type {
            text(",\"log_type\":", log_type);
        }
        text(",\"host\":", &self.host);
        text(",\"sdk\":", "hoplog-rust");
        text(",\"sdk_version\":", env!("CARGO_PKG_VERSION"));
        out.extend_from_slice(b",\"pid\":");
        json::uint(out, self.pid.into());
    }
}

/// What every destination works with.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) source: Arc<Source>,
    pub(crate) diagnostics: Arc<Diagnostics>,
}

/// A destination before its task runs.
#[derive(Debug, Clone)]
pub(crate) enum Destination {
    Remote(Box<RemoteConfig>),
    Lines(Lines),
    Memory(Memory),
}

impl Destination {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Remote(config) => config.dialect.name(),
            Self::Lines(lines) => lines.name(),
            Self::Memory(_) => "memory",
        }
    }

    /// Works until its inbox is closed.
    pub(crate) async fn run(self, inbox: Inbox, around: Surroundings) {
        match self {
            Self::Remote(config) => Remote::new(*config, around).run(inbox).await,
            Self::Lines(lines) => lines.run(inbox, around).await,
            Self::Memory(memory) => memory.run(inbox, around).await,
        }
    }
}
