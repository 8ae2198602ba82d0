//! Records of the `log` crate, turned into events by `tracing-log`.

use hoplog::testing::capture_with;
use hoplog::{Client, Level};
use serde_json::json;
use tracing_subscriber::prelude::*;

use super::{logs, messages};

/// One for the process: `log` knows one logger.
fn tracer() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| tracing_log::LogTracer::init().unwrap());
}

#[test]
fn a_record_is_an_entry_that_says_where_it_comes_from() {
    tracer();
    let entry = logs(|| {
        let _span = tracing::info_span!("around", a = 1).entered();
        log::warn!(target: "legacy::db", "slow: {}", 7);
    });
    assert_eq!((&entry["message"], &entry["level"]), (&json!("slow: 7"), &json!("WARN")));
    assert_eq!((&entry["target"], &entry["function_name"]), (&json!("legacy::db"), &json!(module_path!())));
    assert!(entry["file_path"].as_str().unwrap().ends_with("logs.rs") && entry["line"].is_u64(), "{entry}");
    assert_eq!(entry["metadata"], json!({"a": 1, "spans": ["around"]}), "nothing of `log.*`");
}

#[test]
fn records_go_by_their_own_target() {
    tracer();
    let builder = Client::builder().min_level(Level::Info).min_level_of("chatty", Level::Debug);
    let capture = capture_with(builder.min_level_of("muted", Level::Fatal)).unwrap();
    let subscriber = tracing_subscriber::registry().with(hoplog_tracing::layer(capture.client()));
    tracing::subscriber::with_default(subscriber, || {
        log::debug!(target: "chatty::part", "one");
        log::debug!(target: "other", "two");
        log::info!(target: "other", "three");
        log::error!(target: "muted", "four");
        log::error!(target: "hoplog::worker", "five");
    });
    assert_eq!(messages(&capture.entries()), ["one", "three"]);
}

#[test]
fn records_are_masked() {
    tracer();
    let entry = logs(|| log::info!("sent password=hunter2 to https://bob:geheim@example.com/"));
    let text = entry.to_string();
    assert!(!text.contains("hunter2") && !text.contains("geheim"), "{text}");
}
