//! What the demo shows, and whether it was right.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use serde_json::Value;

use crate::stored::Stored;
use crate::traffic::{SECRETS, Sent};

type Logs<'a> = [(&'a str, &'a hoplog::Client)];

pub(crate) async fn print(
    address: &str,
    sent: &Sent,
    stored: &Stored,
    logs: &Logs<'_>,
) -> Result<(), Box<dyn Error>> {
    let answers: Vec<String> = sent.answers.iter().map(|(a, n)| format!("{a} ×{n}")).collect();
    println!(
        "sent       {} requests in {:.1} s: {}",
        sent.ids.len(),
        sent.took.as_secs_f64(),
        answers.join(", ")
    );
    let mut kinds = BTreeMap::new();
    let mut outcomes = BTreeMap::new();
    for entry in &stored.entries {
        *kinds.entry(entry["kind"].as_str().unwrap_or("?")).or_insert(0) += 1;
        if entry["kind"] == "request" {
            *outcomes.entry(entry["outcome"].as_str().unwrap_or("?")).or_insert(0) += 1;
        }
    }
    println!("stored     {} entries: {}", stored.entries.len(), counts(&kinds));
    println!("outcomes   {}", counts(&outcomes));

    println!(
        "\n{:<10}{:<7}{:<26}{:>9}{:>8}{:>11}{:>11}",
        "service", "method", "route", "requests", "errors", "p50 ms", "p95 ms"
    );
    for route in &stored.routes {
        println!(
            "{:<10}{:<7}{:<26}{:>9}{:>8}{:>11.2}{:>11.2}",
            text(route, "service"),
            text(route, "method"),
            route["route"].as_str().unwrap_or("(none)"),
            route["requests"].as_u64().unwrap_or(0),
            route["errors"].as_u64().unwrap_or(0),
            route["duration_ms"]["p50"].as_f64().unwrap_or(0.0),
            route["duration_ms"]["p95"].as_f64().unwrap_or(0.0),
        );
    }

    let trace = stored.widest_trace();
    if let Some(first) = trace.first() {
        println!("\ntrace {}", text(first, "trace_id"));
        draw(&trace);
        println!("  {address}/api/v1/traces/{}", text(first, "trace_id"));
    }

    println!();
    for (service, log) in logs {
        let stats = log.stats();
        for d in &stats.destinations {
            println!(
                "{service:<10} {} entries accepted, {} delivered, {} lost, {} pending; {} bytes as JSON, {} sent ({:.0} % saved)",
                stats.accepted,
                d.delivered,
                stats.lost(),
                d.queued + d.in_flight,
                d.bytes_raw,
                d.bytes_sent,
                100.0 - d.bytes_sent as f64 * 100.0 / d.bytes_raw.max(1) as f64,
            );
        }
    }
    Ok(())
}

fn counts(of: &BTreeMap<&str, u32>) -> String {
    of.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or("")
}

/// A line per entry: a bar from its start to its end, indented under the span that caused it.
fn draw(trace: &[&Value]) {
    const WIDTH: f64 = 36.0;
    let start = |e: &Value| e["created_at"].as_f64().unwrap_or(0.0) * 1_000.0;
    let length = |e: &Value| e["duration_ms"].as_f64().unwrap_or(0.0);
    let from = trace.first().map_or(0.0, |e| start(e));
    let to = trace.iter().map(|e| start(e) + length(e)).fold(from, f64::max);
    let scale = WIDTH / (to - from).max(0.001);
    for entry in trace {
        let at = ((start(entry) - from) * scale) as usize;
        let bar = if entry["kind"] == "event" {
            "·".into()
        } else {
            "█".repeat(((length(entry) * scale) as usize).max(1))
        };
        let what = if entry["kind"] == "outgoing" { "→ " } else { "" };
        let label = format!("{}{what}{}", "  ".repeat(depth(entry, trace)), text(entry, "message"));
        let ms = entry["duration_ms"].as_f64().map_or(String::new(), |ms| format!("{ms:8.2} ms"));
        println!("  {:<9}{label:<34} {:<38}{ms}", text(entry, "service"), format!("{}{bar}", " ".repeat(at)));
    }
}

/// How many spans stand above an entry. An event stands under the span in which it was said.
fn depth(entry: &Value, trace: &[&Value]) -> usize {
    let mut depth = usize::from(entry["kind"] == "event");
    let mut above = entry["parent_span_id"].as_str();
    if entry["kind"] == "event" {
        above = span(entry["span_id"].as_str(), trace).and_then(|e| e["parent_span_id"].as_str());
    }
    while let Some(parent) = span(above, trace).filter(|_| depth < 8) {
        depth += 1;
        above = parent["parent_span_id"].as_str();
    }
    depth
}

fn span<'a>(id: Option<&str>, trace: &[&'a Value]) -> Option<&'a Value> {
    trace.iter().copied().find(|e| e["kind"] != "event" && id.is_some() && e["span_id"].as_str() == id)
}

/// Every request stored one time, nothing lost, no secret anywhere in the store's files. Says what is wrong.
pub(crate) fn verdict(
    sent: &Sent,
    stored: &Stored,
    store: &Path,
    logs: &Logs<'_>,
) -> Result<bool, Box<dyn Error>> {
    let mut wrong = Vec::new();
    let found = stored.by_request_id();
    for id in &sent.ids {
        match found.get(id.as_str()).map_or(0, Vec::len) {
            1 => {}
            n => wrong.push(format!("request {id} is stored {n} times")),
        }
    }
    if found.len() != sent.ids.len() {
        wrong.push(format!(
            "{} requests were sent, {} different ones are stored",
            sent.ids.len(),
            found.len()
        ));
    }
    for (service, log) in logs {
        let stats = log.stats();
        if stats.lost() + stats.pending() > 0 {
            wrong.push(format!(
                "{service}: {} entries lost, {} not delivered",
                stats.lost(),
                stats.pending()
            ));
        }
    }
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(store)? {
        let path = file?.path();
        if path.is_file() {
            bytes.extend(std::fs::read(path)?);
        }
    }
    let answers = serde_json::to_string(&stored.entries)?;
    for secret in SECRETS {
        let needle = secret.as_bytes();
        if answers.contains(secret) || bytes.windows(needle.len()).any(|w| w == needle) {
            wrong.push(format!("the secret {secret} is in the store"));
        }
    }
    // A search that could not find anything would prove nothing.
    if !bytes.windows(10).any(|w| w == b"demo-00000") {
        wrong
            .push("the store's files do not hold what was sent: the search for secrets shows nothing".into());
    }
    for line in &wrong {
        println!("WRONG      {line}");
    }
    if wrong.is_empty() {
        println!(
            "checked    every request sent is stored one time, nothing is lost, none of {} secrets is in the store",
            SECRETS.len()
        );
    }
    Ok(wrong.is_empty())
}
