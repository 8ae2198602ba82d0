//! What handlers say of their request through `hoplog::current()`.

use hoplog::testing::{Capture, capture, capture_with};
use hoplog::{Client, DropReason, Exchange, Level, Outcome, RequestHead, Requests, Trust, current};
use serde_json::{Value, json};

fn begin(client: &Client, headers: &[(&'static str, &'static str)]) -> Exchange {
    let peer = Some("10.0.0.1".parse().unwrap());
    let head = RequestHead { method: "GET", path: "/p", http_version: "1.1", peer, ..RequestHead::default() };
    client.begin_request(&head, || headers.iter().map(|(n, v)| (*n, v.as_bytes()))).unwrap()
}

/// One request, answered with this status; what the handler says of it.
fn serve(client: &Client, status: u16, handler: impl FnOnce()) {
    let mut exchange = begin(client, &[]);
    exchange.poll(handler);
    exchange.response(status, std::iter::empty::<(&str, &[u8])>(), Some(0));
    exchange.finish(Outcome::Completed);
}

fn requests(capture: &Capture) -> Vec<Value> {
    capture.entries().into_iter().filter(|e| e["kind"] == "request").collect()
}

#[test]
fn fields_and_ids_are_in_the_entry_and_in_what_is_logged_later() {
    let capture = capture();
    let client = capture.client();
    serve(&client, 200, || {
        client.info("before").send();
        let request = current();
        request.set_user_id("u1");
        request.set_session_id("s1");
        request.set_tenant_id("t1");
        request.set_field("cart", json!({"items": [1, 2], "api_key": "k"}));
        request.set_field("n", 1);
        request.set_field("gone", 1);
        client.info("between").send();
        request.set_field("n", 2);
        request.remove_field("gone");
        request.clear_session_id();
        client.info("after").send();
    });
    let entries = capture.entries();
    let find = |message: &str| entries.iter().find(|e| e["message"] == message).unwrap();
    assert!(find("before")["user_id"].is_null() && find("before")["metadata"].is_null());
    let between = find("between");
    assert_eq!((&between["session_id"], &between["metadata"]["gone"]), (&json!("s1"), &json!(1)));
    for entry in [find("after"), &requests(&capture)[0]] {
        assert_eq!((&entry["user_id"], &entry["tenant_id"]), (&json!("u1"), &json!("t1")));
        assert!(entry["session_id"].is_null(), "{entry}");
        let cart = json!({"items": [1, 2], "api_key": "[redacted]"});
        assert_eq!(entry["metadata"], json!({"cart": cart, "n": 2}));
    }
}

#[test]
fn what_a_trusted_header_says_holds_for_events_too_and_can_be_taken_back() {
    let capture = capture_with(Client::builder().trust(Trust::default().proxies(["10.0.0.0/8"]))).unwrap();
    let client = capture.client();
    for clear in [false, true] {
        let mut exchange = begin(&client, &[("x-user-id", "u1"), ("x-tenant-id", "t1")]);
        exchange.poll(|| {
            if clear {
                current().clear_user_id();
            }
            client.info(if clear { "cleared" } else { "kept" }).send();
        });
    }
    let entries = capture.entries();
    for (message, user) in [("kept", json!("u1")), ("cleared", Value::Null)] {
        let event = entries.iter().find(|e| e["message"] == message).unwrap();
        let request =
            entries.iter().find(|e| e["kind"] == "request" && e["span_id"] == event["span_id"]).unwrap();
        for entry in [event, request] {
            assert_eq!((&entry["user_id"], &entry["tenant_id"]), (&user, &json!("t1")), "{message}");
        }
    }
}

#[test]
fn a_handler_gives_the_entry_its_level_its_message_or_skips_it() {
    let capture = capture();
    let client = capture.client();
    serve(&client, 200, || current().set_level(Level::Error));
    serve(&client, 503, || current().set_level(Level::Info));
    serve(&client, 200, || current().set_message("paid with 4111111111111111"));
    serve(&client, 200, || {
        current().skip();
        client.info("in a skipped request").send();
    });
    let entries = requests(&capture);
    let said: Vec<_> =
        entries.iter().map(|e| (e["level"].as_str().unwrap(), e["message"].as_str().unwrap())).collect();
    assert_eq!(said, [("ERROR", "GET /p 200"), ("INFO", "GET /p 503"), ("INFO", "paid with [redacted]")]);
    assert!(capture.entries().iter().any(|e| e["message"] == "in a skipped request"));
    assert_eq!(client.stats().lost(), 0, "what is skipped is no loss");
}

