//! What the `hoplog` command asks of a running collector.
//!
//! ```text
//! arguments ─► filters ─► remote ══ HTTP ══► entry ─┬─► line ────────────┬─► terminal
//!                                                   └─► tree ─► drawing ─┘
//! ```
//!
//! Exit codes, for scripts: 0 something was found; 1 nothing was; 2 the question cannot be asked; 3 the collector is not
//! there, lets nobody in, or failed.

use std::io;
use std::process::ExitCode;

mod drawing;
mod entry;
mod filters;
mod line;
mod query;
mod remote;
mod sse;
mod tail;
pub(crate) mod terminal;
mod tree;

pub(crate) use filters::{Filters, Period};
pub(crate) use query::Query;
pub(crate) use tail::Tail;

/// Why a command ended early: one line that names what to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The question itself is wrong.
    Usage(String),
    /// It was asked in vain.
    Failed(String),
    /// Without another key, it will be in vain again.
    Refused(String),
    /// The collector has nothing there; what to say of that.
    Missing(String),
    /// Nobody reads what is printed: an end, and no failure.
    Closed,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Failed(format!("cannot write: {error}")),
        }
    }
}

impl Failure {
    fn say(why: &str, code: u8) -> ExitCode {
        terminal::note(why);
        ExitCode::from(code)
    }

    pub(crate) fn tell(&self) -> ExitCode {
        match self {
            Self::Closed => ExitCode::SUCCESS,
            Self::Missing(why) => Self::say(why, 1),
            Self::Usage(why) => Self::say(why, 2),
            Self::Failed(why) | Self::Refused(why) => Self::say(why, 3),
        }
    }
}
