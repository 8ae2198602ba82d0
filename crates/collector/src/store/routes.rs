//! What each route did, counted from entries one by one: the same for every store.

use super::figures::{Histogram, RouteFigures, number, whole};
use crate::fields::MOST_WEIGHT;
use std::collections::HashMap;

/// Routes told apart, and the most bytes of one's names; those beyond share one line without names. Bounds the
/// memory of one question.
const MOST_ROUTES: usize = 1_000;
const NAMES_BYTES: usize = 2_000;

/// What is counted of one route.
#[derive(Default)]
struct Route {
    /// service, method, route; all `None` for the routes beyond the bound.
    names: [Option<String>; 3],
    stored: u64,
    /// Sums of weights; of bytes times weight.
    requests: f64,
    errors: f64,
    bytes: f64,
    ttfb: Histogram,
    duration: Histogram,
}

/// What an entry adds to its route.
pub(super) struct Counted<'e> {
    /// service, method, route
    pub(super) names: [Option<&'e str>; 3],
    pub(super) is_error: bool,
    pub(super) response_size: Option<i64>,
    pub(super) ttfb_ms: Option<f64>,
    pub(super) duration_ms: Option<f64>,
    pub(super) weight: Option<f64>,
}

/// All routes of a question.
#[derive(Default)]
pub(super) struct Routes {
    by_key: HashMap<String, Route>,
    /// The key at hand, in memory that stays.
    key: String,
}

impl Routes {
    pub(super) fn count(&mut self, entry: &Counted<'_>) {
        let mut names = entry.names;
        self.key.clear();
        for name in names {
            // No text that is stored has a NUL in it.
            self.key.push_str(name.unwrap_or("\0"));
            self.key.push('\0');
        }
        let known = self.by_key.contains_key(&self.key);
        if !known && (self.by_key.len() >= MOST_ROUTES || self.key.len() > NAMES_BYTES) {
            self.key.clear();
            names = [None; 3];
        }
        if !self.by_key.contains_key(&self.key) {
            let names = names.map(|name| name.map(str::to_owned));
            self.by_key.insert(self.key.clone(), Route { names, ..Route::default() });
        }
        let Some(route) = self.by_key.get_mut(&self.key) else { return };
        let weight = entry.weight.map_or(1.0, |weight| weight.clamp(0.0, MOST_WEIGHT));
        route.stored += 1;
        route.requests += weight;
        if entry.is_error {
            route.errors += weight;
        }
        #[expect(clippy::cast_precision_loss, reason = "a sum for people")]
        let bytes = entry.response_size.map_or(0, number) as f64;
        route.bytes += bytes * weight;
        if let Some(ms) = entry.ttfb_ms {
            route.ttfb.add(ms, weight);
        }
        if let Some(ms) = entry.duration_ms {
            route.duration.add(ms, weight);
        }
    }

    /// The most requests first.
    pub(super) fn figures(self) -> Vec<RouteFigures> {
        let mut figures: Vec<RouteFigures> = self.by_key.into_values().map(Route::figures).collect();
        figures.sort_by(|a, b| {
            let names = |f: &RouteFigures| (f.service.clone(), f.route.clone(), f.method.clone());
            b.requests.cmp(&a.requests).then_with(|| names(a).cmp(&names(b)))
        });
        figures
    }
}

impl Route {
    fn figures(self) -> RouteFigures {
        let [service, method, route] = self.names;
        RouteFigures {
            service,
            method,
            route,
            stored: self.stored,
            requests: whole(self.requests),
            errors: whole(self.errors),
            bytes: whole(self.bytes),
            ttfb_ms: self.ttfb.percentiles(),
            duration_ms: self.duration.percentiles(),
        }
    }
}
