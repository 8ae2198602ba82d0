//! Code of the application's that hoplog calls, and that panics, takes its time, or gives what nobody expects.

use std::time::{Duration, Instant};

use hoplog::{Client, Level, Redaction, RequestHead, Treatment};
use hoplog_testkit::scripted::Scripted;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::support::{LONG, assert_adds_up, builder};

/// How long the slow hook takes.
const SLOW: Duration = Duration::from_secs(1);
const SECRET: &str = "hush-7f3a";

enum Odd {
    Panics,
    Fails,
    Huge,
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Panics => panic!("by the test"),
            Self::Fails => Err(S::Error::custom("by the test")),
            Self::Huge => serializer.serialize_str(&"x".repeat(10 << 20)),
        }
    }
}

fn client(collector: &Scripted) -> Client {
    let judge = |_, name: &str, _: &str| match name {
        "judge_panics" => panic!("by the test"),
        "judge_is_slow" => {
            std::thread::sleep(SLOW);
            Some(Treatment::Mask)
        }
        _ => None,
    };
    builder(collector.url()).redaction(Redaction::default().custom(judge)).build().unwrap()
}

fn sent(client: &Client, collector: &Scripted, message: &str) -> Value {
    client.flush_blocking(LONG).unwrap();
    let found = collector.entries().into_iter().find(|entry| entry["message"] == message);
    found.unwrap_or_else(|| panic!("`{message}` did not arrive"))
}

#[test]
fn what_fails_in_the_applications_code_costs_its_field_and_never_shows_what_it_was_to_hide() {
    let collector = Scripted::start([]);
    let client = client(&collector);
    client.info("judge panics").field("judge_panics", SECRET).field("beside", 1).send();
    client.info("value panics").field("odd", Odd::Panics).field("beside", 1).send();
    client.info("value fails").field("odd", Odd::Fails).field("beside", 1).send();
    client.info("value is huge").field("odd", Odd::Huge).field("beside", 1).send();
    client.info("no number").field("odd", f64::NAN).field("beside", 1).send();
    client.info("infinite").field("odd", f64::NEG_INFINITY).field("beside", 1).send();
    let mut seen = 0;
    for message in ["judge panics", "value panics", "value fails", "value is huge", "no number", "infinite"] {
        let entry = sent(&client, &collector, message);
        let size = entry.to_string().len();
        assert!(size <= 256 << 10, "`{message}` has {size} bytes");
        assert_eq!(entry["metadata"]["beside"], 1, "the fields beside it are there: {message}");
        assert!(!entry.to_string().contains(SECRET), "{message}");
        seen += 1;
    }
    let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
    let headers: [(&str, &[u8]); 2] = [("user-agent", b"\xff\xfe\x80"), ("accept", b"text/html")];
    drop(client.begin_request(&head, || headers.into_iter()));
    client.flush_blocking(LONG).unwrap();
    let request = collector.entries().into_iter().find(|entry| entry["kind"] == "request");
    assert!(request.is_some(), "a header that is no text costs no request");
    println!("FIGURE hooks.survived {} cases", seen + 1);
    assert_eq!(client.stats().lost(), 0);
    assert_adds_up(&client);
}

#[test]
fn a_hook_that_takes_its_time_takes_its_callers_and_nobody_elses() {
    let collector = Scripted::start([]);
    let client = client(&collector);
    let mut calls: Vec<Duration> = Vec::new();
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| {
            let begun = Instant::now();
            client.log(Level::Info, "slow").field("judge_is_slow", SECRET).send();
            begun.elapsed()
        });
        while !slow.is_finished() {
            let begun = Instant::now();
            client.info("quick").field("beside", 1).send();
            calls.push(begun.elapsed());
            std::thread::sleep(Duration::from_micros(200));
        }
        assert!(slow.join().unwrap() >= SLOW);
    });
    calls.sort_unstable();
    let at = |percent: usize| calls[calls.len() * percent / 100 - usize::from(percent == 100)];
    println!("FIGURE hooks.other_callers_p50 {} us", at(50).as_micros());
    println!("FIGURE hooks.other_callers_p99 {} us", at(99).as_micros());
    // The machine may be busy; behind the hook it would have been its whole second.
    assert!(at(50) < Duration::from_millis(1) && at(100) < SLOW / 2, "{:?} {:?}", at(50), at(100));
    let slow = sent(&client, &collector, "slow");
    assert!(!slow.to_string().contains(SECRET), "{slow}");
}
