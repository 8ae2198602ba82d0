//! Totals put together from the tally that a store keeps and from the few requests that are open: the same for every
//! store.

use super::figures::{LevelCount, ServiceCount, ServiceFigures, Totals, number, whole};
use hoplog_entry::Level;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Services in `/stats` (protocols §1).
const TOP_SERVICES: usize = 10;

/// Entries, and what their weights make more of them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) entries: u64,
    pub(super) extra: f64,
}

impl Count {
    pub(super) fn new(entries: i64, extra: f64) -> Self {
        Self { entries: number(entries), extra }
    }

    fn add(&mut self, other: Self) {
        self.entries += other.entries;
        self.extra += other.extra;
    }

    fn weighted(&self) -> u64 {
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
        whole(self.entries as f64 + self.extra)
    }
}

/// An open request, as figures count it.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) service: String,
    pub(super) level: Level,
    /// Microseconds since the Unix epoch.
    pub(super) created_at: i64,
    pub(super) weight: f64,
}

impl Open {
    fn count(&self) -> Count {
        Count { entries: 1, extra: self.weight - 1.0 }
    }

    fn is_error(&self) -> bool {
        self.level >= Level::Error
    }
}

/// What is counted of one service.
#[derive(Default)]
struct Service {
    all: Count,
    errors: Count,
    last_seen: Option<i64>,
}

/// Services, as they come to be known.
#[derive(Default)]
pub(super) struct Services(BTreeMap<String, Service>);

impl Services {
    pub(super) fn add(&mut self, service: String, all: Count, errors: Count, last_seen: Option<i64>) {
        let known = self.0.entry(service).or_default();
        known.all.add(all);
        known.errors.add(errors);
        known.last_seen = known.last_seen.max(last_seen);
    }

    /// The most entries first.
    pub(super) fn figures(mut self, open: &[Open]) -> Vec<ServiceFigures> {
        for entry in open {
            let errors = if entry.is_error() { entry.count() } else { Count::default() };
            self.add(entry.service.clone(), entry.count(), errors, Some(entry.created_at));
        }
        let figures = |(service, counted): (String, Service)| {
            #[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit")]
            let last_seen = counted.last_seen.unwrap_or_default() as f64 / 1e6;
            let (entries, errors) = (counted.all.weighted(), counted.errors.weighted());
            ServiceFigures { service, entries, errors, last_seen }
        };
        let mut services: Vec<ServiceFigures> = self.0.into_iter().map(figures).collect();
        services.sort_by_key(|figures| Reverse(figures.entries));
        services
    }
}

/// All entries by level, and the errors since a time.
#[derive(Default)]
pub(super) struct Levels {
    by_level: BTreeMap<Level, Count>,
    errors: Count,
}

impl Levels {
    pub(super) fn add(&mut self, level: Level, count: Count) {
        self.by_level.entry(level).or_default().add(count);
    }

    pub(super) fn add_errors(&mut self, count: Count) {
        self.errors.add(count);
    }

    /// With the requests that are open; those of `errors_since` on count among the errors.
    pub(super) fn totals(mut self, services: Services, open: &[Open], errors_since: i64) -> Totals {
        for entry in open {
            self.add(entry.level, entry.count());
            if entry.is_error() && entry.created_at >= errors_since {
                self.add_errors(entry.count());
            }
        }
        let count =
            |(level, count): (&Level, &Count)| LevelCount { level: level.as_str(), count: count.weighted() };
        let mut level_distribution: Vec<LevelCount> = self.by_level.iter().map(count).collect();
        level_distribution.sort_by_key(|level| Reverse(level.count));
        let services = services.figures(open).into_iter().take(TOP_SERVICES);
        Totals {
            total_logs: self.by_level.values().map(Count::weighted).sum(),
            stored: self.by_level.values().map(|count| count.entries).sum(),
            level_distribution,
            service_distribution: services
                .map(|figures| ServiceCount { service: figures.service, count: figures.entries })
                .collect(),
            recent_errors_1h: self.errors.weighted(),
        }
    }
}
