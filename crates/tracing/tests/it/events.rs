//! What an entry has of its event.

use std::error::Error;
use std::fmt;

use serde_json::json;
use tracing::{error, info, warn};

use super::{logged, logs};

#[test]
fn an_event_is_an_entry_with_its_level_target_module_and_place() {
    let entry = logs(|| warn!(target: "audit", "tea {}", "is low"));
    assert_eq!((&entry["message"], &entry["level"]), (&json!("tea is low"), &json!("WARN")));
    assert_eq!((&entry["target"], &entry["function_name"]), (&json!("audit"), &json!(module_path!())));
    assert!(entry["file_path"].as_str().unwrap().ends_with("events.rs"), "{entry}");
    assert_eq!((&entry["line"], &entry["kind"]), (&json!(13), &json!("event")));
    assert_eq!(entry["metadata"], json!(null), "no fields, no spans");
}

#[test]
fn every_level_has_its_own() {
    let entries = logged(|| {
        tracing::trace!("a");
        tracing::debug!("b");
        info!("c");
        warn!("d");
        error!("e");
    });
    let levels: Vec<_> = entries.iter().map(|entry| entry["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]);
}

#[test]
fn every_type_of_field_keeps_its_value() {
    #[derive(Debug)]
    struct Cup(#[expect(dead_code, reason = "read by Debug")] u8);
    let entry = logs(|| {
        info!(
            signed = -7_i64,
            unsigned = u64::MAX,
            wide = i128::MIN,
            unsigned_wide = u128::MAX,
            float = 9.5,
            nan = f64::NAN,
            yes = true,
            text = "a \"b\"\n\u{1}",
            shown = %"%",
            debug = ?Cup(3),
            bytes = b"tea".as_slice(),
            no_text = [0xff_u8, 0].as_slice(),
            absent = tracing::field::Empty,
            none = None::<u8>,
            r#type = "green",
            dotted.name = 1,
            "m",
        )
    });
    assert_eq!(entry["message"], "m");
    let expected = format!(
        r#"{{"signed":-7,"unsigned":{},"wide":{},"unsigned_wide":{},"float":9.5,"nan":null,"yes":true,
        "text":"a \"b\"\n\u0001","shown":"%","debug":"Cup(3)","bytes":"tea","no_text":"[2 bytes]","type":"green",
        "dotted.name":1}}"#,
        u64::MAX,
        i128::MIN,
        u128::MAX
    );
    assert_eq!(entry["metadata"], serde_json::from_str::<serde_json::Value>(&expected).unwrap());
}

#[derive(Debug)]
struct OrderFailed {
    source: std::io::Error,
}

impl fmt::Display for OrderFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("order failed")
    }
}

impl Error for OrderFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

fn failure() -> OrderFailed {
    OrderFailed { source: std::io::Error::other("disk on fire") }
}

#[test]
fn an_error_has_its_type_its_text_and_its_sources() {
    let failure = failure();
    let entry = logs(|| error!(error = &failure as &dyn Error, attempt = 2, "cannot order"));
    assert_eq!(entry["message"], "cannot order");
    assert_eq!(
        (&entry["error_type"], &entry["error_message"]),
        (&json!("OrderFailed"), &json!("order failed"))
    );
    let stack = entry["stack_trace"].as_str().unwrap();
    assert!(stack.starts_with("caused by: disk on fire"), "{stack}");
    assert_eq!(entry["metadata"], json!({"attempt": 2}));
    let entry = logs(|| error!(err = &failure.source as &dyn Error, "cannot write"));
    assert_eq!(
        (&entry["error_type"], &entry["error_message"]),
        (&json!("std::io::Error"), &json!("disk on fire"))
    );
}

#[test]
fn an_error_under_another_name_is_a_text_with_its_sources() {
    let entry = logs(|| warn!(reason = &failure() as &dyn Error, "again"));
    assert_eq!(entry["metadata"], json!({"reason": "order failed\ncaused by: disk on fire"}));
    assert_eq!(entry["error_type"], json!(null));
}

#[test]
fn an_event_without_a_message_says_its_error_or_else_its_name() {
    let said = |run: fn()| logs(run)["message"].clone();
    assert_eq!(said(|| error!(error = %failure())), "order failed");
    assert_eq!(said(|| error!(err = &failure() as &dyn Error)), "order failed");
    assert_eq!(said(|| info!(name: "order.placed", id = 1)), "order.placed");
    assert!(said(|| info!(id = 1)).as_str().unwrap().starts_with("event "), "its default name");
}

#[test]
fn fields_and_messages_are_masked_as_those_of_the_logger_are() {
    const CARD: &str = "4111111111111111";
    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let log = |span_password: &str| {
        let span =
            tracing::info_span!("s", user.api_key = "k-7-secret", db_password = span_password, note = "x");
        let _in = span.enter();
        span.record("note", format_args!("Bearer {JWT}"));
        info!(
            password = "hunter2-secret",
            pin = 1234,
            card_text = CARD,
            number = 4_111_111_111_111_111_u64,
            url = "https://bob:pass-secret@example.com/",
            debug = ?("token", JWT),
            bytes = JWT.as_bytes(),
            plain = "tea",
            "logged in with {JWT}"
        );
    };
    let entry = logs(|| log("db-secret"));
    let text = entry.to_string();
    for secret in ["secret", CARD, JWT, "1234", "dBjft"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let fields = &entry["metadata"];
    assert_eq!((&fields["plain"], &fields["password"]), (&json!("tea"), &json!("[redacted]")));

    // Field by field the same as by the logger.
    let capture = hoplog::testing::capture();
    let client = capture.client();
    client
        .info(format!("logged in with {JWT}"))
        .field("password", "hunter2-secret")
        .field("pin", 1234)
        .field("card_text", CARD)
        .field("number", 4_111_111_111_111_111_u64)
        .field("url", "https://bob:pass-secret@example.com/")
        .field("user.api_key", "k-7-secret")
        .field("db_password", "db-secret")
        .field("note", format!("Bearer {JWT}"))
        .send();
    let by_logger = &capture.entries()[0];
    assert_eq!(entry["message"], by_logger["message"]);
    for (name, value) in by_logger["metadata"].as_object().unwrap() {
        assert_eq!(fields[name], *value, "{name}");
    }
}

#[test]
fn long_values_are_cut_and_long_events_stay_within_a_record() {
    let long = "tea ".repeat(100_000);
    let entry = logs(|| info!(debug = ?long, shown = %long, "{long}"));
    let len = |value: &serde_json::Value| value.as_str().unwrap().len();
    assert!(len(&entry["message"]) <= 64 * 1024, "{}", len(&entry["message"]));
    for field in ["debug", "shown"] {
        assert!(len(&entry["metadata"][field]) <= 64 * 1024, "{field}");
    }
}
