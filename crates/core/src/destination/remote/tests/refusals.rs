//! Batches that a server refuses for what is in them.

use hoplog_entry::DropReason;
use serde_json::Value;

use super::course::{Asked, Reply, course};
use super::*;

fn messages(batch: &Value) -> impl Iterator<Item = &str> {
    batch["logs"].as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap())
}

/// Requests but for signs of life.
fn with_entries(asked: &[Asked]) -> usize {
    asked.iter().filter(|asked| asked.entries > 0).count()
}

#[test]
fn poison_costs_itself_alone_and_few_requests() {
    for bad in [1, 2, 10, 1_000] {
        let is_bad = move |i: usize| i * 37 % 1_000 < bad;
        let rule = |_: Duration, batch: &Value| match messages(batch).any(|message| message == "poison") {
            true => Reply::Says(400, None),
            false => Reply::Stored,
        };
        let course = course(rule, async |course| {
            course.log((0..1_000).map(|i| if is_bad(i) { "poison" } else { "good" }));
            // As long as it takes; the last word is the counts'.
            course.wait(Duration::from_secs(3_600)).await;
        });
        let bad = bad as u64;
        course.assert_settled(1_000 - bad, bad);
        assert_eq!(course.stats().dropped.of(DropReason::Poison), bad);
        let bytes = course.stats().bytes;
        assert_eq!(bytes.dropped % bad, 0, "they are of one size");
        if bad < 1_000 {
            let (one, other) = (bytes.dropped / bad, bytes.delivered / (1_000 - bad));
            assert_eq!(
                one - other,
                ("poison".len() - "good".len()) as u64,
                "whose bytes are lost: {bytes:?}"
            );
        }
        let extra = with_entries(&course.asked()) as u64 - 1;
        println!("FIGURE transport.requests_for_{bad}_poison_among_1000 {extra} requests more");
        // Two per level and offender: its half, and the one beside it.
        assert!(extra <= 2 * 10 * bad, "{extra}");
    }
}

#[test]
fn of_a_batch_that_is_too_large_only_what_is_too_large_by_itself_is_lost() {
    for limit in [4 << 10, 64 << 10, 512 << 10] {
        let rule = move |_: Duration, batch: &Value| match batch.to_string().len() > limit {
            true => Reply::Says(413, None),
            false => Reply::Stored,
        };
        let texts: Vec<String> = (0..400).map(|i| "x".repeat(200 + i * 5)).collect();
        let course = course(rule, async |course| {
            course.log(texts.iter().map(String::as_str));
            course.wait(Duration::from_secs(3_600)).await;
        });
        course.assert_settled(400, 0);
        // Whatever was cut of them, they count as they were accepted.
        assert_eq!(course.stats().bytes.delivered, course.stats().bytes.accepted);
        let requests = with_entries(&course.asked());
        println!("FIGURE transport.requests_for_a_limit_of_{}_kib {requests} requests", limit >> 10);
        let raw: usize = texts.iter().map(|text| text.len() + 150).sum();
        assert!(requests <= 2 + 4 * raw.div_ceil(limit), "{requests}");
    }
}
