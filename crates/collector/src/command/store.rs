//! `hoplog store`: looks into a store, takes entries out of it. A database has room for it beside collectors; SQLite's files
//! are one process's: while a collector runs on them, ask it (`GET /api/v1/export`, `DELETE /api/v1/logs`).
//!
//! Exit codes: 0 done; 1 it could not be done, or a check found something; 2 a wrong call.

use super::keys::Place;
use crate::cli::{Filters, Period};
use clap::{Args, Subcommand};
use hoplog_collector::{OfflineStore, StartError};
use hoplog_entry::Visible;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::SystemTime;

/// Looks into a store, and takes entries out of it.
#[derive(Subcommand)]
pub(crate) enum Store {
    /// Counts by level and by service, as JSON.
    Stats(Which),
    /// Reads all of it and says what is wrong; changes nothing, also beside a collector.
    Check(Which),
    /// Prints a line of JSON per entry that meets the filters, newest first.
    Export(Entries),
    /// Takes the entries that meet the filters out for good. Says first how many those are, unless --yes is passed.
    Delete {
        #[command(flatten)]
        what: Entries,
        /// Deletes; without it, nothing is changed.
        #[arg(long)]
        yes: bool,
    },
}

/// Which store.
#[derive(Args)]
pub(crate) struct Which {
    #[command(flatten)]
    place: Place,
    /// The project's name.
    #[arg(long, value_name = "NAME", default_value = "default")]
    project: String,
}

/// Which entries.
#[derive(Args)]
pub(crate) struct Entries {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    period: Period,
}

impl Which {
    async fn open(self) -> Result<OfflineStore, StartError> {
        OfflineStore::of(self.place.config()?, &self.project).await
    }
}

impl Entries {
    fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = self.filters.pairs();
        pairs.extend(self.period.pairs(SystemTime::now()));
        pairs
    }
}

impl Store {
    pub(crate) fn run(self) -> ExitCode {
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return crate::fail(&format!("cannot start threads: {error}")),
        };
        runtime.block_on(self.act()).unwrap_or_else(|error| crate::fail(&error.to_string()))
    }

    async fn act(self) -> Result<ExitCode, StartError> {
        match self {
            Self::Stats(which) => say(&format!("{}\n", which.open().await?.stats().await?)),
            Self::Check(which) => {
                let files = which.open().await?.check().await?;
                let mut text = String::new();
                for (name, complaints) in &files {
                    let said = if complaints.is_empty() { "ok".to_owned() } else { complaints.join("; ") };
                    text.push_str(&format!("{} {}\n", Visible(name), Visible(&said)));
                }
                say(&text);
                let whole = files.iter().all(|(_, complaints)| complaints.is_empty());
                return Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            Self::Export(what) => {
                let pairs = what.pairs();
                what.which
                    .open()
                    .await?
                    .export(pairs, |text| io::stdout().lock().write_all(text.as_bytes()))
                    .await?;
            }
            Self::Delete { what, yes } => {
                let pairs = what.pairs();
                let entries = what.which.open().await?.delete(pairs, !yes).await?;
                say(&match yes {
                    true => format!("{entries} entries are deleted\n"),
                    false => format!("{entries} entries would be deleted: pass --yes to do it\n"),
                });
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn say(text: &str) {
    // With stdout gone there is nobody to tell.
    let _ = io::stdout().lock().write_all(text.as_bytes());
}
