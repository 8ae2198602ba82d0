//! How much a key may ask for and send, and a project per day. Buckets run on the monotonic clock; a day is a day of
//! the calendar.
//!
//! What a request asks is known beforehand, and one too many is refused. What a body holds is known once it is inflated:
//! it is paid for then, and a key that owes waits until it has paid.

use crate::keys::{Key, KeyStore, LOOK};
use crate::store::StoreError;
use crate::store::projects::Project;
use crate::time::{Clock, Day};
use days::{Count, Days};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

mod days;

/// What is allowed where a key or a project says nothing else; `None` is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Quotas {
    pub(crate) requests_per_second: Option<u32>,
    pub(crate) bytes_per_second: Option<u64>,
    pub(crate) project_bytes_per_day: Option<u64>,
}

/// A rate with room for one second of it at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    level: f64,
    at: Instant,
}

impl Bucket {
    pub(super) fn full(rate: f64, now: Instant) -> Self {
        Self { level: rate.max(1.0), at: now }
    }

    fn refill(&mut self, rate: f64, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + passed * rate).min(rate.max(1.0));
        self.at = self.at.max(now);
    }

    /// Takes `n` if there are as many; else how long until there are.
    pub(super) fn take(&mut self, n: f64, rate: f64, now: Instant) -> Result<(), Duration> {
        self.refill(rate, now);
        if self.level >= n {
            self.level -= n;
            return Ok(());
        }
        Err(Duration::try_from_secs_f64((n - self.level) / rate).unwrap_or(Duration::MAX))
    }

    /// Takes `n` whatever there is.
    pub(super) fn owe(&mut self, n: f64, rate: f64, now: Instant) {
        self.refill(rate, now);
        self.level -= n;
    }

    fn left(&self) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "floored at 0")]
        {
            self.level.max(0.0) as u64
        }
    }
}

/// Whose meter it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Holder {
    Key(String),
    /// The shared key, and all that is open without a key, of a project.
    Project(Project),
}

/// What every holder has used. There are no more of them than keys and projects.
#[derive(Debug, Default)]
pub(super) struct Meters {
    quotas: Quotas,
    buckets: Mutex<HashMap<Holder, Arc<Mutex<Buckets>>>>,
    days: Days,
}

#[derive(Debug, Default)]
struct Buckets {
    requests: Option<Bucket>,
    bytes: Option<Bucket>,
}

/// Where a request's share is written down.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    limits: Quotas,
    buckets: Arc<Mutex<Buckets>>,
    /// If there is a limit.
    day: Option<Arc<Mutex<Count>>>,
}

/// A quota that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exceeded {
    /// As in `RateLimit-Policy`.
    pub(super) policy: &'static str,
    pub(super) wait: Duration,
}

impl Meters {
    pub(super) fn new(quotas: Quotas) -> Self {
        Self { quotas, ..Self::default() }
    }

    /// The meter of a key, or of a project where there is none; `None` if nothing is limited.
    pub(super) fn of(&self, key: Option<&Key>, project: Project, per_day: Option<u64>) -> Option<Meter> {
        let limits = Quotas {
            requests_per_second: key.and_then(|k| k.requests_per_second).or(self.quotas.requests_per_second),
            bytes_per_second: key.and_then(|k| k.bytes_per_second).or(self.quotas.bytes_per_second),
            project_bytes_per_day: per_day.or(self.quotas.project_bytes_per_day),
        };
        if limits == Quotas::default() {
            return None;
        }
        let holder = key.map_or(Holder::Project(project), |key| Holder::Key(key.id.clone()));
        let day = limits.project_bytes_per_day.map(|_| self.days.of(project));
        Some(Meter { limits, buckets: entry(&self.buckets, holder), day })
    }

    /// Tells the store of the keys what was sent today, and hears what it knows of it.
    pub(super) async fn exchange(&self, store: &dyn KeyStore, now: i64) -> Result<(), StoreError> {
        self.days.exchange(store, Day::of(now)).await
    }