#[test]
fn a_request_that_breaks_is_told_whatever_its_handler_said() {
    let capture = capture();
    let client = capture.client();
    let mut exchange = begin(&client, &[]);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        exchange.poll(|| {
            current().skip();
            current().set_level(Level::Debug);
            std::panic::resume_unwind(Box::new("boom"))
        })
    }));
    assert!(caught.map(|(): ()| ()).is_err());
    drop(exchange);
    let mut exchange = begin(&client, &[]);
    exchange.poll(|| current().set_level(Level::Debug));
    exchange.finish(Outcome::ServiceError);
    let entries = requests(&capture);
    let said: Vec<_> =
        entries.iter().map(|e| (e["outcome"].as_str().unwrap(), e["level"].as_str().unwrap())).collect();
    assert_eq!(said, [("panicked", "ERROR"), ("service_error", "ERROR")]);
}

#[test]
fn an_error_by_the_handlers_word_is_kept_where_others_are_sampled_out() {
    let capture = capture_with(Client::builder().requests(Requests::default().sample_at_end(0.0))).unwrap();
    let client = capture.client();
    serve(&client, 200, || current().set_level(Level::Warn));
    serve(&client, 200, || current().set_level(Level::Error));
    serve(&client, 500, || current().set_level(Level::Info));
    let entries = requests(&capture);
    assert_eq!((entries.len(), &entries[0]["level"]), (1, &json!("ERROR")));
    assert_eq!(client.stats().sampled(), 2);
}

#[test]
fn beyond_the_limit_events_of_a_request_are_counted_in_its_entry() {
    let capture = capture_with(Client::builder().max_events_per_request(3)).unwrap();
    let client = capture.client();
    serve(&client, 200, || {
        for _ in 0..5 {
            client.info("inside").send();
        }
        let refused = client.info("inside").try_send().unwrap_err();
        assert_eq!(refused.reason(), hoplog::Refusal::Dropped(DropReason::RateLimitedLocal));
    });
    for _ in 0..5 {
        client.info("outside").send();
    }
    serve(&client, 200, || client.info("inside the next").send());
    let entries = capture.entries();
    let count = |message: &str| entries.iter().filter(|e| e["message"] == message).count();
    assert_eq!((count("inside"), count("outside"), count("inside the next")), (3, 5, 1));
    let requests = requests(&capture);
    assert_eq!(requests[0]["metadata"], json!({"events_dropped": 3}));
    assert!(requests[1]["metadata"].is_null());
    assert_eq!(client.stats().refused.of(DropReason::RateLimitedLocal), 3);
}

#[test]
fn a_context_that_outlives_its_request_changes_nothing_and_still_says_who_it_was() {
    let capture = capture();
    let client = capture.client();
    let mut exchange = begin(&client, &[]);
    exchange.poll(|| current().set_user_id("u1"));
    let context = exchange.context();
    drop(exchange);
    context.set_user_id("u2");
    context.set_field("late", 1);
    context.set_level(Level::Fatal);
    context.skip();
    {
        let _entered = context.enter();
        client.info("late").send();
    }
    serve(&client, 200, || client.info("another").send());
    let entries = capture.entries();
    let users: Vec<_> = entries.iter().map(|e| (e["message"].as_str().unwrap(), &e["user_id"])).collect();
    let none = Value::Null;
    let expected = [
        ("GET /p cancelled", &json!("u1")),
        ("late", &json!("u1")),
        ("another", &none),
        ("GET /p 200", &none),
    ];
    assert_eq!(users, expected);
    assert!(entries.iter().all(|e| e["metadata"].is_null()));
    let outside = hoplog::Context::default();
    outside.set_field("nobody", 1);
    outside.skip();
}
