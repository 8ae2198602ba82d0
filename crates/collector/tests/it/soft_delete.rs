//! Entries that are marked as deleted, as the old schema has it: kept, and in no answer.

use super::Server;
use crate::support::{NOON, id_of, request};
use serde_json::{Value, json};

const SHOWN: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const HIDDEN: &str = "4bf92f3577b34da6a3ce929d0e0e4737";

/// A failed request of its own route and trace.
fn entry(message: &str, trace: &str) -> Value {
    json!({"id": id_of(NOON - 5), "message": message, "service": format!("service-{message}"), "level": "ERROR",
           "method": "GET", "path": "/p", "route": format!("/{message}"), "status_code": 500, "trace_id": trace,
           "error_type": format!("type-{message}"), "created_at": NOON - 5, "duration_ms": 3, "weight": 2,
           "span_id": "00f067aa0ba902b7", "user_id": "u"})
}

fn marked(message: &str, trace: &str) -> Value {
    let mut entry = entry(message, trace);
    entry["deleted"] = json!(true);
    entry
}

fn answers(server: &Server, id: &str) -> Vec<(String, String)> {
    let paths = [
        "/stats".to_owned(),
        "/api/v1/services".to_owned(),
        "/api/v1/routes".to_owned(),
        "/api/v1/errors".to_owned(),
        "/api/v1/traces".to_owned(),
        "/api/v1/histogram?by=service".to_owned(),
        "/api/v1/logs".to_owned(),
        "/api/v1/logs?level=ERROR&q=message".to_owned(),
        "/api/v1/export".to_owned(),
        format!("/api/v1/logs/{id}"),
        format!("/api/v1/traces/{HIDDEN}"),
    ];
    paths.into_iter().map(|path| (path.clone(), server.get(&path).body)).collect()
}

#[test]
fn what_comes_marked_as_deleted_is_kept_and_in_no_answer() {
    let server = Server::start();
    let (seen, gone) = (entry("message-seen", SHOWN), marked("message-gone", HIDDEN));
    let mut unmarked = entry("message-unmarked", SHOWN);
    unmarked["deleted"] = json!(false);
    server.send(json!([seen, gone, unmarked]));
    let id = gone["id"].as_str().unwrap();
    let check = |server: &Server| {
        for (path, body) in answers(server, id) {
            assert!(!body.contains("message-gone"), "{path}: {body}");
            let is_of_it = path.contains(id) || path.contains(HIDDEN);
            assert!(is_of_it || path.contains("stats") || body.contains("message-seen"), "{path}: {body}");
        }
        assert_eq!(server.get(&format!("/api/v1/logs/{id}")).status, 404);
        assert_eq!(server.get(&format!("/api/v1/traces/{HIDDEN}")).status, 404);
        let stats = server.get("/stats").json();
        assert_eq!((&stats["stored"], &stats["total_logs"]), (&json!(2), &json!(4)));
        assert_eq!(stats["recent_errors_1h"], 4);
        assert_eq!(server.get("/api/v1/histogram").json()["stored"], 2);
    };
    check(&server);
    // It is there: a copy is known, and an erasure reaches it.
    assert_eq!(server.send(json!([gone]))["duplicates"], 1);
    let server = Server::in_directory(server.stop(), |config| config);
    check(&server);
    let erase = |query: &str| {
        let path = format!("/api/v1/logs?user_id=u{query}");
        request(server.address, "DELETE", &path, &[], b"").json()["entries"].clone()
    };
    assert_eq!(erase(""), 3);
    assert_eq!(erase("&dry_run=false"), 3);
    assert_eq!(server.get("/stats").json()["stored"], 0);
    assert_eq!(server.send(json!([gone]))["duplicates"], 1);
}

#[test]
fn a_follower_passes_over_what_is_marked() {
    let server = Server::start();
    server.send(json!([entry("message-before", SHOWN)]));
    let mut tail = crate::support::connect(server.address);
    use std::io::{Read as _, Write as _};
    tail.write_all(b"GET /api/v1/tail HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let (mut told, mut bytes) = (String::new(), [0; 4_096]);
    let mut read_until = |part: &str| {
        while !told.contains(part) {
            let n = tail.read(&mut bytes).unwrap();
            assert!(n > 0, "it ended without {part}: {told}");
            told.push_str(&String::from_utf8_lossy(&bytes[..n]));
        }
        told.clone()
    };
    read_until("\r\n\r\n");
    server.send(json!([marked("message-gone", HIDDEN), entry("message-after", SHOWN)]));
    let told = read_until("message-after");
    assert!(!told.contains("message-gone"), "{told}");
}

#[test]
fn a_request_whose_end_is_marked_is_not_told_of_as_open() {
    let server = Server::start();
    let end = marked("message-end", SHOWN);
    let open = json!({"kind": "running", "exchange_id": end["id"], "message": "message-open", "created_at": NOON - 9});
    server.send(json!([open]));
    assert_eq!(server.logs("").len(), 1);
    server.send(json!([end]));
    assert_eq!(server.logs("").len(), 0);
    assert_eq!(server.get("/stats").json()["stored"], 0);
}

#[test]
fn a_field_of_the_applications_own_hides_nothing() {
    let server = Server::start();
    // A client of ours says who it is, and its fields have any name.
    let body = json!({"source": {"service": "shop"}, "logs": [{"message": "row gone", "deleted": true}]});
    assert_eq!(server.post("/logs", &[], body.to_string().as_bytes()).status, 200);
    let otlp = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "otlp"},
        "attributes": [{"key": "deleted", "value": {"boolValue": true}}]}]}]}]});
    assert_eq!(server.post("/v1/logs", &[], otlp.to_string().as_bytes()).status, 200);
    // A text is no mark.
    server.send(json!([{"message": "as text", "deleted": "true"}, {"message": "of a user", "metadata": {"deleted": true}}]));
    let logs = server.logs("");
    assert_eq!(logs.len(), 4, "{logs:?}");
    assert!(logs.iter().all(|log| !log["metadata"]["deleted"].is_null()), "{logs:?}");
}
