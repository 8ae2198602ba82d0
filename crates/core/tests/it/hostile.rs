//! Answers that are none, and what stands between a client and its collector and changes what passes.

use std::io::Write as _;

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use hoplog::Client;
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::scripted::{Answer, Framing, Scripted};

use crate::support::{
    LONG, assert_settled, builder, child, client_of, destination, is_child, kick, rss, send,
};

/// Answers of 200 that say nothing about a batch of three.
fn unusable() -> Vec<Answer> {
    let mut bomb = GzEncoder::new(Vec::new(), Level::fast());
    (0..16).for_each(|_| bomb.write_all(&[b' '; 1 << 20]).unwrap());
    let bomb = bomb.finish().unwrap();
    let twice = r#"{"accepted":1,"duplicates":0,"rejected":[{"index":1},{"index":1},{"index":1}]}"#;
    vec![
        Answer::body(r#"{"accepted":2,"duplicates":0,"rejected":[]}"#),
        Answer::body(r#"{"accepted":4,"duplicates":18446744073709551615,"rejected":[]}"#),
        Answer::body(r#"{"accepted":-3,"duplicates":0,"rejected":[]}"#),
        Answer::body(twice),
        Answer::body("x".repeat(10 << 20)),
        Answer::body(format!("{{\"accepted\":3,\"x\":\"{}\"}}", "x".repeat(10 << 20))),
        Answer::body("[".repeat(100_000)),
        Answer::body(bomb.clone()).header("content-encoding", "gzip"),
        Answer::body(bomb),
        Answer::cut(),
        Answer::body(b"\xff\xfe\0\0".to_vec()),
        Answer::body(""),
    ]
}

/// Sends a batch that is answered by each of them, and then by a good one.
fn suffer(client: &Client, answers: u64) {
    let before = destination(client).retries;
    send(client, 3);
    for n in 1..=answers {
        kick(client);
        fact_blocking("it is asked again", || (destination(client).retries >= before + n).then_some(()));
    }
    client.flush_blocking(LONG).unwrap();
}

/// Where the child finds the collector.
const URL: &str = "HOPLOG_TEST_COLLECTOR";

#[test]
fn an_answer_that_is_none_costs_no_entry_and_no_memory() {
    // Twice to warm up, for what an allocator keeps it keeps once.
    let (rounds, each) = (5, 12);
    // The client in a process of its own: the server's memory is not to be measured.
    let test = "hostile::an_answer_that_is_none_costs_no_entry_and_no_memory";
    let role = || {
        let client = builder(std::env::var(URL).unwrap()).build().unwrap();
        suffer(&client, each);
        suffer(&client, each);
        let before = rss();
        (2..rounds).for_each(|_| suffer(&client, each));
        let grown = rss().saturating_sub(before);
        println!("FIGURE transport.memory_of_hostile_answers_kib {} KiB", grown >> 10);
        assert_settled(&client, 3 * rounds, 0);
        assert!(grown <= 2 << 20, "{grown} bytes more");
    };
    if is_child() {
        child(test, role);
    }
    let answers = unusable();
    assert_eq!(answers.len() as u64, each);
    let script = (0..rounds).flat_map(|_| answers.iter().cloned().chain([Answer::stored()]));
    let collector = Scripted::start(script.collect::<Vec<_>>());
    let output = child(test, role).env(URL, collector.url()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    print!("{}", String::from_utf8_lossy(&output.stdout));
    // The last one is the goodbye.
    let received = collector.received();
    assert_eq!(received.len() as u64, rounds * (each + 1) + 1);
    assert!(received[..=answers.len()].iter().all(|r| r.sent == received[0].sent), "the same bytes");
    println!("FIGURE transport.hostile_answers {} answers", rounds * each);
}

#[test]
fn whatever_stands_in_between_a_batch_is_delivered() {
    let cases = [
        ("chunked", Answer::stored().framed(Framing::Chunked)),
        ("http10", Answer::stored().framed(Framing::Http10)),
        ("after_100_continue", Answer::stored().framed(Framing::AfterContinue)),
        ("connection_close", Answer::stored().header("connection", "close")),
        ("a_page_of_a_portal", Answer::body("<html>Please log in</html>")),
        ("a_cached_nothing", Answer::saying(204, "")),
        ("a_bad_gateway", Answer::saying(502, "<html>Bad Gateway</html>")),
    ];
    let mut delivered = 0;
    for (case, answer) in cases.clone() {
        let collector = Scripted::start([answer]);
        let client = client_of(&collector);
        for _ in 0..2 {
            send(&client, 3);
            client.flush_blocking(LONG).unwrap();
        }
        assert_settled(&client, 6, 0);
        assert!(collector.received().len() <= 3, "{case}");
        delivered += 1;
    }
    println!("FIGURE transport.middleboxes_passed {delivered}/{} cases", cases.len());
}
