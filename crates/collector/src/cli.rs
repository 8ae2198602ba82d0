//! What the `hoplog` command asks of a running collector.
//!
//! ```text
//! arguments ─► filters ─► remote ══ HTTP ══► entry ─┬─► line ────────────┬─► terminal
//!                                                   └─► tree ─► drawing ─┘
//! ```
//!
//! Exit codes: 0 done, also where nothing was found; 1 the collector or the trace is not there; 2 a question that
//! cannot be asked.

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
mod terminal;
mod tree;

pub(crate) use query::Query;
pub(crate) use tail::Tail;

/// Why a command ended early: one line that names what to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The question itself is wrong.
    Usage(String),
    /// It was asked in vain.
    Failed(String),
    /// The collector has nothing there; its words.
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
    pub(crate) fn tell(&self) -> ExitCode {
        match self {
            Self::Closed => ExitCode::SUCCESS,
            Self::Usage(why) => {
                terminal::note(why);
                ExitCode::from(2)
            }
            Self::Failed(why) | Self::Missing(why) => {
                terminal::note(why);
                ExitCode::FAILURE
            }
        }
    }
}
