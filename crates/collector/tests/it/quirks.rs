//! What the old clients do that nobody would think of: each is put right, none is refused, and what cannot be
//! represented is kept beside.

use super::Server;
use crate::support::{NOON, gzip};
use serde_json::{Value, json};

#[test]
fn each_quirk_of_the_old_clients_is_put_right_and_nothing_is_lost() {
    let server = Server::start();
    let uuid = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";
    // What is sent, and all that comes back of it.
    for (quirk, sent, back) in [
        (
            "numbers as text",
            r#"{"duration_ms":"12.25","status_code":"404","line":"7"}"#,
            json!({"duration_ms": 12.25, "status_code": 404, "line": 7}),
        ),
        ("ids as numbers", r#"{"user_id":42,"session_id":7}"#, json!({"user_id": "42", "session_id": "7"})),
        (
            "a trace id as a number",
            r#"{"trace_id":1234567890123456789}"#,
            json!({"trace_id": "1234567890123456789"}),
        ),
        (
            "a trace id of 36 characters",
            &format!(r#"{{"trace_id":"{uuid}"}}"#),
            json!({"trace_id": uuid.replace('-', "")}),
        ),
        (
            "a trace id of 40 characters",
            &format!(r#"{{"trace_id":"{}"}}"#, "a".repeat(40)),
            json!({"trace_id": "a".repeat(40)}),
        ),
        ("a stack as an array", r#"{"stack_trace":["  a","  b"]}"#, json!({"stack_trace": "  a\n  b"})),
        (
            "a stack with what is no text",
            r#"{"stack_trace":["a",{"b":1},2]}"#,
            json!({"stack_trace": "a\n{\"b\":1}\n2"}),
        ),
        ("metadata as text", r#"{"metadata":"{\"tags\":[\"a\"]}"}"#, json!({"metadata": {"tags": ["a"]}})),
        ("metadata that is no object", r#"{"metadata":"a, b"}"#, json!({"metadata": {"metadata": "a, b"}})),
        ("tags as text", r#"{"tags":"{\"a\":1}"}"#, json!({"metadata": {"tags": "{\"a\":1}"}})),
        ("milliseconds", r#"{"created_at":1773143999500}"#, json!({"created_at": NOON as f64 - 0.5})),
        (
            "milliseconds as text, under another name",
            r#"{"timestamp":"1773143999500"}"#,
            json!({"created_at": NOON as f64 - 0.5}),
        ),
        (
            "nanoseconds in RFC 3339",
            r#"{"created_at":"2026-03-10T12:00:00.123456789+00:00"}"#,
            json!({"created_at": NOON as f64 + 0.123_456}),
        ),
        (
            "two times",
            r#"{"created_at":1773143999,"timestamp":"2020-01-01T00:00:00Z"}"#,
            json!({"created_at": NOON - 1, "metadata": {"timestamp": "2020-01-01T00:00:00Z"}}),
        ),
        ("no time", r#"{"created_at":0}"#, json!({"created_at": NOON})),
        (
            "a time that is none",
            r#"{"created_at":"soon"}"#,
            json!({"created_at": NOON, "metadata": {"created_at": "soon"}}),
        ),
        (
            "NUL",
            "{\"message\":\"a\\u0000b\"}",
            json!({"message": "a\u{fffd}b", "metadata": {"hoplog_flags": ["replaced_values"]}}),
        ),
        (
            "half an emoji",
            "{\"message\":\"a\\ud83d\"}",
            json!({"message": "a\u{fffd}", "metadata": {"hoplog_flags": ["replaced_values"]}}),
        ),
        (
            "Python's NaN",
            r#"{"score":NaN}"#,
            json!({"metadata": {"score": null, "hoplog_flags": ["replaced_values"]}}),
        ),
        ("Python's levels", r#"{"level":"WARNING"}"#, json!({"level": "WARN"})),
        ("Python's worst level", r#"{"level":"critical"}"#, json!({"level": "FATAL"})),
        (
            "a level of its own",
            r#"{"level":"NOTICE"}"#,
            json!({"level": "INFO", "metadata": {"level": "NOTICE"}}),
        ),
        (
            "an environment that the old schema has not",
            r#"{"environment":"testing"}"#,
            json!({"environment": "testing"}),
        ),
        ("a method that the old schema has not", r#"{"method":"PURGE"}"#, json!({"method": "PURGE"})),
        (
            "a log type of its own",
            r#"{"log_type":"TOASTER"}"#,
            json!({"log_type": "BACKEND", "metadata": {"log_type": "TOASTER"}}),
        ),
        (
            "texts beyond the old limits",
            &format!(r#"{{"path":"/{}","error_type":"{}"}}"#, "p".repeat(2000), "e".repeat(900)),
            json!({"path": format!("/{}", "p".repeat(2000)), "error_type": "e".repeat(900)}),
        ),
        (
            "fields that the old server drops",
            r#"{"ip":"192.0.2.1","tenant_id":9,"cart":{"n":[1]}}"#,
            json!({"ip": "192.0.2.1", "tenant_id": "9", "metadata": {"cart": {"n": [1]}}}),
        ),
    ] {
        let entry = server.round_trip(sent);
        for (field, value) in back.as_object().unwrap() {
            assert_eq!(&entry[field], value, "{quirk}: {field}");
        }
        if back.get("metadata").is_none() {
            assert_eq!(entry["metadata"], Value::Null, "{quirk}");
        }
    }
    // Numbers that no float holds: to the last digit, or as text.
    let entry = server.round_trip(r#"{"big":123456789012345678901234567890,"huge":1e999}"#);
    let raw = server.get(&format!("/api/v1/logs/{}", entry["id"].as_str().unwrap())).body;
    let kept = r#""metadata":{"big":123456789012345678901234567890,"huge":"1e999","hoplog_flags":["replaced_values"]}"#;
    // PostgreSQL writes blanks between.
    assert!(raw.replace(": ", ":").replace(", ", ",").contains(kept), "{raw}");
}

#[test]
fn ids_of_any_version_in_any_form_are_known_again_and_without_one_each_entry_is_new() {
    let server = Server::start();
    for (id, shown) in [
        ("9f1c2d3e-4b5a-4c6d-8e7f-0a1b2c3d4e5f", "9f1c2d3e-4b5a-4c6d-8e7f-0a1b2c3d4e5f"),
        ("1B4E28BA2FA111D2883FB9A761BDE3FB", "1b4e28ba-2fa1-11d2-883f-b9a761bde3fb"),
    ] {
        let sent = json!([{"id": id, "message": "once"}]);
        assert_eq!(server.send(sent.clone())["accepted"], 1, "{id}");
        assert_eq!(server.send(sent)["duplicates"], 1, "{id}");
        assert_eq!(server.get(&format!("/api/v1/logs/{shown}")).json()["message"], "once");
    }
    let no_id = json!([{"id": "order-17"}, {"id": ""}, {"id": null}, {}]);
    assert_eq!(server.send(no_id.clone())["accepted"], 4);
    assert_eq!(server.send(no_id)["accepted"], 4);
    let odd = server.logs("?metadata.id=order-17");
    assert_eq!(odd.len(), 2, "an id that is none is kept");
}

#[test]
fn ten_thousand_entries_in_one_request_are_taken_by_every_route() {
    let server = Server::start();
    let logs: Vec<Value> = (0..10_000)
        .map(|n| json!({"message": format!("entry {n}"), "created_at": NOON, "level": "INFO", "n": n}))
        .collect();
    let body = json!({ "logs": logs }).to_string();
    for (path, count) in
        [("/logs", "count"), ("/api/v1/logs/batch", "count"), ("/api/v1/ingest/infra-logs", "")]
    {
        let answer = server.post(path, &[("content-encoding", "gzip")], &gzip(body.as_bytes()));
        assert_eq!(answer.status, 200, "{path}");
        let answer = answer.json();
        let taken = if count.is_empty() { &answer["data"]["accepted"] } else { &answer["accepted"] };
        assert_eq!(taken, 10_000, "{path}");
    }
    let records: Vec<Value> =
        (0..10_000).map(|n| json!({"body": {"stringValue": format!("entry {n}")}})).collect();
    let body = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).to_string();
    let answer = server.post("/v1/logs", &[], body.as_bytes());
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
    assert_eq!(server.get("/stats").json()["total_logs"], 40_000);
}

#[test]
fn a_number_that_no_float_holds_is_kept_and_spares_the_others() {
    let server = Server::start();
    let (far, id) = ("16331606e3631248106", "0190163d-8694-739b-aea5-966c26f8ad91");
    for path in ["/logs", "/api/v1/ingest/logs", "/api/v1/ingest/infra-logs"] {
        let body = format!(
            r#"{{"logs":[{{"scheme":{far},"duration_ms":{far},"x":{far}}},{{"message":"beside"}}]}}"#
        );
        let answer = server.post(path, &[], body.as_bytes());
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let answer = answer.json();
        let taken = if path == "/logs" { &answer["accepted"] } else { &answer["data"]["accepted"] };
        assert_eq!(taken, 2, "{path}: {answer}");
    }
    let body = format!(r#"{{"logs":[{{"id":"{id}","x":{far}}}]}}"#);
    assert_eq!(server.post("/logs", &[], body.as_bytes()).status, 200);
    let shown = server.get(&format!("/api/v1/logs/{id}"));
    assert!(shown.status == 200 && shown.body.contains(far), "{shown:?}");
}
