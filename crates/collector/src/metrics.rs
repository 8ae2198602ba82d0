//! The collector's own counts, as `/metrics` shows them (Prometheus text format 0.0.4).

use crate::keys::ring::Denied;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    accepted: AtomicU64,
    duplicates: AtomicU64,
    id_conflicts: AtomicU64,
    rejected: Mutex<BTreeMap<&'static str, u64>>,
    wire_bytes: AtomicU64,
    inflated_bytes: Arc<AtomicU64>,
    waiting: AtomicU64,
    commits: Mutex<Histogram>,
    refused_connections: AtomicU64,
    open_connections: AtomicU64,
    requests: Mutex<BTreeMap<u16, u64>>,
    refused: Mutex<BTreeMap<&'static str, u64>>,
    denied: Mutex<BTreeMap<Denied, u64>>,
}

/// How long something took, in the buckets of Prometheus.
#[derive(Debug, Default)]
struct Histogram {
    /// By the first bound that is not below; the last is for all beyond.
    buckets: [u64; BOUNDS.len() + 1],
    sum: f64,
}

/// Seconds.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// A batch that waits for its commit.
pub(crate) struct Waiting<'a> {
    metrics: &'a Metrics,
    since: Instant,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.metrics.waiting.fetch_sub(1, Relaxed);
    }
}

impl Waiting<'_> {
    /// It was committed.
    pub(crate) fn committed(self) {
        let took = self.since.elapsed().as_secs_f64();
        let at = BOUNDS.iter().position(|bound| took <= *bound).unwrap_or(BOUNDS.len());
        let mut commits = self.metrics.commits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = commits.buckets.get_mut(at) {
            *bucket += 1;
        }
        commits.sum += took;
    }
}

impl Metrics {
    pub(crate) fn entries(&self, accepted: usize, duplicates: usize, id_conflicts: usize) {
        for (counter, n) in
            [(&self.accepted, accepted), (&self.duplicates, duplicates), (&self.id_conflicts, id_conflicts)]
        {
            counter.fetch_add(u64::try_from(n).unwrap_or(0), Relaxed);
        }
    }

    /// An entry that was refused on its own.
    pub(crate) fn rejected(&self, reason: &'static str) {
        *self.rejected.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
    }

    /// A body that came over the wire; what it holds once inflated is counted by who is told here.
    pub(crate) fn body(&self, bytes: usize) -> Arc<AtomicU64> {
        self.wire_bytes.fetch_add(u64::try_from(bytes).unwrap_or(0), Relaxed);
        Arc::clone(&self.inflated_bytes)
    }

    /// A batch goes to the store.
    pub(crate) fn waiting(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Relaxed);
        Waiting { metrics: self, since: Instant::now() }
    }

    pub(crate) fn request(&self, status: u16) {
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() += 1;
    }

    /// A request that was not answered with what it asked for, by what it was too much of or from where.
    pub(crate) fn refused(&self, reason: &'static str) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
    }

    /// A key that did not pass.
    pub(crate) fn denied(&self, why: Denied) {
        *self.denied.lock().unwrap_or_else(PoisonError::into_inner).entry(why).or_default() += 1;
    }

    pub(crate) fn connection_refused(&self) {
        self.refused_connections.fetch_add(1, Relaxed);
    }

    pub(crate) fn connection_opened(&self) {
        self.open_connections.fetch_add(1, Relaxed);
    }

    pub(crate) fn connection_closed(&self) {
        self.open_connections.fetch_sub(1, Relaxed);
    }

    pub(crate) fn render(&self) -> String {
        let mut out = String::with_capacity(4096);
        for (name, help, counter) in [
            ("hoplog_entries_accepted_total", "Entries stored.", &self.accepted),
            ("hoplog_entries_duplicate_total", "Entries that were stored already.", &self.duplicates),
            (
                "hoplog_entries_id_conflict_total",
                "Duplicates that differ from what is stored under their id.",
                &self.id_conflicts,
            ),
            ("hoplog_bytes_received_total", "Bytes of bodies as they came.", &self.wire_bytes),
            ("hoplog_bytes_inflated_total", "The same, inflated.", &*self.inflated_bytes),
            ("hoplog_connections_refused_total", "Connections above a bound.", &self.refused_connections),
        ] {
            single(&mut out, name, help, "counter", counter.load(Relaxed));
        }
        let open = self.open_connections.load(Relaxed);
        single(&mut out, "hoplog_connections_open", "Connections now.", "gauge", open);
        let waiting = self.waiting.load(Relaxed);
        single(&mut out, "hoplog_batches_waiting", "Batches that wait for their commit.", "gauge", waiting);
        self.commits.lock().unwrap_or_else(PoisonError::into_inner).render(&mut out);
        let counts = |counts: &Mutex<BTreeMap<&'static str, u64>>| {
            counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        let of = |known: &[&'static str], mut counts: BTreeMap<&'static str, u64>| {
            for name in known {
                counts.entry(name).or_default();
            }
            counts
        };
        let rejected = of(&REJECTED, counts(&self.rejected));
        labelled(
            &mut out,
            "hoplog_entries_rejected_total",
            "Entries refused one by one.",
            "reason",
            rejected,
        );
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        labelled(&mut out, "hoplog_requests_total", "Requests answered.", "status", requests);
        let denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let denied = Denied::ALL.map(|why| (why.name(), denied.get(&why).copied().unwrap_or_default()));
        labelled(&mut out, "hoplog_keys_denied_total", "Requests without a valid key.", "reason", denied);
        let refused = counts(&self.refused);
        let help = "Requests and connections that were refused, but for those without a valid key.";
        labelled(&mut out, "hoplog_requests_refused_total", help, "reason", refused);
        out
    }
}

/// Why entries are refused one by one.
const REJECTED: [&str; 3] = ["too_large", "too_deep", "no_entry"];

impl Histogram {
    fn render(&self, out: &mut String) {
        const NAME: &str = "hoplog_commit_seconds";
        // Writing to a String does not fail.
        let _ =
            writeln!(out, "# HELP {NAME} From a batch that was read to its commit.\n# TYPE {NAME} histogram");
        let mut count = 0;
        for (bound, n) in BOUNDS.iter().zip(self.buckets) {
            count += n;
            let _ = writeln!(out, "{NAME}_bucket{{le=\"{bound}\"}} {count}");
        }
        let count: u64 = self.buckets.iter().sum();
        let _ = writeln!(
            out,
            "{NAME}_bucket{{le=\"+Inf\"}} {count}\n{NAME}_sum {}\n{NAME}_count {count}",
            self.sum
        );
    }
}

/// A metric of one value.
pub(crate) fn single(out: &mut String, name: &str, help: &str, kind: &str, value: u64) {
    // Writing to a String does not fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
}

fn labelled<L: std::fmt::Display>(
    out: &mut String,
    name: &str,
    help: &str,
    label: &str,
    values: impl IntoIterator<Item = (L, u64)>,
) {
    // Writing to a String does not fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter");
    for (value, n) in values {
        let _ = writeln!(out, "{name}{{{label}=\"{value}\"}} {n}");
    }
}
