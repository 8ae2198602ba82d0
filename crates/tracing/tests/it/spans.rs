//! What an entry has of its spans.

use std::fmt;

use serde_json::json;
use tracing::{Span, debug_span, error_span, field::Empty, info, info_span, instrument};
use tracing_subscriber::prelude::*;

use super::{logged, logs, messages};

#[test]
fn an_event_has_the_fields_of_all_its_spans_and_inner_ones_win() {
    let entry = logs(|| {
        let _root = info_span!("request", id = 1, who = "root", only = "root").entered();
        let _leaf = debug_span!("query", who = "leaf", table = "orders").entered();
        info!(table = "event", rows = 3, "done");
    });
    let expected = json!({
        "id": 1, "who": "leaf", "only": "root", "table": "event", "rows": 3, "spans": ["request", "query"],
    });
    assert_eq!(entry["metadata"], expected);
}

#[test]
fn what_is_recorded_later_counts_from_then_on_for_inner_spans_too() {
    let entries = logged(|| {
        let outer = info_span!("outer", user = Empty, step = 0);
        let _outer = outer.enter();
        let _inner = info_span!("inner").entered();
        info!("before");
        outer.record("user", "bob").record("step", 1);
        info!("after");
        outer.record("step", 2);
        info!("again");
    });
    let fields: Vec<_> = entries.iter().map(|entry| entry["metadata"].clone()).collect();
    let spans = json!(["outer", "inner"]);
    assert_eq!(fields[0], json!({"step": 0, "spans": spans}));
    assert_eq!(fields[1], json!({"step": 1, "user": "bob", "spans": spans}));
    assert_eq!(fields[2], json!({"step": 2, "user": "bob", "spans": spans}));
}

#[test]
fn a_field_that_is_recorded_without_end_takes_no_more_room_than_its_last_value() {
    let entry = logs(|| {
        let span = info_span!("loop", round = Empty, text = Empty);
        for round in 0..20_000 {
            span.record("round", round);
            span.record("text", "x".repeat(100));
        }
        span.in_scope(|| info!("done"));
    });
    assert_eq!(entry["metadata"]["round"], 19_999);
    assert_eq!(entry["metadata"]["fields_left_out"], json!(null));
}

#[test]
fn fields_that_find_no_room_are_counted() {
    let long = "x".repeat(20_000);
    let entry = logs(|| {
        let span = info_span!("full", a = %long, b = %long, c = "small", d = Empty);
        span.record("d", &*long);
        span.in_scope(|| info!("m"));
    });
    let fields = &entry["metadata"];
    assert_eq!(fields["a"].as_str().unwrap().len(), 20_000);
    assert_eq!((&fields["b"], &fields["c"], &fields["d"]), (&json!(null), &json!("small"), &json!(null)));
    assert_eq!(fields["fields_left_out"], 2);
}

#[test]
fn of_many_spans_the_innermost_ones_count() {
    let entry = logs(|| {
        let mut entered = Vec::new();
        for depth in 0..200 {
            entered.push(info_span!("deep", depth, first = (depth == 0).then_some(true)).entered());
        }
        info!("bottom");
        while entered.pop().is_some() {}
    });
    let fields = &entry["metadata"];
    assert_eq!((&fields["depth"], &fields["first"]), (&json!(199), &json!(null)));
    let names = fields["spans"].as_array().unwrap();
    assert_eq!((names.len(), &names[0], &names[64]), (65, &json!("…"), &json!("deep")));
}

#[test]
fn explicit_parents_and_none_are_followed() {
    let entries = logged(|| {
        let a = info_span!("a", of = "a");
        let _b = info_span!("b", of = "b").entered();
        info!(parent: &a, "in a");
        info!(parent: None, "in none");
        info!("in b");
        let below = info_span!(parent: &a, "below");
        below.in_scope(|| info!("below a"));
    });
    let spans: Vec<_> = entries.iter().map(|entry| entry["metadata"]["spans"].clone()).collect();
    assert_eq!(spans, [json!(["a"]), json!(null), json!(["b"]), json!(["a", "below"])]);
    assert_eq!(entries[3]["metadata"]["of"], "a");
}

#[test]
fn a_span_is_entered_on_other_threads() {
    let (capture, dispatch) = super::rig();
    let span = tracing::dispatcher::with_default(&dispatch, || info_span!("work", job = 7));
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let (span, dispatch) = (span.clone(), dispatch.clone());
            std::thread::spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || span.in_scope(|| info!(n, "part")));
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let entries = capture.entries();
    assert_eq!(entries.len(), 4);
    for entry in entries {
        assert_eq!((&entry["metadata"]["job"], &entry["metadata"]["spans"]), (&json!(7), &json!(["work"])));
    }
}

#[instrument(err)]
fn divide(by: u32) -> Result<u32, Impossible> {
    info!("dividing");
    10_u32.checked_div(by).ok_or(Impossible)
}

#[derive(Debug)]
struct Impossible;

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("by zero")
    }
}

#[test]
fn an_instrumented_function_is_a_span_and_its_error_an_entry() {
    let entries = logged(|| assert!(divide(0).is_err()));
    assert_eq!(messages(&entries), ["dividing", "by zero"]);
    assert_eq!(entries[0]["metadata"], json!({"by": 0, "spans": ["divide"]}));
    assert_eq!(
        (&entries[1]["level"], &entries[1]["metadata"]["error"]),
        (&json!("ERROR"), &json!("by zero"))
    );
}

#[test]
fn spans_are_entries_where_asked_for() {
    let capture = hoplog::testing::capture();
    let layer = hoplog_tracing::builder(capture.client()).levels("info").spans().build().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let outer = info_span!("outer", a = 1);
        outer.in_scope(|| {
            drop(error_span!("inner", b = Empty, password = "hunter2").record("b", 2).clone());
            drop(debug_span!("too fine"));
        });
        drop(outer);
        drop(Span::none());
    });
    let entries = capture.entries();
    assert_eq!(messages(&entries), ["inner", "outer"]);
    assert_eq!((&entries[0]["level"], &entries[1]["level"]), (&json!("ERROR"), &json!("INFO")));
    let expected = json!({"a": 1, "b": 2, "password": "[redacted]", "spans": ["outer", "inner"]});
    assert_eq!(entries[0]["metadata"], expected);
    let ms = |at: usize| entries[at]["duration_ms"].as_f64().unwrap();
    assert!(ms(1) >= ms(0) && ms(0) > 0.0, "{entries:?}");
    let created = |at: usize| entries[at]["created_at"].as_f64().unwrap();
    assert!(created(1) <= created(0) + 0.001, "the outer one began first");
    assert_eq!(entries[1]["target"], module_path!());
}
