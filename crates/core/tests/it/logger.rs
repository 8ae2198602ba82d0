//! Entries that the application writes itself.

use std::fmt;

use hoplog::testing::{capture, capture_with};
use hoplog::{Client, Level, RequestHead};
use serde_json::json;

#[test]
fn each_level_has_its_call() {
    let capture = capture();
    let client = capture.client();
    client.trace("1").send();
    client.debug("2").send();
    client.info("3").send();
    client.warn("4").send();
    client.error("5").send();
    client.fatal("6").send();
    client.log(Level::Warn, "7").send();
    let levels: Vec<String> =
        capture.entries().iter().map(|e| e["level"].as_str().unwrap().to_owned()).collect();
    assert_eq!(levels, ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "WARN"]);
}

#[test]
fn below_the_least_level_nothing_is_written_and_no_field_is_looked_at() {
    struct Untouchable;
    impl serde::Serialize for Untouchable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("nobody needs this value")
        }
    }
    let capture = capture_with(Client::builder().min_level(Level::Warn)).unwrap();
    capture.client().info("no").field("value", Untouchable).send();
    capture.client().warn("yes").send();
    let entries = capture.entries();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["message"], "yes");
    assert_eq!(capture.client().stats().accepted, 1);
}

#[test]
fn an_entry_without_send_is_none() {
    let capture = capture();
    let entry = capture.client().info("never sent");
    drop(entry);
    assert!(capture.entries().is_empty());
}

#[test]
fn fields_keep_their_types_and_the_last_of_a_name_counts() {
    let capture = capture();
    capture
        .client()
        .info("order placed")
        .field("order_id", 42)
        .field("total", 9.5)
        .field("paid", true)
        .field("items", ["tea", "cake"])
        .field("note", Option::<&str>::None)
        .field("order_id", 43)
        .user_id("u1")
        .session_id("s1")
        .tenant_id("t1")
        .send();
    let entry = &capture.entries()[0];
    let expected =
        json!({"order_id": 43, "total": 9.5, "paid": true, "items": ["tea", "cake"], "note": null});
    assert_eq!(entry["metadata"], expected);
    assert_eq!((&entry["user_id"], &entry["session_id"]), (&json!("u1"), &json!("s1")));
    assert_eq!(entry["tenant_id"], "t1");
    assert_eq!(entry["kind"], "event");
}

#[test]
fn a_value_that_cannot_be_serialized_says_so_in_its_place() {
    struct Broken;
    impl serde::Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no number today"))
        }
    }
    let capture = capture();
    capture.client().info("x").field("value", Broken).send();
    assert_eq!(capture.entries()[0]["metadata"]["value"], "[not serializable: no number today]");
}

#[test]
fn secret_names_keep_their_key_and_lose_their_value() {
    let capture = capture();
    let mut entry = capture.client().info("login");
    for name in ["password", "apiKey", "access_token", "client-secret", "Authorization"] {
        entry = entry.field(name, "hunter2");
    }
    entry.field("tokens_used", 7).send();
    let entry = &capture.entries()[0];
    for name in ["password", "apiKey", "access_token", "client-secret", "Authorization"] {
        assert_eq!(entry["metadata"][name], "[redacted]", "{name}");
    }
    assert!(!entry.to_string().contains("hunter2"));
}

#[test]
fn an_entry_names_the_line_that_wrote_it() {
    let capture = capture();
    let client = capture.client();
    client.info("here").send();
    let line = line!() - 1;
    let entry = &capture.entries()[0];
    assert_eq!((&entry["file_path"], &entry["line"]), (&json!(file!()), &json!(line)));
}

#[test]
fn an_error_is_told_with_its_type_and_its_causes() {
    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the order cannot be read")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let capture = capture();
    let error = Outer("x".parse::<i32>().unwrap_err());
    capture.client().error("charge failed").error(&error).send();
    let entry = &capture.entries()[0];
    assert!(entry["error_type"].as_str().unwrap().ends_with("Outer"), "{}", entry["error_type"]);
    assert_eq!(entry["error_message"], "the order cannot be read");
    assert_eq!(entry["stack_trace"], "caused by: invalid digit found in string");
    assert_eq!(entry["message"], "charge failed");
}

