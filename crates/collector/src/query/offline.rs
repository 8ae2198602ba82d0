//! The filters of a command, read as those of a request.

use super::parameters::EXPORT;
use super::params::Params;
use crate::store::search::Filter;

pub(crate) use super::deletion::lines;

/// Reads them.
pub(crate) struct Filters;

impl Filters {
    pub(crate) fn export(pairs: Vec<(String, String)>, now: i64) -> Result<Filter, String> {
        Params::from(pairs).read(EXPORT, now).map(|asked| asked.filter).map_err(|problem| problem.detail)
    }

    /// The same, but not none at all.
    pub(crate) fn delete(pairs: Vec<(String, String)>, now: i64) -> Result<Filter, String> {
        let filter = Self::export(pairs, now)?;
        let none =
            || "a filter is needed, such as --user-id or --to: without one, everything would go".to_owned();
        Some(filter).filter(|filter| *filter != Filter::default()).ok_or_else(none)
    }
}
