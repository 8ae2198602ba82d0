//! What sampling leaves out is told to the collector as a count, and is no loss.

use hoplog::{Client, DropReason, Outcome, RequestHead, Requests};
use hoplog_testkit::scripted::Scripted;
use serde_json::{Value, json};

use crate::support::{LONG, assert_settled, builder};

fn serve(client: &Client, status: u16) {
    let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
    let mut exchange = client.begin_request(&head, std::iter::empty::<(&str, &[u8])>).unwrap();
    exchange.response(status, std::iter::empty::<(&str, &[u8])>(), Some(0));
    exchange.finish(Outcome::Completed);
}

#[test]
fn the_ledger_of_a_batch_has_the_sampled_ones_and_its_losses_do_not() {
    let collector = Scripted::start([]);
    let requests = Requests::default().sample_at_end(0.0);
    let client = builder(collector.url()).requests(requests).build().unwrap();
    (0..7).for_each(|_| serve(&client, 200));
    (0..2).for_each(|_| serve(&client, 500));
    let report = client.flush_blocking(LONG).unwrap();
    assert_eq!((report.delivered, report.dropped), (2, 0));
    let batch = &collector.wait_for(1)[0];
    assert_eq!(batch.json["ledger"]["dropped"], json!({"sampled": 7}));
    assert_eq!(batch.json["losses"], Value::Null);
    assert!(batch.json["logs"].as_array().unwrap().iter().all(|entry| entry.get("weight").is_none()));
    let stats = client.stats();
    assert_eq!((stats.sampled(), stats.refused.of(DropReason::Sampled), stats.lost()), (7, 7, 0));
    assert_settled(&client, 2, 0);
}

#[test]
fn an_entry_that_stands_for_more_says_so_on_the_wire() {
    let collector = Scripted::start([]);
    let client = builder(collector.url()).requests(Requests::default().sample(0.5)).build().unwrap();
    (0..200).for_each(|_| serve(&client, 200));
    client.flush_blocking(LONG).unwrap();
    let entries = collector.entries();
    assert!(
        (50..150).contains(&entries.len()),
        "half of 200, give or take seven deviations: {}",
        entries.len()
    );
    assert!(entries.iter().all(|entry| entry["weight"] == json!(2.0) || entry["weight"] == json!(2)));
    assert_eq!(client.stats().accepted + client.stats().sampled(), 200);
}
