//! Requests that are none of hoplog's business, known by their head alone.

use std::fmt;
use std::sync::Arc;

use hoplog_entry::Diagnostics;

use super::paths::{self, PathSet};
use crate::capture::RequestHead;
use crate::error_chain::harmless;

/// A closure of the application's.
#[derive(Clone)]
pub(super) struct Predicate(Arc<dyn Fn(&RequestHead<'_>) -> bool + Send + Sync>);

impl Predicate {
    pub(super) fn new(f: impl Fn(&RequestHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(f))
    }
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Predicate")
    }
}

#[derive(Debug, Default)]
pub(super) struct Skips {
    pub(super) paths: PathSet,
    pub(super) prefixes: Vec<String>,
    pub(super) predicates: Vec<Predicate>,
    /// Whether there is anything to ask, routes that are skipped included.
    pub(super) any: bool,
    pub(super) diagnostics: Diagnostics,
}

impl Skips {
    pub(super) fn matches(&self, head: &RequestHead<'_>) -> bool {
        self.paths.contains(head.path)
            || self.prefixes.iter().any(|prefix| paths::is_below(head.path, prefix))
            || self.predicates.iter().any(|predicate| self.ask(predicate, head))
    }

    /// A closure that panics says no: better an entry too many, and the request goes on.
    fn ask(&self, Predicate(predicate): &Predicate, head: &RequestHead<'_>) -> bool {
        harmless(|| predicate(head)).unwrap_or_else(|| {
            self.diagnostics
                .warn("skip_if", || "a `skip_if` closure panicked: the request is not skipped".into());
            false
        })
    }
}
