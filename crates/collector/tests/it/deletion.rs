//! Entries out for good: deleted, exported.

use super::Server;
use crate::support::{NOON, id_of, request};
use serde_json::{Value, json};
use std::collections::HashSet;

const DAY: u64 = 86_400;

fn delete(server: &Server, query: &str) -> Value {
    let response = request(server.address, "DELETE", &format!("/api/v1/logs{query}"), &[], b"");
    assert_eq!(response.status, 200, "{query}: {response:?}");
    response.json()
}

fn bytes_on_disk(server: &Server, needle: &str) -> usize {
    let files = std::fs::read_dir(server.directory.path()).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|path| path.is_file())
        .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).matches(needle).count())
        .sum()
}

#[test]
fn what_is_deleted_is_in_no_answer_and_not_on_the_disk() {
    let server = Server::start();
    let entry = |n: u64, user: &str| {
        json!({"id": id_of(NOON - n % 2 * DAY), "message": format!("of {user}"), "user_id": user, "created_at": NOON - n,
        "level": if n.is_multiple_of(3) { "ERROR" } else { "INFO" }, "service": "shop", "kind": "request", "weight": 2})
    };
    let mut logs: Vec<Value> = (0..1_200).map(|n| entry(n, "ann-lee-7")).collect();
    logs.extend((0..100).map(|n| entry(n, "bob")));
    // A request that is still told of as open, and one whose end has hidden that.
    logs.push(
        json!({"kind": "running", "user_id": "ann-lee-7", "exchange_id": id_of(NOON), "created_at": NOON}),
    );
    let ended = id_of(NOON);
    logs.push(json!({"kind": "running", "user_id": "ann-lee-7", "exchange_id": ended, "created_at": NOON}));
    logs.push(json!({"id": ended, "user_id": "bob", "message": "of bob", "created_at": NOON, "weight": 2, "service": "shop"}));
    server.send(json!(logs));
    assert_eq!(
        delete(&server, "?user_id=ann-lee-7"),
        json!({"entries": 1_202, "deleted": false}),
        "told first"
    );
    assert_eq!(server.logs("?user_id=ann-lee-7&limit=1").len(), 1);
    assert_eq!(
        delete(&server, "?user_id=ann-lee-7&dry_run=false"),
        json!({"entries": 1_202, "deleted": true})
    );
    assert_eq!(server.logs("?user_id=ann-lee-7").len(), 0);
    assert_eq!(server.logs("?limit=1000").len(), 101);
    let stats = server.get("/stats").json();
    assert_eq!((&stats["stored"], &stats["total_logs"]), (&json!(101), &json!(202)));
    assert_eq!(
        stats["level_distribution"],
        json!([{"level": "INFO", "count": 134}, {"level": "ERROR", "count": 68}])
    );
    assert_eq!(server.get("/api/v1/histogram").json()["stored"], 101);
    // The whole batch once more: a retry that comes late.
    let answer = server.send(json!(logs));
    let new_ones = 2; // those that came without an id
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(new_ones), &json!(1_303 - new_ones)));
    assert_eq!(delete(&server, "?user_id=ann-lee-7&dry_run=false")["entries"], new_ones);
    // Also after a restart, and after retention took the day.
    let server = Server::in_directory(server.stop(), |config| config);
    if server.files().is_some() {
        assert_eq!(bytes_on_disk(&server, "ann-lee-7"), 0);
        assert!(bytes_on_disk(&server, "bob") > 0, "a control");
    }
    assert_eq!(server.send(json!(logs[..1_200]))["duplicates"], 1_200);
    let server = Server::in_directory(server.stop(), |config| config.retention_days(1));
    server.clock.set(NOON + 2 * DAY);
    let server = Server::in_directory(server.stop(), |config| {
        config
            .retention_days(1)
            .clock(|| std::time::UNIX_EPOCH + std::time::Duration::from_secs(NOON + 2 * DAY))
    });
    assert_eq!(server.get("/stats").json()["stored"], 0);
    assert_eq!(server.send(json!(logs[..1_200]))["duplicates"], 1_200);
}

#[test]
fn a_deletion_without_a_filter_or_a_key_for_it_is_refused() {
    let server = Server::start();
    server.send(json!([{"message": "stays"}]));
    for query in ["", "?dry_run=false", "?user_id=&dry_run=false"] {
        let response = request(server.address, "DELETE", &format!("/api/v1/logs{query}"), &[], b"");
        assert_eq!(response.status, 400, "{query}: {response:?}");
        assert!(response.body.contains("a filter is needed"), "{query}: {response:?}");
    }
    let response = request(server.address, "DELETE", "/api/v1/logs?user=1&dry_run=false", &[], b"");
    assert_eq!((response.status, response.json()["parameter"].as_str()), (400, Some("user")));
    assert_eq!(server.logs("").len(), 1);
    let keyed = Server::with(|config| config.api_key("hl_key"));
    for (method, path) in [("DELETE", "/api/v1/logs?user_id=a"), ("GET", "/api/v1/export")] {
        assert_eq!(request(keyed.address, method, path, &[], b"").status, 401, "{method} {path}");
    }
}

#[test]
fn an_export_has_every_entry_once_a_line_each() {
    let server = Server::start();
    let entry = |n: u64| json!({"id": id_of(NOON - n % 3 * DAY), "message": format!("m{n}"), "user_id": format!("u{}", n % 2), "created_at": NOON - n});
    server.send((0..1_300).map(entry).collect());
    // Line breaks between the tokens of metadata, which is kept as it came.
    let body =
        format!("{{\"logs\":[{{\"user_id\":\"u0\",\"created_at\":{NOON},\"metadata\":{{\"x\":\r\n 1}}}}]}}");
    assert_eq!(server.post("/logs", &[], body.as_bytes()).status, 200);
    let lines = |query: &str| -> Vec<Value> {
        let response = server.get(&format!("/api/v1/export{query}"));
        assert_eq!((response.status, response.header("content-type")), (200, Some("application/x-ndjson")));
        // The body comes in chunks.
        let text: String =
            response.body.split("\r\n").filter(|part| usize::from_str_radix(part, 16).is_err()).collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = lines("");
    assert_eq!(all.len(), 1_301);
    let ids: HashSet<String> = all.iter().map(|entry| entry["id"].to_string()).collect();
    assert_eq!(ids.len(), 1_301);
    assert_eq!(all[5], server.get(&format!("/api/v1/logs/{}", all[5]["id"].as_str().unwrap())).json());
    assert_eq!(lines("?user_id=u1").len(), 650);
    assert_eq!(lines("?user_id=nobody").len(), 0);
    assert_eq!(server.get("/api/v1/export?limit=1").status, 400);
}
