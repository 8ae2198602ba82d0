//! Requests that are still open: shown until the final entry is there, and in no answer from then on.

use super::Server;
use crate::support::{NOON, id_of};
use hoplog_entry::EntryId;
use serde_json::{Value, json};

const DAY: u64 = 86_400;
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn running(id: &str, exchange: &str) -> Value {
    json!({"id": id, "kind": "running", "exchange_id": exchange, "message": "open", "service": "shop",
           "method": "GET", "route": "/feed", "trace_id": TRACE, "created_at": NOON - 40, "weight": 3})
}

fn ended(id: &str) -> Value {
    json!({"id": id, "kind": "request", "message": "done", "service": "shop", "method": "GET", "route": "/feed",
           "trace_id": TRACE, "created_at": NOON - 40, "duration_ms": 39_000, "level": "ERROR", "weight": 3})
}

/// What every kind of question says: list, list of running ones, trace, rows and weighted count of the totals,
/// entries of the service, requests of the route.
fn answers(server: &Server) -> (String, usize, String, [Value; 4]) {
    let messages = |logs: &[Value]| {
        logs.iter().map(|log| log["message"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    };
    let list = messages(&server.logs(""));
    let open = server.logs("?kind=running").len();
    let trace = server.get(&format!("/api/v1/traces/{TRACE}")).json();
    let stats = server.get("/stats").json();
    let service = server.get("/api/v1/services").json()["services"][0]["entries"].clone();
    let requests = server.get("/api/v1/routes").json()["routes"][0]["requests"].clone();
    let counts = [stats["stored"].clone(), stats["total_logs"].clone(), service, requests];
    (list, open, messages(trace["logs"].as_array().unwrap()), counts)
}

#[test]
fn whichever_comes_first_and_wherever_it_lies_only_one_is_counted_and_shown() {
    // Where the two ids say that they lie, and whether the final entry comes first.
    for (begun, shown_at) in [(NOON - 40, NOON), (NOON - DAY, NOON), (NOON, NOON - DAY)] {
        let (last, first) = (id_of(begun), id_of(shown_at));
        for order in ["open, done", "done, open", "one batch", "one batch, done before open"] {
            let server = Server::start();
            let (open, done) = (running(&first, &last), ended(&last));
            match order {
                "open, done" => {
                    server.send(json!([open]));
                    let counts = [json!(1), json!(3), json!(3), Value::Null];
                    assert_eq!(
                        answers(&server),
                        ("open".into(), 1, "open".into(), counts),
                        "{begun} {order}"
                    );
                    server.send(json!([done]));
                }
                "done, open" => {
                    server.send(json!([done]));
                    server.send(json!([open]));
                }
                "one batch" => drop(server.send(json!([open, done]))),
                _ => drop(server.send(json!([done, open]))),
            }
            let counts = [json!(1), json!(3), json!(3), json!(3)];
            assert_eq!(
                answers(&server),
                ("done".into(), 0, "done".into(), counts.clone()),
                "{begun} {order}"
            );
            assert_eq!(
                server.get(&format!("/api/v1/logs/{first}")).json()["message"],
                "open",
                "kept, by its id"
            );
            // Both once more, as a sender does that had no answer; then after a restart.
            let again = server.send(json!([running(&first, &last), ended(&last)]));
            assert_eq!(again["duplicates"], 2, "{begun} {order}");
            let server = Server::in_directory(server.stop(), |config| config);
            assert_eq!(answers(&server), ("done".into(), 0, "done".into(), counts), "{begun} {order}");
        }
    }
}

#[test]
fn an_id_that_names_no_day_is_found_wherever_the_final_entry_came() {
    let server = Server::start();
    let last = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"; // no time in it
    server.send(json!([running(&id_of(NOON), last)]));
    server.clock.set(NOON + 3 * DAY);
    server.send(json!([ended(last)]));
    assert_eq!(answers(&server).0, "done");
}

#[test]
fn one_that_was_open_over_a_restart_is_marked_when_it_ends() {
    let server = Server::start();
    let (last, other) = (id_of(NOON - 40), id_of(NOON - 40));
    server.send(json!([running(&id_of(NOON), &last), running(&id_of(NOON), &other)]));
    let server = Server::in_directory(server.stop(), |config| config);
    server.send(json!([ended(&last)]));
    let directory = server.stop();
    if !directory.path().join("logs-2026-03-10.db").exists() {
        return; // how it is marked is another store's own affair
    }
    let connection = rusqlite::Connection::open(directory.path().join("logs-2026-03-10.db")).unwrap();
    let unmarked: Vec<Vec<u8>> = connection
        .prepare("SELECT exchange_id FROM entries WHERE kind = 3 AND ended IS NULL")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(unmarked, [other.parse::<EntryId>().unwrap().as_bytes().to_vec()]);
}

#[test]
fn one_that_ends_nothing_or_itself_stays_open() {
    let server = Server::start();
    let own = id_of(NOON);
    let mut nameless = running(&id_of(NOON), "x");
    nameless.as_object_mut().unwrap().remove("exchange_id");
    server.send(json!([running(&own, &own), nameless]));
    let (list, open, trace, counts) = answers(&server);
    assert_eq!((list.as_str(), open, trace.as_str()), ("open open", 2, "open open"));
    assert_eq!(counts[0], 2);
}

#[test]
fn a_list_of_requests_may_hold_the_running_ones() {
    let server = Server::start();
    let last = id_of(NOON - 40);
    server.send(json!([running(&id_of(NOON), &last), ended(&id_of(NOON)), {"message": "event"}]));
    assert_eq!(server.logs("?kind=request,running").len(), 2);
    assert_eq!(server.logs("?kind=running,request&slow=false").len(), 2);
    server.send(json!([ended(&last)]));
    assert_eq!(server.logs("?kind=request,running").len(), 2);
    assert_eq!(server.logs("?kind=running").len(), 0);
}

#[test]
fn many_that_ended_do_not_slow_the_list_of_those_that_are_open() {
    let server = Server::with(|config| {
        let mut limits = hoplog_collector::Limits::default();
        limits.query_time = std::time::Duration::from_millis(200);
        config.limits(limits)
    });
    let ids: Vec<String> = (0..20_000).map(|_| EntryId::generate((NOON - 40) * 1000).to_string()).collect();
    for ids in ids.chunks(10_000) {
        server.send(
            ids.iter().map(|last| running(&EntryId::generate(NOON * 1000).to_string(), last)).collect(),
        );
        server.send(ids.iter().map(|last| ended(last)).collect());
    }
    server.send(json!([running(&id_of(NOON - 50), &id_of(NOON - 50))]));
    // Any of them that was looked up instead of left out would take its part of the time.
    assert_eq!(server.logs("?kind=running").len(), 1);
    assert_eq!(server.get("/stats").json()["stored"], 20_001);
}

#[test]
fn any_order_of_arrival_comes_to_the_same() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64; // xorshift64: the same orders at every run
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    let (mut cases, mut entries) = (0, 0);
    for _ in 0..12 {
        let mut server = Server::start();
        let (mut waiting, mut expected) = (Vec::new(), (0, 0));
        for _ in 0..20 {
            let begun = NOON - DAY * random(3) as u64 - random(2) as u64 * 43_210; // some just before midnight
            let (last, first) = (id_of(begun), id_of((begun + 30).min(NOON + 40)));
            // Most end, some are still open, some ended so soon that nothing was said before.
            let (said, over) = (random(10) > 0, random(10) > 2);
            waiting.extend(said.then(|| running(&first, &last)));
            waiting.extend(over.then(|| ended(&last)));
            expected.0 += usize::from(over);
            expected.1 += usize::from(said && !over);
        }
        for n in 0..10 {
            let again = waiting[random(waiting.len())].clone();
            waiting.insert(n, again); // comes twice
        }
        while !waiting.is_empty() {
            let size = 1 + random(8);
            let batch: Vec<Value> =
                (0..size.min(waiting.len())).map(|_| waiting.swap_remove(random(waiting.len()))).collect();
            entries += batch.len();
            server.send(json!(batch));
            if random(8) == 0 {
                server = Server::in_directory(server.stop(), |config| config);
            }
        }
        let (done, open) = expected;
        let shown =
            (server.logs("?kind=request&limit=1000").len(), server.logs("?kind=running&limit=1000").len());
        assert_eq!(shown, expected);
        assert_eq!(server.logs("?limit=1000").len(), done + open);
        let trace = server.get(&format!("/api/v1/traces/{TRACE}")).json();
        assert_eq!(trace["logs"].as_array().unwrap().len(), done + open);
        let stats = server.get("/stats").json();
        assert_eq!(
            (&stats["stored"], &stats["total_logs"]),
            (&json!(done + open), &json!(3 * (done + open)))
        );
        assert_eq!(server.get("/api/v1/services").json()["services"][0]["errors"], 3 * done);
        cases += 1;
    }
    println!("{cases} orders of {entries} entries");
}
