//! Which request an event belongs to.

use hoplog::testing::{capture, capture_with};
use hoplog::{Client, Outcome, Redaction, RequestHead, current, scope};
use serde_json::{Value, json};
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

use super::{messages, rig};

fn head() -> RequestHead<'static> {
    RequestHead { method: "GET", path: "/orders", http_version: "1.1", ..RequestHead::default() }
}

fn find<'e>(entries: &'e [Value], message: &str) -> &'e Value {
    entries.iter().find(|entry| entry["message"] == message).unwrap()
}

#[test]
fn an_event_has_the_trace_the_user_the_session_the_tenant_and_the_fields_of_its_request() {
    let (rig, dispatch) = rig();
    tracing::dispatcher::with_default(&dispatch, || {
        let mut request = rig.client().begin_request(&head(), std::iter::empty::<(&str, &[u8])>).unwrap();
        request.poll(|| {
            current().set_user_id("u1");
            current().set_session_id("s1");
            current().set_field("cart", 7);
            let _scope = scope().tenant("t1").field("job", "import").guard();
            let _span = info_span!("work", cart = 8).entered();
            info!("inside");
        });
        request.finish(Outcome::Completed);
        info!("outside");
    });
    let entries = rig.entries();
    let (inside, outside) = (find(&entries, "inside"), find(&entries, "outside"));
    let request = entries.iter().find(|entry| entry["kind"] == "request").unwrap();
    for id in ["trace_id", "span_id", "request_id"] {
        assert_eq!(inside[id], request[id], "{id}");
        assert_eq!(outside[id], json!(null), "{id}");
    }
    let ids = ["user_id", "session_id", "tenant_id"].map(|id| inside[id].as_str().unwrap());
    assert_eq!(ids, ["u1", "s1", "t1"]);
    assert_eq!(
        inside["metadata"],
        json!({"cart": 8, "job": "import", "spans": ["work"]}),
        "the span's cart counts"
    );
}

#[test]
fn a_span_takes_its_request_along_to_threads_that_are_in_none() {
    let (rig, dispatch) = rig();
    tracing::dispatcher::with_default(&dispatch, || {
        let begin = || rig.client().begin_request(&head(), std::iter::empty::<(&str, &[u8])>).unwrap();
        let (mut one, mut two) = (begin(), begin());
        let span = one.poll(|| {
            let _scope = scope().user_id("u1").guard();
            info_span!("spawned")
        });
        let thread = {
            let (span, dispatch) = (span.clone(), dispatch.clone());
            move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    span.in_scope(|| info_span!("below").in_scope(|| info!("elsewhere")));
                });
            }
        };
        std::thread::spawn(thread).join().unwrap();
        two.poll(|| span.in_scope(|| info!("in another one")));
        one.finish(Outcome::Completed);
        two.finish(Outcome::Cancelled);
    });
    let entries = rig.entries();
    let ended = |outcome: &str| entries.iter().find(|entry| entry["outcome"] == outcome).unwrap();
    let elsewhere = find(&entries, "elsewhere");
    assert_eq!(elsewhere["request_id"], ended("completed")["request_id"]);
    assert_eq!(elsewhere["user_id"], "u1");
    let another = find(&entries, "in another one");
    assert_eq!(another["request_id"], ended("cancelled")["request_id"], "the current one counts");
}

#[test]
fn a_request_has_no_more_events_than_it_may() {
    let capture = capture_with(Client::builder().max_events_per_request(3)).unwrap();
    let subscriber = tracing_subscriber::registry().with(hoplog_tracing::layer(capture.client()));
    tracing::subscriber::with_default(subscriber, || {
        let mut request = capture.client().begin_request(&head(), std::iter::empty::<(&str, &[u8])>).unwrap();
        request.poll(|| (0..10).for_each(|n| info!(n, "event")));
        request.finish(Outcome::Completed);
    });
    let entries = capture.entries();
    assert_eq!(messages(&entries)[..3], ["event"; 3]);
    assert_eq!((entries.len(), &entries[3]["metadata"]["events_dropped"]), (4, &json!(7)));
    assert_eq!(capture.client().stats().refused.of(hoplog::DropReason::RateLimitedLocal), 7);
}

#[test]
fn a_scope_without_a_request_counts_too() {
    let capture = capture();
    let subscriber = tracing_subscriber::registry().with(hoplog_tracing::layer(capture.client()));
    tracing::subscriber::with_default(subscriber, || {
        let _scope = scope().user_id("u1").field("job", 1).guard();
        info!("scoped");
    });
    let entry = &capture.entries()[0];
    assert_eq!((&entry["user_id"], &entry["metadata"]), (&json!("u1"), &json!({"job": 1})));
}

#[test]
fn a_span_that_another_request_lets_go_of_is_the_entry_of_its_own() {
    let capture = capture();
    let layer = hoplog_tracing::builder(capture.client()).spans().build().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let begin = || capture.client().begin_request(&head(), std::iter::empty::<(&str, &[u8])>).unwrap();
        let (mut one, mut two) = (begin(), begin());
        let (mine, nobodys) = (one.poll(|| info_span!("mine")), info_span!("nobody's"));
        two.poll(|| drop((mine, nobodys)));
        one.finish(Outcome::Completed);
        two.finish(Outcome::Cancelled);
    });
    let entries = capture.entries();
    let one = entries.iter().find(|entry| entry["outcome"] == "completed").unwrap();
    let mine = find(&entries, "mine");
    assert_eq!((&mine["request_id"], &mine["trace_id"]), (&one["request_id"], &one["trace_id"]));
    assert_eq!(find(&entries, "nobody's")["request_id"], json!(null));
}

#[test]
fn a_redaction_hook_that_logs_in_a_span_of_its_request_does_not_wait_for_itself() {
    let (done, ends) = std::sync::mpsc::channel();
    // Asked at the end, while the record is locked.
    std::thread::spawn(move || {
        let hook = |_, name: &str, _: &str| {
            info!(hook = name, "judging");
            None
        };
        let capture = capture_with(Client::builder().redaction(Redaction::default().custom(hook))).unwrap();
        let subscriber = tracing_subscriber::registry().with(hoplog_tracing::layer(capture.client()));
        tracing::subscriber::with_default(subscriber, || {
            let mut request =
                capture.client().begin_request(&head(), std::iter::empty::<(&str, &[u8])>).unwrap();
            let span = request.poll(|| {
                current().set_field("cart", 7);
                info_span!("work")
            });
            span.in_scope(|| {
                request.finish(Outcome::Completed);
                info!("after");
            });
        });
        done.send(capture.entries()).unwrap();
    });
    let entries = ends.recv_timeout(std::time::Duration::from_secs(20)).expect("it waits for itself");
    let request = entries.iter().find(|entry| entry["outcome"] == "completed").unwrap();
    assert_eq!(request["metadata"], json!({"cart": 7}));
    assert_eq!(find(&entries, "judging")["metadata"]["hook"], "[redaction failed]");
    let after = find(&entries, "after");
    assert_eq!(after["request_id"], request["request_id"]);
    assert_eq!(after["metadata"]["spans"], json!(["work"]), "what the hook was not asked about is not kept");
}
