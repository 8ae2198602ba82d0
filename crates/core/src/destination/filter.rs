//! Which entries a destination takes.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use hoplog_entry::{Diagnostics, Field, Kind, Level, Record, Value};

use super::{Entry, Source};

type Predicate = Arc<dyn Fn(&Entry<'_>) -> bool + Send + Sync>;

/// What an entry must be to be taken: all of it. The default takes everything.
#[derive(Clone, Default)]
pub(crate) struct Filter {
    pub(crate) min_level: Option<Level>,
    /// `None`: every kind.
    pub(crate) kinds: Option<Vec<Kind>>,
    /// Modules; entries that name no target are not judged by it.
    pub(crate) targets: Option<Vec<String>>,
    pub(crate) predicates: Vec<Predicate>,
}

impl Filter {
    fn takes(&self, record: &Record<'_>, source: &Source) -> bool {
        self.min_level.is_none_or(|least| record.level() >= least)
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&record.kind()))
            && self.targets.as_ref().is_none_or(|targets| match record.get(Field::Target) {
                Some(Value::Text(target)) => targets.iter().any(|module| is_within(target, module)),
                _ => true,
            })
            && (self.predicates.is_empty() || {
                let entry = Entry::new(*record, source);
                self.predicates.iter().all(|takes| takes(&entry))
            })
    }
}

/// Whether a target is that module or below it.
fn is_within(target: &str, module: &str) -> bool {
    target.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("min_level", &self.min_level)
            .field("kinds", &self.kinds)
            .field("targets", &self.targets)
            .field("predicates", &self.predicates.len())
            .finish()
    }
}

/// A destination's filter, which may change while it runs.
#[derive(Debug, Default)]
pub(crate) struct Gate(RwLock<Filter>);

impl Gate {
    pub(crate) fn new(filter: Filter) -> Self {
        Self(RwLock::new(filter))
    }

    /// From now on this one counts.
    #[cfg(feature = "toml")]
    pub(crate) fn replace(&self, filter: Filter) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = filter;
    }

    /// A filter that panics has no say: the entry is taken.
    pub(crate) fn takes(&self, record: &Record<'_>, source: &Source, diagnostics: &Diagnostics) -> bool {
        let filter = self.0.read().unwrap_or_else(PoisonError::into_inner);
        catch_unwind(AssertUnwindSafe(|| filter.takes(record, source))).unwrap_or_else(|_| {
            diagnostics.warn("filter", || "a destination's filter panicked; the entry is taken".into());
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hoplog_entry::{EntryId, RecordWriter};

    fn takes(filter: &Filter, kind: Kind, level: Level, target: Option<&str>) -> bool {
        let mut writer = RecordWriter::default();
        writer.begin(kind, EntryId::generate(1), 1);
        if let Some(target) = target {
            writer.text(Field::Target, target);
        }
        let bytes = writer.end(level, None).to_vec();
        let (record, _) = Record::read(&bytes).unwrap();
        Gate::new(filter.clone()).takes(&record, &Source::default(), &Diagnostics::default())
    }

    #[test]
    fn level_kind_and_target_must_all_agree() {
        let all = Filter::default();
        assert!(takes(&all, Kind::Running, Level::Trace, Some("x")));
        let some = Filter {
            min_level: Some(Level::Warn),
            kinds: Some(vec![Kind::Event]),
            targets: Some(vec!["shop::cart".into()]),
            ..Filter::default()
        };
        for (kind, level, target, taken) in [
            (Kind::Event, Level::Warn, Some("shop::cart"), true),
            (Kind::Event, Level::Fatal, Some("shop::cart::price"), true),
            (Kind::Event, Level::Warn, Some("shop::cartoon"), false),
            (Kind::Event, Level::Warn, Some("shop"), false),
            (Kind::Event, Level::Warn, None, true),
            (Kind::Event, Level::Info, Some("shop::cart"), false),
            (Kind::Request, Level::Error, Some("shop::cart"), false),
        ] {
            assert_eq!(takes(&some, kind, level, target), taken, "{kind} {level} {target:?}");
        }
    }

    #[test]
    fn a_filter_that_panics_lets_the_entry_through() {
        let panics = Filter {
            predicates: vec![Arc::new(|entry| entry.level() > Level::Info || panic!("no idea"))],
            ..Filter::default()
        };
        assert!(takes(&panics, Kind::Event, Level::Info, None));
        let refuses =
            Filter { predicates: vec![Arc::new(|_| true), Arc::new(|_| false)], ..Filter::default() };
        assert!(!takes(&refuses, Kind::Event, Level::Info, None));
    }
}
