//! An OpenTelemetry backend as a destination, by script: what is sent again and what is not.

use std::time::Duration;

use hoplog::{Client, Compression, DropReason, Otlp};
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::scripted::{Answer, Scripted};

use crate::support::{LONG, assert_settled, builder, destination, kick, send};

fn client_of(server: &Scripted) -> Client {
    let otlp = Otlp::new().endpoint(server.url()).header("api-key", "k-1");
    builder("http://unused").without_collector().otlp(otlp).build().unwrap()
}

/// Nothing in the body: all is taken.
fn taken() -> Answer {
    Answer::saying(200, "")
}

#[test]
fn a_batch_is_sent_as_the_protocol_has_it() {
    let server = Scripted::start([taken(), taken()]);
    let client = client_of(&server);
    send(&client, 50);
    client.flush_blocking(LONG).unwrap();
    send(&client, 1);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 51, 0);
    assert_eq!(destination(&client).name, "otlp");
    drop(client);
    let [large, small] = &server.received()[..] else { panic!("two batches and no goodbye") };
    assert_eq!(large.line, "POST /v1/logs HTTP/1.1");
    assert_eq!(large.header("content-type"), Some("application/x-protobuf"));
    assert_eq!((large.header("content-encoding"), small.header("content-encoding")), (Some("gzip"), None));
    assert_eq!(large.header("api-key"), Some("k-1"));
    assert_eq!(small.sent.first(), Some(&0x0a), "resource_logs");
}

#[test]
fn what_the_server_rejects_is_counted_and_never_sent_again() {
    let server = Scripted::start([Answer::saying(200, "\u{a}\u{2}\u{8}\u{2}")]);
    let client = client_of(&server);
    send(&client, 3);
    let report = client.flush_blocking(LONG).unwrap();
    assert_eq!((report.delivered, report.dropped, report.left), (1, 2, 0));
    assert_eq!(destination(&client).dropped.of(DropReason::ServerRejected), 2);
    assert_eq!(server.received().len(), 1);
}

#[test]
fn only_what_the_protocol_names_is_sent_again() {
    let again = |name, answer| (name, answer, true, DropReason::ServerRejected);
    let never = |name, status, reason| (name, Answer::status(status), false, reason);
    let cases = [
        again("429", Answer::status(429)),
        again("502", Answer::status(502)),
        again("503", Answer::status(503)),
        again("504", Answer::status(504)),
        again("a reset", Answer::reset()),
        again("half an answer", Answer::cut()),
        never("402", 402, DropReason::ServerRejected),
        never("408", 408, DropReason::ServerRejected),
        never("500", 500, DropReason::ServerRejected),
    ];
    std::thread::scope(|scope| {
        for (name, answer, again, reason) in cases {
            scope.spawn(move || {
                let server = Scripted::start([answer, taken()]);
                let client = client_of(&server);
                send(&client, 3);
                client.flush_blocking(LONG).unwrap();
                let received = server.received();
                assert_eq!(received.len(), if again { 2 } else { 1 }, "{name}");
                assert!(received.iter().all(|r| r.sent == received[0].sent), "{name}: other bytes");
                let (delivered, dropped) = if again { (3, 0) } else { (0, 3) };
                assert_settled(&client, delivered, dropped);
                assert_eq!(destination(&client).dropped.of(reason), dropped, "{name}");
            });
        }
    });
}

#[test]
fn a_batch_that_is_too_large_is_sent_in_halves() {
    let server =
        Scripted::judging([], |request| if request.inflated > 8_000 { Answer::status(413) } else { taken() });
    let client = client_of(&server);
    for i in 0..40 {
        client.info("x".repeat(if i == 22 { 9_000 } else { 500 })).send();
    }
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 39, 1);
    assert_eq!(destination(&client).dropped.of(DropReason::EntryTooLarge), 1);
}

#[test]
fn who_is_refused_and_who_asks_at_the_wrong_place_loses_nothing() {
    for status in [301, 401, 403, 404, 405, 501] {
        let server = Scripted::start([Answer::status(status), taken()]);
        let client = client_of(&server);
        send(&client, 3);
        kick(&client);
        fact_blocking("the answer is understood", || (destination(&client).retries == 1).then_some(()));
        // The key is right now.
        client.flush_blocking(LONG).unwrap();
        assert_settled(&client, 3, 0);
        assert_eq!(server.received().len(), 2, "{status}");
    }
}

#[test]
fn one_entry_that_is_refused_costs_no_other() {
    let server = Scripted::judging([], |request| {
        let poisoned = String::from_utf8_lossy(&request.sent).contains("poison");
        if poisoned { Answer::status(400) } else { taken() }
    });
    let otlp = Otlp::new().endpoint(server.url()).compression(Compression::None);
    let client = builder("http://unused").without_collector().otlp(otlp).build().unwrap();
    for i in 0..8 {
        client.info(if i == 5 { "poison" } else { "good" }).send();
    }
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 7, 1);
    assert_eq!(destination(&client).dropped.of(DropReason::Poison), 1);
}

#[test]
fn a_batch_that_was_taken_is_not_sent_again_for_a_large_answer() {
    let server = Scripted::start([Answer::saying(200, "x".repeat(2 << 20))]);
    let client = client_of(&server);
    send(&client, 3);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 3, 0);
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_wait_that_the_server_asks_for_is_kept() {
    let server = Scripted::start([Answer::status(503).header("retry-after", "1"), taken()]);
    let client = client_of(&server);
    send(&client, 3);
    client.flush_blocking(LONG).unwrap();
    let received = server.received();
    assert!(received[1].at - received[0].at >= Duration::from_secs(1));
    assert_settled(&client, 3, 0);
}
