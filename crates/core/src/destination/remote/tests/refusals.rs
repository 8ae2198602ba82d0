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
        // One for each halving, and one for the rest; where they are many, little more than one each.
        assert!(extra <= (11 * bad).min(1_100), "{extra}");
    }
}

#[test]
fn one_poison_costs_a_request_for_each_halving_and_one_for_the_rest_wherever_it_stands() {
    for at in [0, 1, 499, 500, 998, 999] {
        let course = course(
            |_, batch| match messages(batch).any(|message| message == "poison") {
                true => Reply::Says(422, None),
                false => Reply::Stored,
            },
            async |course| {
                course.log((0..1_000).map(|i| if i == at { "poison" } else { "good" }));
                course.wait(Duration::from_secs(60)).await;
            },
        );
        course.assert_settled(999, 1);
        let asked: Vec<Asked> = course.asked().into_iter().filter(|asked| asked.entries > 0).collect();
        assert!(asked.len() <= 1 + 11, "{at}: {}", asked.len());
        assert!(asked.iter().all(|asked| asked.beside == 1), "one at a time");
    }
}

#[test]
fn a_refusal_that_was_for_once_costs_no_entry() {
    for entries in [2, 100, 1_000] {
        let mut refused = false;
        let rule = move |_: Duration, _: &Value| match std::mem::replace(&mut refused, true) {
            false => Reply::Says(400, None),
            true => Reply::Stored,
        };
        let course = course(rule, async |course| {
            course.log(vec!["good"; entries]);
            course.wait(Duration::from_secs(60)).await;
        });
        course.assert_settled(entries as u64, 0);
    }
}

#[test]
fn what_happens_within_a_search_loses_nothing() {
    // A refusal, and then answers of any kind to its parts.
    for (status, retry_after) in [(413, None), (503, None), (429, Some("1")), (401, None), (400, None)] {
        for turn in 1..8 {
            let mut asked = 0;
            let rule = move |_: Duration, batch: &Value| {
                if messages(batch).next().is_none() {
                    return Reply::Stored;
                }
                asked += 1;
                match messages(batch).any(|message| message == "poison") {
                    _ if asked == turn => Reply::Says(status, retry_after),
                    true => Reply::Says(400, None),
                    false => Reply::Stored,
                }
            };
            let course = course(rule, async |course| {
                course.log((0..100).map(|i| if i == 40 { "poison" } else { "good" }));
                course.wait(Duration::from_secs(3_600)).await;
            });
            let stats = course.stats();
            let lost = stats.dropped.total();
            // Who refuses within a search what it takes later may have an entry blamed for it.
            let most = if status == 400 && turn > 1 { 2 } else { 1 };
            assert!((1..=most).contains(&lost), "{status} in turn {turn}: {stats:?}");
            course.assert_settled(100 - lost, lost);
        }
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
