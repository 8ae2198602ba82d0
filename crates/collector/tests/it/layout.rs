//! Files of an older layout: served and written to like any other.

use crate::support::{NOON, Server, TempDir};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn write_layout_1(directory: &Path) {
    let connection = rusqlite::Connection::open(directory.join("logs-2026-03-10.db")).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    connection.execute_batch(include_str!("layout-1.sql")).unwrap();
}

fn version(directory: &Path) -> i64 {
    let connection = rusqlite::Connection::open(directory.join("logs-2026-03-10.db")).unwrap();
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_file_of_layout_1_is_read_counted_and_written_to() {
    let directory = Arc::new(TempDir::new());
    write_layout_1(directory.path());
    let server = Server::in_directory(Arc::clone(&directory), |config| config);
    assert_eq!(version(directory.path()), 5);

    let stats = server.get("/stats").json();
    // Four rows, one of weight 4, one of them running.
    assert_eq!((&stats["stored"], &stats["total_logs"]), (&json!(4), &json!(7)));
    assert_eq!(
        stats["level_distribution"],
        json!([{"level": "ERROR", "count": 4}, {"level": "INFO", "count": 3}])
    );
    assert_eq!(server.get("/api/v1/routes").json()["routes"][0]["requests"], 5);
    let messages: Vec<Value> = server.logs("").iter().map(|log| log["message"].clone()).collect();
    assert_eq!(messages, ["GET /feed", "hello", "GET /users/{id} 200", "GET /users/{id} 500"]);

    let old = server.get("/api/v1/logs/019cd79e-4600-7444-b57a-9c4a988035f1").json();
    for (field, value) in [
        ("status_code", json!(500)),
        ("span_id", json!("00f067aa0ba902b7")),
        ("request_headers", json!({"accept": ["*/*"]})),
        ("metadata", json!({"zone": "a"})),
        ("weight", json!(4.0)),
        ("slow", Value::Null),
        ("client_type", Value::Null),
        ("longest_gap_ms", Value::Null),
        ("browser", Value::Null),
    ] {
        assert_eq!(old[field], value, "{field}");
    }
    for (query, found) in [
        ("?slow=true", 0),
        ("?slow=false", 4),
        ("?level=ERROR", 1),
        ("?client_type=web", 0),
        ("?kind=running", 1),
        ("?trace_id=4bf92f3577b34da6a3ce929d0e0e4736", 1),
    ] {
        assert_eq!(server.logs(query).len(), found, "{query}");
    }

    // A copy of what is there, the end of what was open, and one with all that is new.
    let answer = server.send(json!([
        {"id": "019cd79e-4600-7444-b57a-9c4a988035f2"},
        {"id": "019cd79e-4600-7444-b57a-9c4a988035f5", "kind": "request", "message": "feed ended", "slow": true},
        {"message": "new", "slow": true, "client_type": "web", "linked_trace_id": TRACE, "level": "ERROR", "created_at": NOON},
    ]));
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(2), &json!(1)));
    assert_eq!(server.logs("?kind=running").len(), 0);
    assert_eq!(server.logs("?slow=true").len(), 2);
    assert_eq!(server.logs("?level=ERROR").len(), 2);
    assert_eq!(server.get("/stats").json()["stored"], 5);

    let server = Server::in_directory(server.stop(), |config| config);
    assert_eq!(server.logs("").len(), 5, "and after a restart");
}

#[test]
fn a_file_of_layout_1_that_appears_while_served_is_written_to() {
    let server = Server::start();
    write_layout_1_elsewhere(&server);
    assert_eq!(server.send(json!([{"message": "new", "slow": true}]))["accepted"], 1);
    assert_eq!(server.logs("?slow=true").len(), 1);
    assert_eq!(server.logs("").len(), 5);
}

/// As a restore does: the whole file, in one step.
fn write_layout_1_elsewhere(server: &Server) {
    let elsewhere = TempDir::new();
    write_layout_1(elsewhere.path());
    let name = "logs-2026-03-10.db";
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(server.directory.path().join(format!("{name}{suffix}")));
    }
    std::fs::rename(elsewhere.path().join(name), server.directory.path().join(name)).unwrap();
}
