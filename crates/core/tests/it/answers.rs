//! What the client makes of the collector's answers.

use std::time::Duration;

use hoplog::{Client, DropReason};
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::scripted::{Answer, Scripted};
use serde_json::json;

use crate::support::{LONG, assert_settled, builder, client_of, destination, kick, send};

/// Three entries, and the script's first answer to their batch.
fn three_entries(script: impl IntoIterator<Item = Answer>) -> (Scripted, Client) {
    let collector = Scripted::start(script);
    let client = client_of(&collector);
    send(&client, 3);
    (collector, client)
}

#[test]
fn without_a_usable_answer_the_same_bytes_are_sent_again() {
    let unusable = [
        ("408", Answer::status(408)),
        ("425", Answer::status(425)),
        ("429", Answer::status(429)),
        ("500", Answer::status(500)),
        ("503", Answer::status(503)),
        ("a reset", Answer::reset()),
        ("half an answer", Answer::cut()),
        ("no JSON", Answer::body("<html>It works!</html>")),
        ("a sum that is wrong", Answer::body(r#"{"accepted":2,"duplicates":0,"rejected":[]}"#)),
    ];
    // Side by side, for each waits for its backoff.
    std::thread::scope(|scope| {
        for (name, answer) in unusable {
            scope.spawn(move || {
                // It may have been stored before the answer was lost, and the collector says so.
                let (collector, client) = three_entries([answer, Answer::duplicates()]);
                client.flush_blocking(LONG).unwrap();
                let received = collector.received();
                assert_eq!(received.len(), 2, "{name}");
                assert!(received[0].sent == received[1].sent, "{name}: other bytes");
                let stats = destination(&client);
                assert_eq!((stats.retries, stats.duplicates), (1, 3), "{name}");
                assert_settled(&client, 3, 0);
            });
        }
    });
}

#[test]
fn a_wait_that_the_collector_asks_for_is_kept() {
    let wait = Duration::from_secs(1);
    let collector = Scripted::start([Answer::status(503).header("retry-after", "1")]);
    let client = builder(collector.url()).flush_interval(Duration::from_millis(10)).build().unwrap();
    send(&client, 1);
    let first = collector.wait_for(1)[0].at;
    fact_blocking("the wait is understood", || (destination(&client).retries == 1).then_some(()));
    // What comes in meanwhile does not go out earlier either.
    send(&client, 4);
    let received = collector.wait_for(2);
    assert!(received[1].at - first >= wait, "{:?} after the first", received[1].at - first);
    assert_eq!(received[1].sent, received[0].sent);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 5, 0);
}

#[test]
fn what_only_a_person_can_repair_costs_no_entry() {
    // 415 of a batch that is not compressed: what it says is not what the endpoint takes.
    for status in [301, 401, 402, 403, 404, 405, 409, 410, 415, 451, 501] {
        let (collector, client) = three_entries([Answer::status(status)]);
        kick(&client);
        let stats = fact_blocking("the answer is understood", || {
            Some(destination(&client)).filter(|stats| stats.retries == 1)
        });
        assert_eq!((stats.in_flight, stats.dropped.total()), (3, 0), "{status}");
        // The key is set right now; a flush does not wait for the next rare attempt.
        assert_eq!(client.flush_blocking(LONG).unwrap().delivered, 3, "{status}");
        assert_eq!(collector.received().len(), 2, "{status}");
        assert_settled(&client, 3, 0);
    }
}

#[test]
fn what_is_rejected_is_counted_and_the_next_batch_says_so() {
    let rejected = r#"{"accepted":0,"duplicates":0,"rejected":[{"index":0},{"index":1},{"index":2}]}"#;
    let (collector, client) = three_entries([Answer::body(rejected)]);
    let report = client.flush_blocking(LONG).unwrap();
    assert_eq!((report.delivered, report.dropped, report.left), (0, 3, 0));
    assert_eq!(destination(&client).dropped.of(DropReason::ServerRejected), 3);
    send(&client, 1);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 1, 3);
    let next = &collector.received()[1].json;
    assert_eq!(next["losses"], json!({"server_rejected": 3}));
    assert_eq!(next["ledger"]["dropped"], json!({"server_rejected": 3}));
    send(&client, 1);
    client.flush_blocking(LONG).unwrap();
    let later = &collector.received()[2].json;
    assert!(later["losses"].is_null(), "a loss is told once");
    assert_eq!(later["ledger"]["dropped"], json!({"server_rejected": 3}), "and counted for ever");
}

#[test]
fn a_status_counts_however_large_the_page_is_that_comes_with_it() {
    let page = "x".repeat(2 << 20);
    let (collector, client) = three_entries([Answer::saying(413, page.clone())]);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 3, 0);
    assert_eq!(collector.received().len(), 3, "in halves");
    // Of a good status it says nothing that adds up.
    let (collector, client) = three_entries([Answer::body(page)]);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 3, 0);
    assert_eq!(collector.received().len(), 2);
}

#[test]
fn stored_had_before_and_rejected_are_counted_apart() {
    let answer = r#"{"accepted":1,"duplicates":1,"rejected":[{"index":2,"id":null,"reason":"no"}]}"#;
    let (_collector, client) = three_entries([Answer::body(answer)]);
    let report = client.flush_blocking(LONG).unwrap();
    assert_eq!((report.delivered, report.dropped, report.left), (2, 1, 0));
    let stats = destination(&client);
    assert_eq!((stats.duplicates, stats.dropped.of(DropReason::ServerRejected)), (1, 1));
    assert_settled(&client, 2, 1);
}

#[test]
fn an_old_collector_that_only_counts_is_understood() {
    let (_collector, client) = three_entries([Answer::body(r#"{"status":"ok","count":3}"#)]);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 3, 0);
}

#[test]
fn while_a_collector_fails_one_batch_probes_and_then_all_are_delivered() {
    let collector = Scripted::start((0..3).map(|_| Answer::status(503)));
    let client = builder(collector.url()).batch_size(10).build().unwrap();
    send(&client, 100);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 100, 0);
    let mut ids: Vec<String> = collector.received()[3..]
        .iter()
        .flat_map(|r| r.entries().iter().map(|e| e["id"].to_string()))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 100, "each batch was taken in the end");
}
