//! What a dashboard sees: entries as they arrive, and how late.

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::program::Upstream;

/// Follows a collector.
pub(super) struct Tail {
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

/// An entry that arrived.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// Unix seconds.
    pub(super) made: f64,
    /// From its making to its sight, in seconds.
    pub(super) late: f64,
}

pub(super) fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

impl Tail {
    pub(super) async fn follow(upstream: &Upstream) -> Self {
        let mut answer = reqwest::get(upstream.url() + "/api/v1/tail?kind=event").await.unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let all = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut text = Vec::new();
            while let Ok(Some(piece)) = answer.chunk().await {
                text.extend_from_slice(&piece);
                let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                let now = unix_now();
                for line in String::from_utf8_lossy(&text[..whole]).lines() {
                    let Some(data) = line.strip_prefix("data: ") else { continue };
                    let entry: Value = serde_json::from_str(data).unwrap();
                    if let Some(made) = entry["created_at"].as_f64() {
                        all.lock().unwrap().push(Seen { made, late: now - made });
                    }
                }
                text.drain(..whole);
            }
        });
        Self { seen, task }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The value that so many of a hundred are not above.
pub(super) fn percentile(mut values: Vec<f64>, percent: usize) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get((values.len().max(1) - 1) * percent / 100).copied().unwrap_or(f64::NAN)
}
