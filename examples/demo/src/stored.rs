//! What the collector has, asked through its own API.

use std::collections::HashMap;
use std::error::Error;

use serde_json::Value;

/// Every stored entry, and the routes as the collector sums them up.
pub(crate) struct Stored {
    pub(crate) entries: Vec<Value>,
    pub(crate) routes: Vec<Value>,
}

impl Stored {
    pub(crate) async fn fetch(collector: &str) -> Result<Self, Box<dyn Error>> {
        let http = reqwest::Client::new();
        let mut entries = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut url = reqwest::Url::parse(&format!("{collector}/api/v1/logs?limit=1000"))?;
            if let Some(cursor) = &cursor {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
            let page: Value = http.get(url).send().await?.error_for_status()?.json().await?;
            entries.extend(page["logs"].as_array().cloned().unwrap_or_default());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        let routes: Value =
            http.get(format!("{collector}/api/v1/routes")).send().await?.error_for_status()?.json().await?;
        Ok(Self { entries, routes: routes["routes"].as_array().cloned().unwrap_or_default() })
    }

    /// The shop's requests by the id that their sender gave them.
    pub(crate) fn by_request_id(&self) -> HashMap<&str, Vec<&Value>> {
        let mut found: HashMap<&str, Vec<&Value>> = HashMap::new();
        for entry in self.entries.iter().filter(|e| e["kind"] == "request" && e["service"] == "shop") {
            found.entry(entry["request_id"].as_str().unwrap_or_default()).or_default().push(entry);
        }
        found
    }

    /// The entries of one trace that crosses both services, the longest one.
    pub(crate) fn widest_trace(&self) -> Vec<&Value> {
        let mut traces: HashMap<&str, Vec<&Value>> = HashMap::new();
        for entry in &self.entries {
            traces.entry(entry["trace_id"].as_str().unwrap_or_default()).or_default().push(entry);
        }
        let slowest =
            |trace: &Vec<&Value>| trace.iter().filter_map(|e| e["duration_ms"].as_f64()).fold(0.0, f64::max);
        let mut trace = traces
            .into_values()
            .filter(|t| t.iter().any(|e| e["service"] == "payments"))
            .max_by(|a, b| {
                (a.len(), slowest(a)).partial_cmp(&(b.len(), slowest(b))).unwrap_or(std::cmp::Ordering::Equal)
            })
            .unwrap_or_default();
        trace.sort_by(|a, b| {
            let start = |e: &Value| e["created_at"].as_f64().unwrap_or(0.0);
            start(a).total_cmp(&start(b))
        });
        trace
    }
}
