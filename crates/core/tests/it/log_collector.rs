//! An existing log-collector server as a destination: a strict stand-in that fails whole batches.

use hoplog::{Client, ClientBuilder, DropReason, LogCollector, Redaction};
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::old_server::{POISON, complaint, judge, rows};
use hoplog_testkit::scripted::{Answer, Scripted};
use serde_json::{Value, json};

use crate::support::{LONG, assert_settled, builder, destination, kick};

fn client_of(server: &Scripted, with: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    let builder = builder("http://unused").without_collector();
    with(builder.log_collector(LogCollector::new(server.url()))).build().unwrap()
}

/// Everything that an application can say which the server's schema refuses.
fn hostile(client: &Client) {
    let long = "ü".repeat(4_000);
    client
        .error(format!("nul \0 and {long}"))
        .field("te\0xt", "a\0b")
        .field("deep", json!({"k\0": ["\0", {"x": "\0"}], "half": "\u{fffd}"}))
        .user_id(&long)
        .session_id(&long)
        .tenant_id(&long)
        .field("status_code", "mine")
        .send();
}

#[test]
fn nothing_that_an_application_says_breaks_the_servers_limits() {
    let server = Scripted::judging([], judge);
    let client = client_of(&server, |builder| builder.environment("moon"));
    hostile(&client);
    client.info("plain").field("order", 7).send();
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 2, 0);
    assert_eq!(destination(&client).name, "log_collector");
    let received = server.received();
    assert_eq!(received.len(), 1, "nothing had to be parted");
    assert_eq!(received[0].line, "POST /logs HTTP/1.1");
    assert_eq!(received[0].header("content-type"), Some("application/json"));
    let rows = rows(&received);
    let first = &rows[0];
    let characters = |value: &Value| value.as_str().unwrap().chars().count();
    assert_eq!(characters(&first["session_id"]), 100);
    assert!(characters(&first["metadata"]["session_id"]) > 100, "whole where there is room");
    assert_eq!(first["metadata"]["te\0xt".replace('\0', "")], "ab");
    assert_eq!(first["metadata"]["environment"], "moon");
    assert_eq!(rows[1]["metadata"]["order"], 7);
}

#[test]
fn the_stand_in_refuses_what_its_schema_refuses() {
    let good = json!({"level": "INFO", "message": "m", "created_at": 1.5, "metadata": {"a": 1}});
    assert_eq!(complaint(&good), Ok(()));
    for (column, value) in [
        ("level", json!("LOUD")),
        ("method", json!("PURGE")),
        ("environment", json!("moon")),
        ("log_type", json!("backend")),
        ("service", json!("x".repeat(101))),
        ("service_version", json!("x".repeat(51))),
        ("trace_id", json!("0190f3f2-7d9c-7c1e-9f3a-2b5c6d7e8f90")),
        ("user_id", json!(7)),
        ("user_id", json!("x".repeat(256))),
        ("session_id", json!("x".repeat(101))),
        ("error_type", json!("x".repeat(201))),
        ("path", json!("x".repeat(501))),
        ("action_type", json!("x".repeat(51))),
        ("function_name", json!("x".repeat(301))),
        ("file_path", json!("x".repeat(1_001))),
        ("duration_ms", json!(9_999_999.999_6)),
        ("duration_ms", json!("1")),
        ("message", json!("\0")),
        ("message", json!(POISON)),
        ("metadata", json!([])),
        ("metadata", json!({"a": {"\0": 1}})),
    ] {
        let mut bad = good.clone();
        bad[column] = value.clone();
        assert!(complaint(&bad).is_err(), "{column}: {value}");
    }
}

#[test]
fn one_poison_entry_is_found_and_dropped_and_all_others_are_stored_once() {
    let server = Scripted::judging([], judge);
    let client = client_of(&server, |builder| builder);
    for i in 0..100 {
        client.info(if i == 61 { POISON.into() } else { format!("entry {i}") }).send();
    }
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 99, 1);
    assert_eq!(destination(&client).dropped.of(DropReason::Poison), 1);
    let rows = rows(&server.received());
    let mut messages: Vec<String> = rows.iter().map(|row| row["message"].to_string()).collect();
    messages.sort_unstable();
    messages.dedup();
    assert_eq!((rows.len(), messages.len()), (99, 99), "each of them, and none twice");
    assert!(server.received().len() <= 2 * 7 + 2, "{} requests", server.received().len());
}