#[test]
fn an_entry_is_tied_to_the_request_it_is_written_in() {
    let capture = capture();
    let client = capture.client();
    let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
    let headers = [("x-request-id", b"r-1".as_slice()), ("x-trace-id", b"order-4711")];
    let mut exchange = client.begin_request(&head, || headers.into_iter()).unwrap();
    exchange.poll(|| client.info("inside").send());
    client.info("outside").send();
    drop(exchange);
    let entries = capture.entries();
    let find = |message: &str| entries.iter().find(|e| e["message"] == message).unwrap();
    let (inside, outside) = (find("inside"), find("outside"));
    let request = entries.iter().find(|e| e["kind"] == "request").unwrap();
    for id in ["trace_id", "span_id", "request_id", "x_trace_id"] {
        assert!(request[id].is_string(), "{id}");
        assert_eq!(inside[id], request[id], "{id}");
        assert!(outside[id].is_null(), "{id}");
    }
    assert_ne!(inside["id"], request["id"]);
}

#[test]
fn secrets_go_from_messages_errors_and_fields_whatever_their_names() {
    const CARD: &str = "4111111111111111";
    const KEY: &str = "sk_live_0123456789abcdef";
    let inner =
        std::io::Error::other(format!("GET https://bob:hunter2@example.com/?token=hunter2 with {KEY}"));
    let error = std::io::Error::other(inner);
    let capture = capture();
    capture
        .client()
        .error(format!("card {CARD} declined"))
        .field("note", format!("Bearer {KEY}"))
        .field(
            "deep",
            json!([{"a": {"text": format!("line\n{CARD}"), "n": 4111111111111111_u64, "pin": [1]}}]),
        )
        .field("count", 3)
        .error(&error)
        .send();
    let entry = &capture.entries()[0];
    let text = entry.to_string();
    for secret in [CARD, "hunter2", "0123456789abcdef"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(entry["message"], "card [redacted] declined");
    let expected = json!([{"a": {"text": "line\n[redacted]", "n": "[redacted]", "pin": "[redacted]"}}]);
    assert_eq!(entry["metadata"], json!({"note": "Bearer [redacted]", "deep": expected, "count": 3}));
    let message = "GET https://[redacted]@example.com/?token=[redacted] with [redacted]";
    assert_eq!(entry["error_message"], message);
}

#[test]
fn rules_may_hash_or_drop_and_a_hook_that_panics_costs_its_field() {
    let redaction = hoplog::Redaction::default()
        .treat_name("email", hoplog::Treatment::Hash)
        .treat_name("draft", hoplog::Treatment::Drop)
        .hash_key("0123456789abcdef")
        .custom(|_, name, _| if name == "odd" { panic!("no idea") } else { None });
    let capture = capture_with(Client::builder().redaction(redaction)).unwrap();
    for _ in 0..2 {
        let entry = capture.client().info("x").field("email", "b@x.org").field("draft", 1);
        entry.field("odd", "KANARIENVOGEL").field("even", 2).send();
    }
    let entries = capture.entries();
    let fields = &entries[0]["metadata"];
    assert_eq!(fields["email"], entries[1]["metadata"]["email"], "equal values can be joined");
    assert!(fields["email"].as_str().unwrap().starts_with("hmac:"));
    assert_eq!((&fields["draft"], &fields["odd"]), (&json!(null), &json!("[redaction failed]")));
    assert_eq!(fields["even"], 2);
}

#[test]
fn secrets_go_from_names_of_fields_from_ids_and_from_what_cannot_be_serialized() {
    struct Unwilling;
    impl serde::Serialize for Unwilling {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no place for password=hunter2, nor for 4711"))
        }
    }
    const KEY: &str = "sk_live_0123456789abcdef";
    let capture = capture();
    let entry = capture.client().info("x").user_id(KEY).session_id("s-1").tenant_id(KEY);
    entry.field(KEY, 1).field("password", Unwilling).field("value", Unwilling).send();
    let entry = &capture.entries()[0];
    let note = "[not serializable: no place for password=[redacted], nor for 4711]";
    let expected = json!({"[redacted]": 1, "password": "[redacted]", "value": note});
    assert_eq!(entry["metadata"], expected);
    let ids = ["user_id", "session_id", "tenant_id"].map(|id| entry[id].as_str().unwrap());
    assert_eq!(ids, ["[redacted]", "s-1", "[redacted]"]);
}
