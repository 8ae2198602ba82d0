//! `GET /api/v1/histogram`: how many entries, step by step.

use super::figures::COUNTING;
use super::parameters::HISTOGRAM;
use super::params::Params;
use crate::http::access::{Granted, Query};
use crate::http::{Answer, App, Problem, json};
use crate::store::histogram::{Bars, By, HistogramSearch};
use crate::time::{DAY, SECOND};
use axum::extract::State;
use hyper::StatusCode;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Without a period: the last hour.
const USUAL: i64 = 3_600 * SECOND;
/// The most bars of an answer.
const MOST: i64 = 2_000;
/// About so many, where no step is asked for.
const ABOUT: i64 = 100;

#[derive(Serialize)]
struct Histogram {
    from: f64,
    to: f64,
    /// Seconds.
    step: f64,
    by: &'static str,
    buckets: Vec<Bucket>,
    total: f64,
    stored: u64,
    counting: &'static str,
}

/// The entries from `at` on, for one step.
#[derive(Serialize)]
struct Bucket {
    at: f64,
    total: f64,
    counts: BTreeMap<String, f64>,
}

pub(crate) async fn histogram(
    State(app): State<Arc<App>>,
    granted: Granted<Query>,
    params: Params,
) -> Result<Answer, Problem> {
    let now = app.clock.now();
    let mut asked = params.read(HISTOGRAM, now)?;
    let (from, to) = asked.bounded(now, USUAL);
    if from >= to {
        return Err(Problem::parameter("from", "`from` is not before `to`: exchange them"));
    }
    let length = to.saturating_sub(from);
    let step = asked.step.unwrap_or_else(|| usual_step(length));
    let bars = (to - 1).div_euclid(step).saturating_sub(from.div_euclid(step)).saturating_add(1);
    if bars > MOST {
        let least = seconds(length.div_euclid(MOST - 1) + 1);
        let why = format!(
            "`step` makes {bars} buckets, and there may be {MOST}: pass {least} s or more, or a shorter period"
        );
        return Err(Problem::parameter("step", why));
    }
    let by = asked.by.unwrap_or(By::Level);
    let counted = granted.store.histogram(HistogramSearch { filter: asked.filter, by, step }).await?;
    Ok(json(StatusCode::OK, &shown(&counted, by, step, from, to)))
}

/// Of no number at all, too, 0: the standard library's sum is then -0.
fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(0.0, |sum, number| sum + number)
}

fn shown(bars: &Bars, by: By, step: i64, from: i64, to: i64) -> Histogram {
    let bucket = |bar: i64| {
        let counts: BTreeMap<String, f64> =
            bars.parts().filter_map(|(name, bars)| Some((name.to_owned(), *bars.get(&bar)?))).collect();
        Bucket { at: seconds(bar.saturating_mul(step)), total: sum(counts.values().copied()), counts }
    };
    let buckets: Vec<Bucket> = (from.div_euclid(step)..=(to - 1).div_euclid(step)).map(bucket).collect();
    Histogram {
        from: seconds(from),
        to: seconds(to),
        step: seconds(step),
        by: match by {
            By::Level => "level",
            By::Status => "status",
            By::Service => "service",
        },
        total: sum(buckets.iter().map(|bucket| bucket.total)),
        buckets,
        stored: bars.stored,
        counting: COUNTING,
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// The shortest step that people use and that makes no more than about a hundred bars.
fn usual_step(length: i64) -> i64 {
    let minute = 60 * SECOND;
    let hour = 60 * minute;
    let steps = [
        1_000,
        10_000,
        100_000,
        SECOND,
        5 * SECOND,
        10 * SECOND,
        30 * SECOND,
        minute,
        5 * minute,
        10 * minute,
        30 * minute,
        hour,
        3 * hour,
        6 * hour,
        12 * hour,
        DAY,
        7 * DAY,
        30 * DAY,
        365 * DAY,
    ];
    let fits = |step: &i64| length / step <= ABOUT;
    steps.into_iter().find(fits).unwrap_or(length / ABOUT + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_step_makes_about_a_hundred_bars_of_any_period() {
        for (length, step) in [
            (SECOND, 10_000),
            (3_600 * SECOND, 60 * SECOND),
            (DAY, 1_800 * SECOND),
            (30 * DAY, 12 * 3_600 * SECOND),
        ] {
            assert_eq!(usual_step(length), step, "{length}");
        }
        for length in [1, 999, i64::MAX / 2, i64::MAX] {
            assert!(usual_step(length) > 0 && length / usual_step(length) <= ABOUT);
        }
    }
}
