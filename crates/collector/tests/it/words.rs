//! Words looked for in many rows: what is passed over must not hold them.

use crate::support::{NOON, Server, request};
use hoplog_entry::EntryId;
use serde_json::{Value, json};

const ROWS: u64 = 20_000;

/// A message, of which one in a few thousand is like no other.
fn message(n: u64) -> String {
    match n {
        _ if n % 4_999 == 17 => format!("Rare Bird no. {n}"),
        _ => format!("order {} of customer {} placed", n * 7_919 % 100_000, n % 100),
    }
}

/// New ids of noon, all made by a thread of its own: another one's may be ahead.
fn ids(count: u64) -> Vec<String> {
    let make = move || (0..count).map(|_| EntryId::generate(NOON * 1_000).to_string()).collect();
    std::thread::spawn(make).join().unwrap()
}

fn send(server: &Server, from: u64, to: u64) {
    let entry = |(n, id): (u64, String)| {
        json!({"id": id, "message": message(n), "path": format!("/orders/{}", n * 31), "created_at": NOON - n % 3_600,
               "level": if n.is_multiple_of(50) { "ERROR" } else { "INFO" }})
    };
    let mut at = from;
    while at < to {
        let until = to.min(at + 5_000);
        server.send((at..until).zip(ids(until - at)).map(entry).collect());
        at = until;
    }
}

fn found(server: &Server, query: &str) -> Vec<String> {
    let logs = server.logs(&format!("?limit=1000&{query}"));
    let mut messages: Vec<String> =
        logs.iter().map(|log| log["message"].as_str().unwrap().to_owned()).collect();
    messages.sort();
    messages
}

fn expected(like: impl Fn(u64) -> bool) -> Vec<String> {
    let mut messages: Vec<String> = (0..ROWS).filter(|n| like(*n)).map(message).collect();
    messages.sort();
    messages
}

fn check(server: &Server) {
    for (query, like) in [
        ("q=rare+bird", Box::new(|n: u64| n % 4_999 == 17) as Box<dyn Fn(u64) -> bool>),
        ("q=%22RARE+BIRD%22&min_level=error", Box::new(|n: u64| n % 4_999 == 17 && n.is_multiple_of(50))),
        ("q=bird+17", Box::new(|n: u64| n % 4_999 == 17 && n.to_string().contains("17"))),
        ("q=no.+5016", Box::new(|n: u64| n == 5_016)),
        ("q=%2Forders%2F619969", Box::new(|n: u64| (n * 31).to_string().starts_with("619969"))),
        ("q=ord+bird", Box::new(|n: u64| n % 4_999 == 17)),
        ("q=%22customer+29+%22", Box::new(|n: u64| n % 100 == 29 && n % 4_999 != 17)),
        ("q=nowhere", Box::new(|_| false)),
    ] {
        assert_eq!(found(server, query), expected(like), "{query}");
    }
    let bars = server.get("/api/v1/histogram?q=rare").json();
    assert_eq!(bars["stored"], expected(|n| n % 4_999 == 17).len());
}

#[test]
fn words_are_found_in_every_block_old_and_new() {
    let server = Server::start();
    send(&server, 0, 9_000);
    // A file that is opened anew goes on where it was, also right after a full block.
    let server = Server::in_directory(server.stop(), |config| config);
    send(&server, 9_000, 12_288);
    let server = Server::in_directory(server.stop(), |config| config);
    send(&server, 12_288, ROWS);
    check(&server);
    let path = server.directory.path().join("logs-2026-03-10.db");
    let file = rusqlite::Connection::open(&path).unwrap();
    let (blocks, bytes): (u32, f64) = file
        .query_row("SELECT count(*), total(length(bits)) FROM grams", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    println!("FIGURE collector.words_bytes_per_entry {:.2} B", bytes / f64::from(blocks * 4_096));
    assert_eq!(u64::from(blocks), ROWS / 4_096);
    // The control: without what is known of it, a block is read; with what is wrong of it, it is passed over.
    file.execute("UPDATE grams SET bits = zeroblob(8)", []).unwrap();
    assert!(found(&server, "q=rare+bird").len() < expected(|n| n % 4_999 == 17).len());
    file.execute("DELETE FROM grams", []).unwrap();
    check(&server);
}

#[test]
fn places_of_deleted_rows_are_not_taken_again() {
    let server = Server::start();
    send(&server, 0, 5_000);
    server.send(json!([{"id": ids(1)[0], "message": "the last one", "user_id": "u1", "created_at": NOON}]));
    let seq = || -> i64 {
        let path = server.directory.path().join("logs-2026-03-10.db");
        let file = rusqlite::Connection::open(&path).unwrap();
        file.query_row("SELECT max(seq) FROM entries", [], |row| row.get(0)).unwrap()
    };
    let last = seq();
    let response = request(server.address, "DELETE", "/api/v1/logs?user_id=u1&dry_run=false", &[], b"");
    assert_eq!(response.json()["entries"], 1);
    assert_eq!(seq(), last - 1);
    server.send(json!([{"id": ids(1)[0], "message": "a new last one", "created_at": NOON}]));
    assert_eq!(seq(), last + 1);
    let logs: Vec<Value> = server.logs("?q=last+one");
    assert_eq!(logs.len(), 1);
}
