//! What a batch on the wire is: protocols §1.

use std::collections::BTreeSet;
use std::time::Duration;

use hoplog::{Compression, Outcome, RequestHead};
#[cfg(feature = "zstd")]
use hoplog_testkit::scripted::Answer;
use hoplog_testkit::scripted::Scripted;
use serde_json::{Value, json};

use crate::support::{LONG, assert_settled, builder, client_of, destination, send};

fn is_uuid_v7(value: &Value) -> bool {
    value.as_str().is_some_and(|id| id.len() == 36 && id.as_bytes()[14] == b'7')
}

#[test]
fn a_batch_says_who_sends_it_which_it_is_and_how_the_counts_stand() {
    let collector = Scripted::start([]);
    let client = builder(collector.url()).log_type("worker").api_key("hl_secret").build().unwrap();
    send(&client, 3);
    client.flush_blocking(LONG).unwrap();
    send(&client, 2);
    client.flush_blocking(LONG).unwrap();
    let received = collector.wait_for(2);
    let [first, second] = &received[..] else { panic!("two batches, not {}", received.len()) };
    assert_eq!(first.line, "POST /logs HTTP/1.1");
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("authorization"), Some("Bearer hl_secret"));
    let expected = json!({
        "service": "shop", "environment": "test", "service_version": "v1.2.3", "log_type": "WORKER",
        "host": first.json["source"]["host"], "pid": std::process::id(),
        "sdk": "hoplog-rust", "sdk_version": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(first.json["source"], expected);
    assert!(first.json["source"]["host"].is_string());
    assert!(is_uuid_v7(&first.json["batch_id"]) && is_uuid_v7(&first.json["boot_id"]));
    assert_ne!(first.json["batch_id"], second.json["batch_id"]);
    assert_eq!(first.json["boot_id"], second.json["boot_id"]);
    assert_eq!((&first.json["seq"], &second.json["seq"]), (&json!(0), &json!(3)));
    assert_eq!(first.json["ledger"], json!({"accepted": 3, "delivered": 0, "dropped": {}}));
    assert_eq!(second.json["ledger"], json!({"accepted": 5, "delivered": 3, "dropped": {}}));
    for batch in [first, second] {
        assert_eq!((&batch.json["losses"], &batch.json["closing"]), (&Value::Null, &Value::Null));
    }
    assert_settled(&client, 5, 0);
}

#[test]
fn entries_travel_without_what_stands_once_per_batch() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    client.warn("low on tea").field("cups", 1).send();
    let head = RequestHead { method: "GET", path: "/tea", http_version: "1.1", ..RequestHead::default() };
    let mut exchange = client.begin_request(&head, || [("host", b"shop".as_slice())].into_iter()).unwrap();
    exchange.response(418, std::iter::empty::<(&str, &[u8])>(), Some(0));
    exchange.finish(Outcome::Completed);
    client.flush_blocking(LONG).unwrap();
    let entries = collector.entries();
    let of = |kind: &str| entries.iter().find(|e| e["kind"] == kind).unwrap().clone();
    let (event, request) = (of("event"), of("request"));
    assert_eq!(entries.len(), 2);
    assert_eq!(event["message"], "low on tea");
    assert_eq!(event["metadata"], json!({"cups": 1}));
    assert_eq!(request["message"], "GET /tea 418");
    assert_eq!(request["status_code"], 418);
    assert_eq!(request["level"], "WARN");
    assert_eq!(request["request_headers"], json!({"host": ["shop"]}));
    for entry in &entries {
        assert!(is_uuid_v7(&entry["id"]));
        assert!(entry["created_at"].as_f64().is_some_and(|at| at > 1.7e9), "Unix seconds");
        for constant in ["service", "environment", "service_version", "host", "pid", "sdk"] {
            assert!(entry[constant].is_null(), "{constant} stands beside the entries");
        }
    }
}

#[test]
fn a_clean_end_is_said_once_with_every_count() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    send(&client, 3);
    drop(client);
    let received = collector.wait_for(2);
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].entries().len(), 3);
    assert_eq!(received[0].json["closing"], Value::Null);
    let goodbye = &received[1].json;
    assert_eq!(goodbye["closing"], true);
    assert_eq!(goodbye["logs"], json!([]));
    assert_eq!((&goodbye["seq"], &goodbye["boot_id"]), (&json!(3), &received[0].json["boot_id"]));
    assert_eq!(goodbye["ledger"], json!({"accepted": 3, "delivered": 3, "dropped": {}}));
}

#[test]
fn a_client_that_sent_nothing_says_nothing() {
    let collector = Scripted::start([]);
    drop(client_of(&collector));
    assert!(collector.received().is_empty());
}

