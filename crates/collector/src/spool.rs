//! `hoplog spool`: what a spool on this machine holds, without the process that writes it.
//!
//! ```text
//! directory ─► survey ─┬─► status      by names and lengths
//!                      └─► reading ─┬─► check    every byte
//!                                   ├─► export   every entry, as a line of JSON
//!                                   └─► repair   a plan, carried out only if told
//! ```
//!
//! Nothing is written but by `repair --apply`. Exit codes: 0 nothing to put right; 1 damage was found, or the spool
//! cannot be read; 2 a wrong call.

mod export;
mod json;
mod reading;
mod repair;
mod report;
mod survey;

use clap::Subcommand;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// Inspects a spool: entries that an application keeps on disk until they are delivered.
#[derive(Debug, Subcommand)]
pub(crate) enum Spool {
    /// Who writes to it, and how much is there. Reads names and lengths alone.
    Status {
        /// The spool's directory.
        dir: PathBuf,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Reads every byte and says what is damaged.
    Check {
        /// The spool's directory.
        dir: PathBuf,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Prints every entry that can be read as a line of JSON, in the form that POST /logs takes.
    Export {
        /// The spool's directory.
        dir: PathBuf,
        /// Also entries that are noted as delivered, and those in the quarantine.
        #[arg(long)]
        all: bool,
    },
    /// Says what it would put right: damaged bytes moved to the quarantine, torn tails cut, broken hints removed.
    ///
    /// Segments of living processes, and of versions that are not known, are left alone.
    Repair {
        /// The spool's directory.
        dir: PathBuf,
        /// Does it.
        #[arg(long)]
        apply: bool,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
}

impl Spool {
    /// Runs it, and says what went wrong.
    pub(crate) fn run(self) -> ExitCode {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let ran = match self {
            Self::Status { dir, json } => report::status(&dir, json, &mut out),
            Self::Check { dir, json } => report::check(&dir, json, &mut out),
            Self::Export { dir, all } => export::run(&dir, all, &mut out),
            Self::Repair { dir, apply, json } => repair::run(&dir, apply, json, &mut out),
        };
        let flushed = out.flush();
        match ran.and_then(|sound| flushed.map(|()| sound)) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            // Nobody reads on: an end, and no failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => {
                let _ = writeln!(io::stderr(), "hoplog: {error}");
                ExitCode::FAILURE
            }
        }
    }
}
