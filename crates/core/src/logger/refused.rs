//! An entry that was not taken, and why.

use std::error::Error;
use std::fmt;

use hoplog_entry::DropReason;

use super::EntryBuilder;

/// Why an entry was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The client is disabled.
    Disabled,
    /// It lies below the least level of the client or of its target.
    BelowLevel,
    /// It was written on one of hoplog's own threads.
    OwnThread,
    /// The queue did not take it, or its request has logged as much as one may; counted in
    /// [`Stats::refused`](crate::Stats::refused).
    Dropped(DropReason),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled => f.write_str("the client is disabled"),
            Self::BelowLevel => f.write_str("the entry lies below the least level"),
            Self::OwnThread => f.write_str("hoplog's own threads log nothing"),
            Self::Dropped(reason) => write!(f, "the entry was dropped: {reason}"),
        }
    }
}

/// An entry that [`EntryBuilder::try_send`] could not hand over.
#[derive(Debug)]
pub struct Refused {
    pub(super) entry: EntryBuilder,
    pub(super) reason: Refusal,
}

impl Refused {
    /// Why.
    #[must_use]
    pub fn reason(&self) -> Refusal {
        self.reason
    }

    /// The entry, to be sent again later; of use where the queue was full.
    pub fn into_entry(self) -> EntryBuilder {
        self.entry
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl Error for Refused {}
