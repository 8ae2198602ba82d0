//! Following what arrives.

use std::collections::BTreeMap;

/// How far a follower has come; only the store that gave it out reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Commits seen. Where there were no others, there is nothing to look for.
    pub(crate) commits: u64,
    /// The last arrival seen, by day's file.
    pub(crate) arrivals: BTreeMap<i32, i64>,
}

/// What arrived since.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Entries as JSON objects, in the order of their arrival.
    pub(crate) entries: Vec<String>,
    /// How many arrivals were passed over, whatever they are like, as there were too many to look at.
    pub(crate) skipped: u64,
    /// Where to go on.
    pub(crate) position: Position,
    /// There may be more already.
    pub(crate) more: bool,
}