#[test]
fn batches_from_one_kibibyte_up_are_compressed() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    for length in (0..2_000).step_by(100).chain([50_000]) {
        client.info("x".repeat(length)).send();
        client.flush_blocking(LONG).unwrap();
    }
    let received = collector.received();
    for batch in &received {
        let encoding = (batch.inflated >= 1024).then_some("gzip");
        assert_eq!(batch.header("content-encoding"), encoding, "{} bytes", batch.inflated);
    }
    let [first, .., last] = &received[..] else { panic!("a batch per flush") };
    assert!(first.inflated < 1024 && last.sent.len() * 10 < last.inflated);
    let stats = destination(&client);
    assert_eq!(stats.bytes_raw, received.iter().map(|r| r.inflated as u64).sum::<u64>());
    assert_eq!(stats.bytes_sent, received.iter().map(|r| r.sent.len() as u64).sum::<u64>());
}

#[test]
fn without_compression_nothing_is_compressed() {
    let collector = Scripted::start([]);
    let client = builder(collector.url()).compression(Compression::None).build().unwrap();
    send(&client, 500);
    client.flush_blocking(LONG).unwrap();
    assert!(collector.received().iter().all(|r| r.header("content-encoding").is_none()));
    assert_settled(&client, 500, 0);
}

#[cfg(feature = "zstd")]
#[test]
fn zstd_goes_out_once_the_collector_has_said_that_it_takes_it() {
    let answer = |list: &'static str| {
        Answer::body(r#"{"accepted":500,"duplicates":0,"rejected":[]}"#).header("accept-encoding", list)
    };
    let collector = Scripted::start([answer("zstd, gzip"), answer("gzip"), answer("gzip")]);
    let client = builder(collector.url()).compression(Compression::Zstd).build().unwrap();
    for _ in 0..3 {
        send(&client, 500);
        client.flush_blocking(LONG).unwrap();
    }
    assert_settled(&client, 1_500, 0);
    let received = collector.received();
    let encodings: Vec<_> = received.iter().map(|batch| batch.header("content-encoding").unwrap()).collect();
    assert_eq!(encodings, ["gzip", "zstd", "gzip"]);
    assert!(received[1].sent.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]), "a zstd frame");
}

#[test]
fn a_batch_has_a_thousand_entries_at_most_and_none_is_lost_between_two() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    send(&client, 2_500);
    client.flush_blocking(LONG).unwrap();
    let received = collector.received();
    assert!(received.iter().all(|r| r.entries().len() <= 1_000));
    let ids: BTreeSet<String> = collector.entries().iter().map(|e| e["id"].to_string()).collect();
    assert_eq!(ids.len(), 2_500);
    let mut starts: Vec<(u64, u64)> =
        received.iter().map(|r| (r.json["seq"].as_u64().unwrap(), r.entries().len() as u64)).collect();
    starts.sort_unstable();
    assert!(starts.windows(2).all(|w| w[0].0 + w[0].1 == w[1].0), "{starts:?} has a gap");
    assert_settled(&client, 2_500, 0);
}

#[test]
fn a_batch_has_a_mebibyte_at_most_but_for_its_last_entry() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    let text = "x".repeat(10_000);
    for _ in 0..300 {
        client.info(&text).send();
    }
    client.flush_blocking(LONG).unwrap();
    let received = collector.received();
    assert!(received.len() >= 3, "{} batches for 3 MB", received.len());
    assert!(received.iter().all(|r| r.inflated < (1 << 20) + 20_000));
    assert_settled(&client, 300, 0);
}

#[test]
fn a_smaller_batch_size_is_kept() {
    let collector = Scripted::start([]);
    let client = builder(collector.url()).batch_size(7).build().unwrap();
    send(&client, 100);
    client.flush_blocking(LONG).unwrap();
    assert!(collector.received().iter().all(|r| r.entries().len() <= 7));
    assert_settled(&client, 100, 0);
}

#[test]
fn batches_share_a_connection() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    for _ in 0..5 {
        send(&client, 1);
        client.flush_blocking(LONG).unwrap();
    }
    assert_eq!(collector.received().iter().filter(|r| r.connection == 0).count(), 5);
}

#[test]
fn an_entry_waits_no_longer_than_the_flush_interval() {
    let collector = Scripted::start([]);
    let client = builder(collector.url()).flush_interval(Duration::from_millis(10)).build().unwrap();
    send(&client, 1);
    assert_eq!(collector.wait_for(1)[0].entries().len(), 1, "nobody asked for it");
    drop(client);
}
