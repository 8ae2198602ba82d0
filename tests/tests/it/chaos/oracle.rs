//! What was promised, and what the collector's store has of it in the end.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use serde_json::Value;

use super::figure;
use super::program::Upstream;

/// Holds obligations. One starts with the acknowledgement, and not before.
#[derive(Default)]
pub(super) struct Oracle {
    asked: Mutex<HashSet<u64>>,
    owed: Mutex<HashSet<u64>>,
}

/// What came of them.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) missing: usize,
    /// Nobody asked for them.
    pub(super) spurious: usize,
    pub(super) corrupted: usize,
    pub(super) stored_twice: usize,
}

impl Oracle {
    pub(super) fn asked(&self, order: u64) {
        self.asked.lock().unwrap().insert(order);
    }

    pub(super) fn owed(&self, order: u64) {
        self.owed.lock().unwrap().insert(order);
    }

    pub(super) fn count(&self) -> usize {
        self.owed.lock().unwrap().len()
    }

    pub(super) async fn look(&self, upstream: &Upstream) -> Found {
        let stored = orders(upstream).await;
        let (asked, owed) = (self.asked.lock().unwrap(), self.owed.lock().unwrap());
        Found {
            missing: owed.iter().filter(|order| !stored.contains_key(order)).count(),
            spurious: stored.keys().filter(|order| !asked.contains(order)).count(),
            corrupted: stored
                .iter()
                .filter(|(order, said)| said.iter().any(|said| *said != journeys::payload(**order)))
                .count(),
            stored_twice: stored.values().filter(|said| said.len() > 1).count(),
        }
    }
}

impl Found {
    pub(super) fn print(&self, run: &str) {
        figure(&format!("{run}.missing"), self.missing, "entries");
        figure(&format!("{run}.spurious"), self.spurious, "entries");
        figure(&format!("{run}.corrupted"), self.corrupted, "entries");
        figure(&format!("{run}.stored_twice"), self.stored_twice, "entries");
    }
}

/// Every order's entry in the store: its number, and what it says each time.
pub(super) async fn orders(upstream: &Upstream) -> HashMap<u64, Vec<String>> {
    let mut orders = HashMap::<u64, Vec<String>>::new();
    let mut cursor = String::new();
    loop {
        let page = upstream.ask(&format!("/api/v1/logs?kind=event&limit=1000&cursor={cursor}")).await;
        for entry in page["logs"].as_array().unwrap() {
            // Others tell of losses.
            if let Some(order) = entry["metadata"]["order"].as_u64() {
                let said = entry["metadata"]["payload"].as_str().unwrap_or_default().to_owned();
                orders.entry(order).or_default().push(said);
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return orders,
        }
    }
}

/// What a client with a spool says of itself when it has nothing left. One that has not looked at its disk says nothing
/// of what is there.
pub(super) fn is_quiet(stats: &Value) -> bool {
    ["unread_bytes", "spooled", "in_flight", "queued"].iter().all(|name| stats[name] == 0)
}
