//! Taking entries out for good.

use super::search::Filter;
use serde::Serialize;

/// Which entries go. Unlike in every other answer, entries that a question hides are among them: requests told of
/// while they were open, and what its sender had marked as deleted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deletion {
    pub(crate) filter: Filter,
    /// Only count them.
    pub(crate) dry_run: bool,
}

/// What went, or would go. The ids stay known: a late copy of a deleted entry is a duplicate, and not stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Deleted {
    pub(crate) entries: u64,
}
