//! Levels that may change while entries are logged.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use hoplog_entry::Level;

use super::{LevelFilter, Threshold};
use crate::sync::lock;

/// No level is as serious.
const NOTHING: u8 = u8::MAX - 1;
/// It depends on the target: the filter knows.
const BY_TARGET: u8 = u8::MAX;

/// A [`LevelFilter`] to be replaced at any time. Where it says the same for every target, asking it takes no lock.
#[derive(Debug)]
pub(crate) struct LiveLevels {
    own: Live,
    others: Live,
    /// Who is told of a change, each one time.
    watchers: Mutex<Vec<fn()>>,
}

impl Default for LiveLevels {
    fn default() -> Self {
        Self::new(LevelFilter::default())
    }
}

#[derive(Debug)]
struct Live {
    least: AtomicU8,
    filter: RwLock<LevelFilter>,
}

impl LiveLevels {
    pub(crate) fn new(filter: LevelFilter) -> Self {
        Self { others: Live::new(filter.for_others()), own: Live::new(filter), watchers: Mutex::default() }
    }

    /// From now on this one counts.
    #[cfg(feature = "toml")]
    pub(crate) fn replace(&self, filter: LevelFilter) {
        self.others.replace(filter.for_others());
        self.own.replace(filter);
        let watchers = lock(&self.watchers).clone();
        watchers.iter().for_each(|changed| changed());
    }

    /// Calls `changed` after every change from now on.
    pub(crate) fn watch(&self, changed: fn()) {
        let mut watchers = lock(&self.watchers);
        if !watchers.iter().any(|known| std::ptr::fn_addr_eq(*known, changed)) {
            watchers.push(changed);
        }
    }

    /// [`LevelFilter::takes`].
    #[inline]
    pub(crate) fn takes(&self, level: Level, target: &str) -> bool {
        self.own.takes(level, target)
    }

    /// [`LevelFilter::least`].
    pub(crate) fn least(&self) -> Option<Level> {
        self.own.least()
    }

    /// [`LevelFilter::takes`], of what was not said to hoplog itself.
    pub(crate) fn takes_of_others(&self, level: Level, target: &str) -> bool {
        self.others.takes(level, target)
    }

    /// [`LevelFilter::least`], likewise.
    pub(crate) fn least_of_others(&self) -> Option<Level> {
        self.others.least()
    }
}

impl Live {
    fn new(filter: LevelFilter) -> Self {
        Self { least: AtomicU8::new(least(&filter)), filter: RwLock::new(filter) }
    }

    #[cfg(feature = "toml")]
    fn replace(&self, filter: LevelFilter) {
        let mut slot = self.filter.write().unwrap_or_else(PoisonError::into_inner);
        self.least.store(least(&filter), Ordering::Relaxed);
        *slot = filter;
    }

    fn least(&self) -> Option<Level> {
        self.filter.read().unwrap_or_else(PoisonError::into_inner).least()
    }

    #[inline]
    fn takes(&self, level: Level, target: &str) -> bool {
        match self.least.load(Ordering::Relaxed) {
            BY_TARGET => self.filter.read().unwrap_or_else(PoisonError::into_inner).takes(level, target),
            least => level.code() >= least,
        }
    }
}

fn least(filter: &LevelFilter) -> u8 {
    let code = |threshold: Threshold| threshold.map_or(NOTHING, Level::code);
    filter.uniform().map_or(BY_TARGET, code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_its_filter_says() {
        for directives in ["", "info", "off", "warn,shop=debug", "off,shop=trace", "fatal"] {
            let mut filter = LevelFilter::default();
            assert!(filter.apply(directives).is_empty());
            let live = LiveLevels::new(filter.clone());
            for level in Level::ALL.iter().copied() {
                for target in ["", "shop", "shop::cart", "other"] {
                    assert_eq!(
                        live.takes(level, target),
                        filter.takes(level, target),
                        "{directives} {level} {target}"
                    );
                }
            }
        }
    }
    #[test]
    fn of_other_logs_info_is_enough_where_nobody_says_a_level() {
        for (directives, overall, shop) in [
            ("", Level::Info, Level::Info),
            ("shop=debug", Level::Info, Level::Debug),
            ("trace", Level::Trace, Level::Trace),
            ("warn,shop=trace", Level::Warn, Level::Trace),
        ] {
            let mut filter = LevelFilter::default();
            assert!(filter.apply(directives).is_empty());
            let live = LiveLevels::new(filter.clone());
            assert_eq!(live.least(), filter.least(), "{directives}");
            for (target, least) in [("h2", overall), ("shop::cart", shop)] {
                for level in Level::ALL.iter().copied() {
                    assert_eq!(
                        live.takes_of_others(level, target),
                        level >= least,
                        "{directives} {target} {level}"
                    );
                }
            }
            assert_eq!(live.least_of_others(), Some(overall.min(shop)));
        }
    }
}
