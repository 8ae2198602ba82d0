//! An entry that comes again is stored once.

use super::Server;
use crate::support::{NOON, TempDir};
use hoplog_entry::EntryId;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const DAY: u64 = 86_400;

fn v7(seconds: u64) -> String {
    EntryId::generate(seconds * 1000).to_string()
}

fn verdicts(answer: &Value) -> (u64, u64) {
    (answer["accepted"].as_u64().unwrap(), answer["duplicates"].as_u64().unwrap())
}

fn total(server: &Server) -> u64 {
    server.get("/stats").json()["total_logs"].as_u64().unwrap()
}

#[test]
fn within_a_batch_and_between_batches_the_first_one_stays() {
    let server = Server::start();
    let (a, b) = (v7(NOON), v7(NOON));
    let twice = json!([{"id": a, "message": "first"}, {"id": b}, {"id": a.to_uppercase().replace('-', ""), "message": "second"}]);
    assert_eq!(verdicts(&server.send(twice.clone())), (2, 1));
    assert_eq!(verdicts(&server.send(twice)), (0, 3));
    assert_eq!(total(&server), 2);
    assert_eq!(server.get(&format!("/api/v1/logs/{a}")).json()["message"], "first");
}

#[test]
fn a_replay_across_midnight_meets_the_first_copy() {
    let server = Server::start();
    // Made by a sender in this order: an hour ago, now, and one whose clock is a little ahead.
    let ids = [NOON - 3600, NOON, NOON + 3600].map(v7);
    let batch = json!(ids.clone().map(|id| json!({"id": id})));
    assert_eq!(verdicts(&server.send(batch.clone())), (3, 0));
    for days in [1, 7, 8, 29] {
        server.clock.set(NOON + days * DAY);
        assert_eq!(verdicts(&server.send(batch.clone())), (0, 3), "{days} days later");
    }
    assert_eq!(total(&server), 3);
    assert!(server.files().is_none_or(|files| files.contains(&"logs-2026-03-10.db".to_owned())));
    for id in &ids {
        assert_eq!(server.get(&format!("/api/v1/logs/{id}")).status, 200);
    }
}

#[test]
fn an_id_without_a_day_is_known_for_two_days() {
    let server = Server::start();
    let v4 = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d".to_owned();
    let (ancient, future) = (v7(1_000_000_000), v7(NOON + 30 * DAY));
    let batch = json!([{"id": v4}, {"id": ancient}, {"id": future}]);
    assert_eq!(verdicts(&server.send(batch.clone())), (3, 0));
    assert_eq!(verdicts(&server.send(batch.clone())), (0, 3));
    for hours in [24, 47] {
        server.clock.set(NOON + hours * 3_600);
        assert_eq!(verdicts(&server.send(batch.clone())), (0, 3), "{hours} h later");
    }
    let flags = |id: &str| server.get(&format!("/api/v1/logs/{id}")).json()["metadata"].clone();
    assert_eq!(flags(&v4), Value::Null);
    assert_eq!(flags(&ancient), json!({"hoplog_flags": ["clock_suspect"]}));
    assert_eq!(flags(&future), json!({"hoplog_flags": ["clock_suspect"]}));
    let days = server.files().map(|files| files.iter().filter(|name| name.ends_with(".db")).count());
    assert!(days.is_none_or(|days| days == 3), "a wrong clock makes no files of its own: {days:?}");
}

#[test]
fn entries_without_an_id_get_one_each() {
    let server = Server::start();
    assert_eq!(verdicts(&server.send(json!([{"message": "x"}, {"message": "x"}]))), (2, 0));
    let logs = server.logs("");
    assert_ne!(logs[0]["id"], logs[1]["id"]);
    let id: EntryId = logs[0]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(id.unix_ms().map(|ms| ms / 1000), Some(NOON));
    // What is no UUID cannot be an id; it is kept all the same.
    server.send(json!([{"id": "order-17"}, {"id": 17}]));
    assert_eq!(server.logs("?metadata.id=order-17").len(), 1);
    assert_eq!(server.logs("?metadata.id=17").len(), 1);
}

#[test]
fn the_same_batch_sent_many_times_at_once_is_stored_once() {
    let server = Server::start();
    let batch: Vec<Value> = (0..100).map(|_| json!({"id": v7(NOON)})).collect();
    let sums = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..16).map(|_| scope.spawn(|| verdicts(&server.send(json!(batch))))).collect();
        senders.into_iter().map(|s| s.join().unwrap()).fold((0, 0), |sum, v| (sum.0 + v.0, sum.1 + v.1))
    });
    assert_eq!(sums, (100, 1500));
    assert_eq!(total(&server), 100);
}

