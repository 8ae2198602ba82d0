//! Whatever is in an entry, what becomes of it is JSON, and nothing panics.

use super::*;
use crate::budget::Budget;
use crate::ingest::entry::EntryLimits;
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::time::Duration;

const LIMITS: BatchLimits = BatchLimits { entries: 100, entry: EntryLimits { bytes: 64 * 1024, depth: 32 } };

/// The entries that a body makes.
fn entries(body: &[u8], form: Form) -> Result<Vec<Value>, String> {
    let parse = |text: &str| serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
    texts(body, form).map(|texts| texts.iter().map(|text| parse(text)).collect())
}

/// Likewise, as they are written.
fn texts(body: &[u8], form: Form) -> Result<Vec<String>, String> {
    let mut grant = Budget::new(64 << 20, Duration::ZERO).grant();
    let room = Room { grant: &mut grant, body: body.len(), most: 32 << 20 };
    let translated = translate(body, &[], form, &Sdk::default(), room, LIMITS);
    let translated = translated.map_err(|unread| format!("{unread:?}"))?;
    Ok(translated.texts().map(str::to_owned).collect())
}

/// Values as clients send them, and as they never should.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "MANUAL",
            "/_log/warn",
            "/api/v2/a",
            "panic",
            "a, b",
            "HTTP/1.1",
            "{",
            "{}",
            "503"
        ])
        .prop_map(Value::from),
        prop::sample::select(vec![
            json!([]),
            json!({}),
            json!(["a", 1, null]),
            json!({"A": "b", "a": ["c"]}),
            json!("{\"k\":[\"\\u0000\"]}"),
            json!("{\"a\":\"b\"} "),
            json!("[1]"),
            json!(0),
            json!(-0.0),
        ]),
    ]
}

fn entry() -> impl Strategy<Value = Value> {
    let names = entry::FIELDS.iter().map(|(name, _)| *name).chain([
        "uuid",
        "service_name",
        "project_slug",
        "client_ip",
        "client_ip_chain",
        "proto",
        "request_headers",
        "response_headers",
        "request_body",
        "is_error",
        "tags",
        "latency_breakdown",
        "duration_ms",
        "metadata",
        "level",
        "message",
        "source_name",
        "error_detail",
        "odd \" name",
    ]);
    let names = names.map(str::to_owned).collect::<Vec<_>>();
    prop::collection::btree_map(prop::sample::select(names), value(), 0..12)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_entry_becomes_json_and_its_tags_stay(entry in entry(), infra in any::<bool>()) {
        let form = if infra { Form::Infra } else { Form::Logs };
        let made = entries(json!({"logs": [entry, 17, entry]}).to_string().as_bytes(), form).unwrap();
        prop_assert_eq!(made.len(), 2, "what is no object makes none");
        prop_assert_eq!(&made[0], &made[1]);
        let tags = entry["tags"].as_object().filter(|tags| !tags.is_empty());
        if let (Some(tags), Form::Logs) = (tags, form) {
            prop_assert_eq!(made[0]["metadata"]["tags"].as_object(), Some(tags));
        }
    }

    #[test]
    fn no_bytes_make_a_panic_or_something_but_json(
        entry in entry(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut body = json!({ "logs": [entry] }).to_string().into_bytes();
        for (at, byte) in &flips {
            let at = at.index(body.len());
            body[at] ^= byte;
        }
        for form in [Form::Logs, Form::Infra] {
            // By its grammar (RFC 8259): a number may be one that no float holds.
            for text in texts(&body, form).unwrap_or_default() {
                let read = serde_json::from_str::<&RawValue>(&text);
                prop_assert!(read.is_ok(), "{:?}: {}", read, text);
            }
        }
    }
}
