//! Figures that a store works out, and the histogram behind the percentiles. Every count and percentile takes an
//! entry as often as its weight says, since it stands for that many; `stored` says how many entries there are.

use serde::Serialize;
use std::collections::BTreeMap;

/// Counts over everything stored.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    pub(crate) total_logs: u64,
    pub(crate) stored: u64,
    pub(crate) level_distribution: Vec<LevelCount>,
    pub(crate) service_distribution: Vec<ServiceCount>,
    pub(crate) recent_errors_1h: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LevelCount {
    pub(crate) level: &'static str,
    pub(crate) count: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ServiceCount {
    pub(crate) service: String,
    pub(crate) count: u64,
}

/// A count, which stores keep signed.
pub(super) fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// A sum of weights, as a count.
pub(super) fn whole(sum: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, NaN is 0")]
    {
        sum.round() as u64
    }
}

/// What one service sent.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct ServiceFigures {
    pub(crate) service: String,
    pub(crate) entries: u64,
    /// Of them at ERROR or above.
    pub(crate) errors: u64,
    /// Newest `created_at`, Unix seconds.
    pub(crate) last_seen: f64,
}

/// What one route of one service did.
#[derive(Debug, Serialize)]
pub(crate) struct RouteFigures {
    pub(crate) service: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) route: Option<String>,
    pub(crate) requests: u64,
    pub(crate) stored: u64,
    /// Of them at ERROR or above: 5xx, panics, service errors.
    pub(crate) errors: u64,
    /// Response bytes.
    pub(crate) bytes: u64,
    pub(crate) ttfb_ms: Percentiles,
    pub(crate) duration_ms: Percentiles,
}

/// In milliseconds; null without a measurement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: Option<f64>,
    pub(crate) p95: Option<f64>,
    pub(crate) p99: Option<f64>,
}

/// Counts of durations in buckets that each span less than 1.6 % of their value, so that any number of requests
/// fits in little memory.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: BTreeMap<u16, f64>,
    sum: f64,
}

/// Buckets per doubling, as a power of two.
const STEPS_LOG2: u32 = 6;

impl Histogram {
    /// Counts a duration in milliseconds `weight` times; negative ones and what is no number count as 0.
    pub(crate) fn add(&mut self, ms: f64, weight: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, NaN is 0")]
        let micros = (ms * 1e3).round() as u64;
        *self.buckets.entry(bucket(micros)).or_default() += weight;
        self.sum += weight;
    }

    pub(crate) fn percentiles(&self) -> Percentiles {
        Percentiles { p50: self.quantile(50.0), p95: self.quantile(95.0), p99: self.quantile(99.0) }
    }

    /// The smallest value that `percent` of all do not exceed (nearest rank).
    fn quantile(&self, percent: f64) -> Option<f64> {
        let rank = self.sum * percent / 100.0;
        let mut seen = 0.0;
        let (&bucket, _) = self.buckets.iter().find(|(_, weight)| {
            seen += **weight;
            seen > 0.0 && seen >= rank
        })?;
        #[expect(clippy::cast_precision_loss, reason = "a duration for people")]
        Some(middle(bucket) as f64 / 1e3)
    }
}

/// Values below 128 have a bucket each; above, 64 buckets share each doubling.
fn bucket(micros: u64) -> u16 {
    let shift = (63 - micros.max(1).leading_zeros()).saturating_sub(STEPS_LOG2);
    let steps = micros >> shift; // 0..128, and 64..128 from the first shift on
    u16::try_from((u64::from(shift) << STEPS_LOG2) + steps).unwrap_or(u16::MAX)
}

fn middle(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    let shift = (bucket >> STEPS_LOG2).saturating_sub(1);
    let steps = bucket - (shift << STEPS_LOG2);
    (steps << shift) + ((1 << shift) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_stands_for_its_values_within_one_percent() {
        for micros in (0..100_000).chain((17..63).map(|b| (1 << b) + 12_345)).chain([u64::MAX]) {
            let (shown, real) = (middle(bucket(micros)), micros);
            assert!(shown.abs_diff(real) <= real / 120, "{real} shown as {shown}");
        }
        let buckets: Vec<u16> = (0..1_000_000).map(bucket).collect();
        assert!(buckets.is_sorted(), "larger values never fall into smaller buckets");
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut h = Histogram::default();
        assert_eq!(h.percentiles(), Percentiles::default());
        h.add(0.064, 1.0);
        assert_eq!(h.percentiles(), Percentiles { p50: Some(0.064), p95: Some(0.064), p99: Some(0.064) });
        for n in 1..=99 {
            h.add(f64::from(n) / 1e3, 1.0);
        }
        let p = h.percentiles();
        assert_eq!((p.p50, p.p95), (Some(0.05), Some(0.094)));
        h.add(f64::NAN, 1.0);
        h.add(-1.0, 1.0);
        assert_eq!(h.quantile(1.0), Some(0.0));
    }

    #[test]
    fn a_weight_counts_like_so_many_entries() {
        let (mut weighted, mut single) = (Histogram::default(), Histogram::default());
        for (ms, weight) in [(0.01, 7), (0.02, 90), (0.03, 2), (0.04, 1)] {
            weighted.add(ms, f64::from(weight));
            (0..weight).for_each(|_| single.add(ms, 1.0));
        }
        assert_eq!(weighted.percentiles(), single.percentiles());
        assert_eq!(weighted.percentiles(), Percentiles { p50: Some(0.02), p95: Some(0.02), p99: Some(0.03) });
        let mut nothing = Histogram::default();
        nothing.add(1.0, 0.0);
        assert_eq!(nothing.percentiles(), Percentiles::default());
    }
}
