//! The least serious level that the logger takes, overall and by target: `info,my_crate=debug,my_crate::db=off`.
//!
//! A directive for a target holds for it and for what lies below it by `::`; the longest one that fits counts. Pure
//! functions of values.

mod live;

use std::str::FromStr;

use hoplog_entry::Level;

use crate::error::Error;
pub(crate) use live::LiveLevels;

const GRAMMAR: &str =
    "write `info`, or `my_crate=debug`; levels are trace, debug, info, warn, error, fatal, off";

/// From this level on; `None` takes nothing.
type Threshold = Option<Level>;

/// The least serious level that is taken, overall and by target: `info,my_crate=debug,my_crate::db=off`. Default:
/// everything.
///
/// A directive for a target holds for it and for what lies below it by `::`; the longest that fits counts. For glue
/// crates with levels of their own, in the language of `HOPLOG_LOG`.
///
/// ```
/// let levels: hoplog::LevelFilter = "warn,shop=debug".parse()?;
/// assert!(levels.takes(hoplog::Level::Debug, "shop::cart"));
/// assert_eq!(levels.least(), Some(hoplog::Level::Debug));
/// # Ok::<(), hoplog::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LevelFilter {
    overall: Threshold,
    /// Somebody said it.
    is_said: bool,
    /// By target, no target twice, longer ones first.
    targets: Vec<(String, Threshold)>,
}

impl Default for LevelFilter {
    fn default() -> Self {
        Self { overall: Some(Level::Trace), is_said: false, targets: Vec::new() }
    }
}

impl LevelFilter {
    /// What is said later goes before what was said earlier.
    pub(crate) fn set(&mut self, target: Option<&str>, threshold: Threshold) {
        let Some(target) = target else {
            (self.overall, self.is_said) = (threshold, true);
            return;
        };
        match self.targets.iter_mut().find(|(known, _)| known == target) {
            Some((_, known)) => *known = threshold,
            None => self.targets.push((target.to_owned(), threshold)),
        }
        self.targets.sort_by_key(|(target, _)| std::cmp::Reverse(target.len()));
    }

    /// Lays directives over what is set, separated by commas; each wrong part is a complaint.
    pub(crate) fn apply(&mut self, directives: &str) -> Vec<String> {
        let mut complaints = Vec::new();
        for directive in directives.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (target, level) = match directive.split_once('=') {
                Some((target, level)) => (Some(target.trim()), level.trim()),
                None => (None, directive),
            };
            let threshold = match level {
                off if off.eq_ignore_ascii_case("off") => Some(None),
                level => Level::parse_lenient(level).map(Some),
            };
            match threshold {
                Some(threshold) if target.is_none_or(is_path) => self.set(target, threshold),
                Some(_) => complaints.push(format!("`{directive}` names no module: {GRAMMAR}")),
                None => complaints.push(format!("`{directive}` has no level: {GRAMMAR}")),
            }
        }
        complaints
    }

    /// The same for what other logs have, where a library tells its every step: `INFO` overall, if nobody says.
    fn for_others(&self) -> Self {
        let overall = if self.is_said { self.overall } else { Some(Level::Info) };
        Self { overall, ..self.clone() }
    }

    /// Whether an entry of this level is taken; the target is empty where it is not known.
    #[inline]
    #[must_use]
    pub fn takes(&self, level: Level, target: &str) -> bool {
        let threshold = if self.targets.is_empty() { self.overall } else { self.of(target) };
        threshold.is_some_and(|least| level >= least)
    }

    /// The least serious level that is taken from any target; `None` where nothing is.
    #[must_use]
    pub fn least(&self) -> Option<Level> {
        self.targets.iter().map(|(_, threshold)| *threshold).chain([self.overall]).flatten().min()
    }

    /// The threshold, if it is the same for every target.
    fn uniform(&self) -> Option<Threshold> {
        self.targets.is_empty().then_some(self.overall)
    }

    fn of(&self, target: &str) -> Threshold {
        let fits = |known: &str| {
            let below = target.strip_prefix(known);
            below.is_some_and(|below| below.is_empty() || below.starts_with("::"))
        };
        let found = self.targets.iter().find(|(known, _)| fits(known));
        found.map_or(self.overall, |(_, threshold)| *threshold)
    }
}

