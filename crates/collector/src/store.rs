//! What the collector asks of the store of one project ([`projects`]). One trait; SQLite is the first behind it.
//!
//! Requests are values ([`Batch`], [`Search`]); each store compiles them to its own language. Answers are entries
//! as finished JSON text, since the collector passes them on and never looks inside.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

pub(crate) mod batch;
pub(crate) mod completeness;
pub(crate) mod deletion;
pub(crate) mod errors;
pub(crate) mod figures;
pub(crate) mod follow;
pub(crate) mod histogram;
pub(crate) mod open;
pub(crate) mod postgres;
pub(crate) mod projects;
mod retention;
mod routes;
pub(crate) mod search;
pub(crate) mod shown;
mod signature;
pub(crate) mod sqlite;
mod tally;
pub(crate) mod traces;

use batch::{Batch, Verdict};
use completeness::{Accounts, Question};
use deletion::{Deleted, Deletion};
use errors::{ErrorListing, ErrorSearch};
use figures::{RouteFigures, ServiceFigures, Totals};
use follow::{News, Position};
use histogram::{Bars, HistogramSearch};
use hoplog_entry::EntryId;
use search::{Filter, Listing, Period, Search, TraceKey};
use traces::{TraceListing, TraceSearch};

/// An answer to come. Dropping it gives up a query; a write goes on.
pub(crate) type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps the entries of one project and finds them.
pub(crate) trait Store: Send + Sync + 'static {
    /// Commits a batch; the verdicts stand in the order of its rows. An answer means that the rows outlive the
    /// process and the machine's power.
    fn write(&self, batch: Batch) -> Reply<'_, Vec<Verdict>>;

    /// One page of entries, newest first.
    fn search(&self, search: Search) -> Reply<'_, Listing>;

    /// One entry.
    fn entry(&self, id: EntryId) -> Reply<'_, Option<String>>;

    /// The entries of a trace, oldest first.
    fn trace(&self, key: TraceKey) -> Reply<'_, Listing>;

    /// A page of traces, newest first.
    fn traces(&self, search: TraceSearch) -> Reply<'_, TraceListing>;

    /// Counts over time.
    fn histogram(&self, search: HistogramSearch) -> Reply<'_, Bars>;

    /// Errors by what makes them the same one.
    fn errors(&self, search: ErrorSearch) -> Reply<'_, ErrorListing>;

    /// Takes entries out for good, or says how many there are. Others are written meanwhile; given up half-way, what
    /// is gone is gone.
    fn delete(&self, deletion: Deletion) -> Reply<'_, Deleted>;

    /// What arrived since, of what passes the filter; without a position, where to begin.
    fn follow(&self, filter: Filter, since: Option<Position>) -> Reply<'_, News>;

    /// What each route did.
    fn routes(&self, period: Period) -> Reply<'_, Vec<RouteFigures>>;

    /// The services that sent something, most entries first.
    fn services(&self) -> Reply<'_, Vec<ServiceFigures>>;

    /// What is known of the senders that were heard of in a period.
    fn senders(&self, question: Question) -> Reply<'_, Accounts>;

    /// Counts over everything, and the errors since a time (microseconds).
    fn totals(&self, errors_since: i64) -> Reply<'_, Totals>;

    /// Whether entries can be taken right now.
    fn ready(&self) -> Reply<'_, ()>;

    /// Commits what is under way and lets go of the files.
    fn close(&self) -> Reply<'_, ()>;
}

/// Why a store did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// Not now; the same again may work later. Says what is wrong and what to do.
    Unavailable(String),
    /// No room on the disk.
    Full(String),
    /// A query took longer, or waited longer, than it may.
    TooSlow(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unavailable(why) | Self::Full(why) | Self::TooSlow(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for StoreError {}