#[test]
fn another_entry_under_a_known_id_is_counted_and_the_first_one_stays() {
    let server = Server::start();
    let (a, b, v4) = (v7(NOON), v7(NOON), "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d");
    let entry = |id: &str, message: &str| json!({"id": id, "message": message});
    server.send(json!([entry(&a, "first"), entry(&b, "same"), entry(v4, "first")]));
    server.clock.set(NOON + DAY);
    let answer = server.send(json!([entry(&a, "other"), entry(&b, "same"), entry(v4, "other")]));
    assert_eq!((verdicts(&answer), &answer["id_conflicts"]), ((0, 3), &json!(2)));
    for id in [a.as_str(), v4] {
        assert_eq!(server.get(&format!("/api/v1/logs/{id}")).json()["message"], "first");
    }
    assert!(server.get("/metrics").body.contains("hoplog_entries_id_conflict_total 2\n"));
    // Also within one batch.
    let c = v7(NOON + DAY);
    let answer = server.send(json!([entry(&c, "first"), entry(&c, "first"), entry(&c, "other")]));
    assert_eq!((verdicts(&answer), &answer["id_conflicts"]), ((1, 2), &json!(1)));
}

#[test]
fn batches_that_overlap_in_any_order_and_cut_come_to_the_set_of_their_entries() {
    let server = Server::start();
    let all: Vec<Value> = (0..300).map(|n| json!({"id": v7(NOON - n * 997), "message": n})).collect();
    let (mut accepted, mut sent) = (0, 0);
    // Shuffled by a step that is prime to the number; each cut meets others of itself and of those before it.
    for (step, size) in [(7, 300), (11, 40), (101, 97), (199, 13)] {
        let order: Vec<Value> = (0..all.len()).map(|n| all[n * step % all.len()].clone()).collect();
        for batch in order.chunks(size) {
            let answer = server.send(json!(batch));
            assert_eq!(answer["id_conflicts"], 0);
            accepted += verdicts(&answer).0;
            sent += batch.len();
        }
    }
    assert_eq!((accepted, total(&server), sent), (300, 300, 1_200));
    let mut stored: Vec<u64> =
        server.logs("?limit=1000").iter().map(|l| l["message"].as_str().unwrap().parse().unwrap()).collect();
    stored.sort_unstable();
    assert_eq!(stored, (0..300).collect::<Vec<_>>());
}

#[test]
fn ids_outlive_entries_that_retention_deleted() {
    // No byte but today's is kept, looked at on every start.
    let start = |directory, day: u64| {
        let clock = move || SystemTime::UNIX_EPOCH + Duration::from_secs(NOON + day * DAY);
        Server::in_directory(directory, |config| config.retention_bytes(0).retention_days(1).clock(clock))
    };
    let v4 = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d";
    let (id, late) = (v7(NOON), v7(NOON + 60));
    let batch = json!([{"id": id, "message": "first"}, {"id": v4, "message": "first"}]);
    let mut server = start(Arc::new(TempDir::new()), 0);
    assert_eq!(verdicts(&server.send(batch.clone())), (2, 0));
    for day in 1..=8 {
        server = start(server.stop(), day);
        assert_eq!(total(&server), 0, "nothing but ids is left on day {day}");
        let first = json!([batch[0].clone()]);
        assert_eq!(verdicts(&server.send(first)), (0, 1), "day {day}");
        let other = server.send(json!([{"id": id, "message": "other"}]));
        assert_eq!((verdicts(&other), &other["id_conflicts"]), ((0, 1), &json!(1)), "day {day}");
        if day == 1 {
            assert_eq!(verdicts(&server.send(json!([batch[1].clone()]))), (0, 1), "48 h");
            // One that comes late begins its day anew; it too is remembered.
            assert_eq!(verdicts(&server.send(json!([{"id": late}]))), (1, 0));
        } else {
            assert_eq!(verdicts(&server.send(json!([{"id": late}]))), (0, 1), "day {day}");
        }
    }
    server = start(server.stop(), 9);
    let left = server.files().unwrap_or_default().into_iter().find(|name| name.contains("2026-03-10"));
    assert_eq!(left, None, "in the end they go too");
}

#[test]
fn a_copy_meets_the_first_one_also_when_the_clock_has_come_to_its_id() {
    let start = |directory, hours: u64| {
        let clock = move || SystemTime::UNIX_EPOCH + Duration::from_secs(NOON + hours * 3_600);
        Server::in_directory(directory, |config| config.clock(clock))
    };
    let batch = json!([{"id": v7(NOON + 30 * 3_600), "message": "from tomorrow"}]);
    let server = start(Arc::new(TempDir::new()), 0);
    assert_eq!(verdicts(&server.send(batch.clone())), (1, 0), "30 h ahead: suspect, and of today");
    let mut directory = server.stop();
    for hours in [7, 40, 48, 180] {
        let server = start(directory, hours);
        assert_eq!(verdicts(&server.send(batch.clone())), (0, 1), "{hours} h later");
        directory = server.stop();
    }
}