#[test]
fn an_entry_is_not_blamed_for_a_server_that_takes_nothing() {
    // Seven refusals part four entries down to the last; the database comes back after that.
    let server = Scripted::judging((0..7).map(|_| Answer::status(500)), judge);
    let client = client_of(&server, |builder| builder);
    for i in 0..4 {
        client.info(format!("entry {i}")).send();
    }
    // A flush does not wait for the backoff.
    fact_blocking("seven refusals", || {
        kick(&client);
        (server.received().len() >= 7).then_some(())
    });
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 4, 0);
    assert_eq!(rows(&server.received()[7..]).len(), 4);
}

#[test]
fn entries_that_are_refused_for_good_do_not_stand_in_the_way_of_others() {
    let server = Scripted::judging([], judge);
    let client = client_of(&server, |builder| builder.batch_size(1));
    for _ in 0..3 {
        client.info(POISON).send();
    }
    kick(&client);
    fact_blocking("all three were refused", || (destination(&client).retries >= 3).then_some(()));
    client.info("good").send();
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 1, 3);
    assert_eq!(destination(&client).dropped.of(DropReason::Poison), 3);
}

#[test]
fn a_refusal_that_leaves_no_doubt_needs_no_second_one() {
    let server = Scripted::judging([Answer::status(413), Answer::status(422)], judge);
    let client = client_of(&server, |builder| builder);
    for i in 0..2 {
        client.info(format!("entry {i}")).send();
    }
    client.flush_blocking(LONG).unwrap();
    // The first half was refused by itself, with a status that says so.
    assert_settled(&client, 1, 1);
    assert_eq!(destination(&client).dropped.of(DropReason::Poison), 1);
}

#[test]
fn an_answer_that_it_took_fewer_does_not_make_it_take_the_others_twice() {
    let server = Scripted::judging([Answer::body(r#"{"status":"ok","count":2}"#)], judge);
    let client = client_of(&server, |builder| builder);
    for i in 0..3 {
        client.info(format!("entry {i}")).send();
    }
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 2, 1);
    assert_eq!(destination(&client).dropped.of(DropReason::ServerRejected), 1);
    assert_eq!(server.received().len(), 1);
}

#[test]
fn both_kinds_of_server_can_be_written_to_at_once() {
    let (old, ours) = (Scripted::judging([], judge), Scripted::start([]));
    let client = builder(ours.url())
        .redaction(Redaction::default())
        .log_collector(LogCollector::new(old.url()).header("x-tenant", "t-1"))
        .build()
        .unwrap();
    client.info("to both").send();
    client.flush_blocking(LONG).unwrap();
    let stats = client.stats();
    let delivered: Vec<_> = stats.destinations.iter().map(|d| (d.name.as_str(), d.delivered)).collect();
    assert_eq!(delivered, [("collector", 1), ("log_collector", 1)]);
    assert_eq!(rows(&old.received())[0]["message"], ours.entries()[0]["message"]);
    assert_eq!(old.received()[0].header("x-tenant"), Some("t-1"));
}

#[test]
fn what_is_wrong_with_it_is_said_at_build_all_at_once() {
    let server = LogCollector::new("ftp://logs")
        .header("bad name", "v")
        .header("content-type", "text/plain")
        .timeout(std::time::Duration::ZERO);
    let error = builder("http://unused").log_collector(server).build().unwrap_err();
    assert_eq!(error.complaints().len(), 4, "{error}");
    let exposed = LogCollector::new("http://logs.example").header("x-key", "secret");
    let error = builder("http://unused").log_collector(exposed).build().unwrap_err();
    assert!(
        error.to_string().contains("allow_insecure_http") && !error.to_string().contains("secret"),
        "{error}"
    );
}