impl FromStr for LevelFilter {
    type Err = Error;

    /// Directives, separated by commas. Every wrong one is among the error's complaints.
    fn from_str(directives: &str) -> Result<Self, Error> {
        let mut filter = Self::default();
        let complaints = filter.apply(directives);
        if complaints.is_empty() { Ok(filter) } else { Err(Error::config(complaints)) }
    }
}

/// A target is any text without blanks: modules, and what applications name themselves. What other loggers' directives
/// have besides, spans in brackets and patterns, would be accepted and fit nothing.
pub(crate) fn is_path(target: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "=,*[]{}".contains(c);
    !target.is_empty() && !target.contains(odd) && !target.ends_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(directives: &str) -> LevelFilter {
        let mut filter = LevelFilter::default();
        assert_eq!(filter.apply(directives), Vec::<String>::new(), "{directives}");
        filter
    }

    #[test]
    fn the_longest_target_that_fits_counts_whatever_the_order() {
        let table = [
            (Level::Debug, "", false),
            (Level::Info, "", true),
            (Level::Debug, "other", false),
            (Level::Debug, "shop", true),
            (Level::Trace, "shop", false),
            (Level::Debug, "shop::cart", true),
            (Level::Warn, "shop::db", false),
            (Level::Error, "shop::db::pool", true),
            (Level::Fatal, "shop::db::raw", false),
            (Level::Debug, "shopping", false),
            (Level::Info, "shopping", true),
        ];
        for directives in [
            "info,shop=debug,shop::db=error,shop::db::raw=off",
            " shop::db::raw=Off, shop::db = Error ,,shop=DEBUG,INFO",
            "trace,shop=off,shop::db::raw=off,shop::db=error,info,shop=debug",
        ] {
            let filter = filter(directives);
            for (level, target, taken) in table {
                assert_eq!(filter.takes(level, target), taken, "{directives}: {level} {target:?}");
            }
        }
    }

    #[test]
    fn nothing_said_takes_everything_and_off_takes_nothing() {
        assert!(filter("").takes(Level::Trace, "any"));
        assert!(!filter("off").takes(Level::Fatal, "any"));
        assert!(filter("warning,a=critical").takes(Level::Fatal, "a"));
    }

    #[test]
    fn the_least_of_all_levels_is_known() {
        let table = [
            ("", Some(Level::Trace)),
            ("off", None),
            ("warn", Some(Level::Warn)),
            ("warn,a=debug,b=off", Some(Level::Debug)),
            ("off,a=error", Some(Level::Error)),
        ];
        for (directives, least) in table {
            assert_eq!(filter(directives).least(), least, "{directives}");
        }
    }

    #[test]
    fn every_wrong_part_is_named_and_the_others_hold() {
        let mut filter = LevelFilter::default();
        let complaints =
            filter.apply("loud,shop=,=debug,warn,a b=info,x=y=info,*=info,a::=info,a::*=info,a[span]=info");
        let parts = [
            "`loud`",
            "`shop=`",
            "`=debug`",
            "`a b=info`",
            "`x=y=info`",
            "`*=info`",
            "`a::=info`",
            "`a::*=info`",
            "`a[span]=info`",
        ];
        assert_eq!(complaints.len(), parts.len(), "{complaints:?}");
        for (complaint, part) in complaints.iter().zip(parts) {
            assert!(complaint.contains(part) && complaint.contains("my_crate=debug"), "{complaint}");
        }
        assert!(!filter.takes(Level::Info, "") && filter.takes(Level::Warn, ""));
    }
}
