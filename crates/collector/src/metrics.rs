//! The collector's own counts, as `/metrics` shows them (Prometheus text format 0.0.4).

use crate::keys::ring::Denied;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    accepted: AtomicU64,
    duplicates: AtomicU64,
    id_conflicts: AtomicU64,
    rejected: AtomicU64,
    refused_connections: AtomicU64,
    open_connections: AtomicU64,
    requests: Mutex<BTreeMap<u16, u64>>,
    refused: Mutex<BTreeMap<&'static str, u64>>,
    denied: Mutex<BTreeMap<Denied, u64>>,
}

impl Metrics {
    pub(crate) fn entries(&self, accepted: usize, duplicates: usize, id_conflicts: usize, rejected: usize) {
        for (counter, n) in [
            (&self.accepted, accepted),
            (&self.duplicates, duplicates),
            (&self.id_conflicts, id_conflicts),
            (&self.rejected, rejected),
        ] {
            counter.fetch_add(u64::try_from(n).unwrap_or(0), Relaxed);
        }
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
        let mut out = String::with_capacity(1024);
        for (name, help, counter) in [
            ("hoplog_entries_accepted_total", "Entries stored.", &self.accepted),
            ("hoplog_entries_duplicate_total", "Entries that were stored already.", &self.duplicates),
            (
                "hoplog_entries_id_conflict_total",
                "Duplicates that differ from what is stored under their id.",
                &self.id_conflicts,
            ),
            ("hoplog_entries_rejected_total", "Entries refused one by one.", &self.rejected),
            ("hoplog_connections_refused_total", "Connections above a bound.", &self.refused_connections),
        ] {
            // Writing to a String does not fail.
            let _ = writeln!(
                out,
                "# HELP {name} {help}\n# TYPE {name} counter\n{name} {}",
                counter.load(Relaxed)
            );
        }
        let open = self.open_connections.load(Relaxed);
        out.push_str(
            "# HELP hoplog_connections_open Connections now.\n# TYPE hoplog_connections_open gauge\n",
        );
        let _ = writeln!(out, "hoplog_connections_open {open}");
        out.push_str(
            "# HELP hoplog_requests_total Requests answered.\n# TYPE hoplog_requests_total counter\n",
        );
        for (status, n) in self.requests.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(out, "hoplog_requests_total{{status=\"{status}\"}} {n}");
        }
        labelled(&mut out, "hoplog_keys_denied_total", "Requests without a valid key.", "reason", {
            let denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
            Denied::ALL.map(|why| (why.name(), denied.get(&why).copied().unwrap_or_default())).into_iter()
        });
        labelled(
            &mut out,
            "hoplog_requests_refused_total",
            "Requests refused before their body was read.",
            "reason",
            {
                let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                refused.iter().map(|(reason, n)| (*reason, *n)).collect::<Vec<_>>().into_iter()
            },
        );
        out
    }
}

fn labelled(
    out: &mut String,
    name: &str,
    help: &str,
    label: &str,
    values: impl Iterator<Item = (&'static str, u64)>,
) {
    // Writing to a String does not fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter");
    for (value, n) in values {
        let _ = writeln!(out, "{name}{{{label}=\"{value}\"}} {n}");
    }
}