    /// Does so until the last other owner is gone.
    pub(super) async fn keep(meters: Weak<Self>, store: Arc<dyn KeyStore>, clock: Clock) {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(meters) = meters.upgrade() else { return };
            if meters.days.are_counted() {
                // What fails is tried again.
                let _ = meters.exchange(&*store, clock.now()).await;
            }
        }
    }
}

fn entry<K: Hash + Eq, V: Default>(map: &Mutex<HashMap<K, Arc<V>>>, key: K) -> Arc<V> {
    Arc::clone(map.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default())
}

impl Meter {
    /// Pays for a request; `sends` if it brings entries.
    pub(super) fn request(&self, sends: bool, now: Instant, today: i64) -> Result<(), Exceeded> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if sends {
            if let Some(rate) = self.byte_rate() {
                let bucket = buckets.bytes.get_or_insert_with(|| Bucket::full(rate, now));
                // One byte stands for a body of unknown size.
                let paid = bucket.take(1.0, rate, now);
                paid.map_err(|wait| Exceeded { policy: "bytes", wait })?;
            }
            if self.limits.project_bytes_per_day.is_some_and(|most| self.sent_on(today) >= most) {
                let rest = crate::time::DAY - today.rem_euclid(crate::time::DAY);
                let wait = Duration::from_micros(rest.unsigned_abs());
                return Err(Exceeded { policy: "day", wait });
            }
        }
        if let Some(rate) = self.limits.requests_per_second.map(f64::from) {
            let bucket = buckets.requests.get_or_insert_with(|| Bucket::full(rate, now));
            bucket.take(1.0, rate, now).map_err(|wait| Exceeded { policy: "requests", wait })?;
        }
        Ok(())
    }

    /// Writes down what a body held.
    pub(crate) fn sent(&self, bytes: usize, now: Instant, today: i64) {
        #[expect(clippy::cast_precision_loss, reason = "bodies are far below 2^52")]
        if let Some(rate) = self.byte_rate() {
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            let bucket = buckets.bytes.get_or_insert_with(|| Bucket::full(rate, now));
            bucket.owe(bytes as f64, rate, now);
        }
        if let Some(count) = &self.day {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            count.lock().unwrap_or_else(PoisonError::into_inner).add(Day::of(today), bytes);
        }
    }

    fn sent_on(&self, today: i64) -> u64 {
        let count = self.day.as_ref().map(|count| count.lock().unwrap_or_else(PoisonError::into_inner));
        count.map_or(0, |count| count.on(Day::of(today)))
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate, not a sum")]
    fn byte_rate(&self) -> Option<f64> {
        self.limits.bytes_per_second.map(|rate| rate as f64)
    }

    /// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).
    pub(super) fn headers(&self, today: i64) -> (String, String) {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut policies = Vec::new();
        let mut left = Vec::new();
        let left_of = |bucket: Option<Bucket>, whole: u64| bucket.map_or(whole, |bucket| bucket.left());
        if let Some(rate) = self.limits.requests_per_second {
            policies.push(format!("\"requests\";q={rate};w=1"));
            left.push(format!("\"requests\";r={};t=1", left_of(buckets.requests, rate.into())));
        }
        if let Some(rate) = self.limits.bytes_per_second {
            policies.push(format!("\"bytes\";q={rate};qu=\"content-bytes\";w=1"));
            left.push(format!("\"bytes\";r={};t=1", left_of(buckets.bytes, rate)));
        }
        if let Some(most) = self.limits.project_bytes_per_day {
            policies.push(format!("\"day\";q={most};qu=\"content-bytes\";w=86400"));
            left.push(format!("\"day\";r={}", most.saturating_sub(self.sent_on(today))));
        }
        (policies.join(", "), left.join(", "))
    }
}

#[cfg(test)]
mod tests;
