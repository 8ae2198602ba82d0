//! The logger beyond its methods: macros, levels by target, timers, refusals.

use std::error::Error;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use hoplog::testing::{Capture, capture, capture_with};
use hoplog::{Client, DropReason, Level, Origin, Refusal};
use serde_json::{Value, json};

fn only(capture: &Capture) -> Value {
    let mut entries = capture.entries();
    assert_eq!(entries.len(), 1, "{entries:#?}");
    entries.remove(0)
}

#[test]
fn macros_tell_module_function_file_and_line() {
    struct Shop;
    impl Shop {
        fn order(client: &Client) {
            hoplog::info!(client, "in a method");
        }
    }
    let capture = capture();
    let client = capture.client();
    hoplog::warn!(client, "in a function");
    let line = line!() - 1;
    Shop::order(&client);
    [()].into_iter().for_each(|()| hoplog::debug!(&client, "in a closure"));
    let entries = capture.entries();
    let own = "macros_tell_module_function_file_and_line";
    for (entry, function) in
        entries.iter().zip([own.to_owned(), format!("{own}::Shop::order"), own.to_owned()])
    {
        assert_eq!((&entry["target"], &entry["function_name"]), (&json!("it::logging"), &json!(function)));
        assert_eq!(entry["file_path"], file!());
    }
    assert_eq!((&entries[0]["line"], &entries[0]["level"]), (&json!(line), &json!("WARN")));
}

#[tokio::test]
async fn a_macro_in_async_code_names_the_function_around_it() {
    let capture = capture();
    let client = capture.client();
    async { hoplog::trace!(client, "x") }.await;
    assert_eq!(only(&capture)["function_name"], "a_macro_in_async_code_names_the_function_around_it");
}

#[test]
fn macros_take_arguments_captures_and_fields_of_every_kind() {
    let capture = capture();
    let client = capture.client();
    let (order, total) = (42, 9.5);
    hoplog::info!(client, "plain");
    hoplog::info!(client, "plain",);
    hoplog::info!(client, "order {order} of {}", "bob");
    hoplog::info!(client, "order {order} of {} and {0}", "bob", total = total, "item.id" = [1, 2],);
    hoplog::error!(capture.client(), "fields", equal = order == 42, password = "hunter2");
    hoplog::fatal!(client, "{:?}", Some(1), ok = true);
    let entry = hoplog::entry!(client, Level::Warn, "held", a = 1);
    entry.field("b", 2).send();
    let said: Vec<_> = capture
        .entries()
        .iter()
        .map(|e| (e["message"].as_str().unwrap().to_owned(), e["metadata"].clone()))
        .collect();
    let expected = [
        ("plain", Value::Null),
        ("plain", Value::Null),
        ("order 42 of bob", Value::Null),
        ("order 42 of bob and bob", json!({"total": 9.5, "item.id": [1, 2]})),
        ("fields", json!({"equal": true, "password": "[redacted]"})),
        ("Some(1)", json!({"ok": true})),
        ("held", json!({"a": 1, "b": 2})),
    ];
    assert_eq!(said, expected.map(|(message, fields)| (message.to_owned(), fields)));
}

#[test]
fn below_its_level_a_macro_looks_at_nothing() {
    struct Untouchable;
    impl fmt::Display for Untouchable {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("nobody needs this message")
        }
    }
    let capture = capture_with(Client::builder().min_level(Level::Warn)).unwrap();
    let client = capture.client();
    let mut evaluated = 0;
    let mut value = || {
        evaluated += 1;
        evaluated
    };
    hoplog::info!(client, "{}", Untouchable, n = value());
    hoplog::warn!(client, "x", n = value());
    assert_eq!((evaluated, only(&capture)["metadata"]["n"].as_i64()), (1, Some(1)));
}

#[test]
fn levels_go_by_module_and_methods_by_what_holds_for_all() {
    let builder = Client::builder()
        .min_level(Level::Error)
        .min_level_of("it", Level::Warn)
        .min_level_of("it::logging", Level::Debug);
    let capture = capture_with(builder).unwrap();
    let client = capture.client();
    hoplog::debug!(client, "taken");
    hoplog::trace!(client, "no");
    client.warn("no").send();
    client.log_from(Level::Warn, "taken", &Origin::new("it::other").function("f").file("a.rs", 7)).send();
    client.log_from(Level::Info, "no", &Origin::new("it::other")).send();
    client.log_from(Level::Warn, "no", &Origin::new("other")).send();
    let entries = capture.entries();
    assert!(entries.iter().all(|e| e["message"] == "taken"), "{entries:#?}");
    assert_eq!(entries.len(), 2);
    let place =
        [&entries[1]["target"], &entries[1]["function_name"], &entries[1]["file_path"], &entries[1]["line"]];
    assert_eq!(place, [&json!("it::other"), &json!("f"), &json!("a.rs"), &json!(7)]);
    assert!(client.takes(Level::Debug, "it::logging") && !client.takes(Level::Debug, ""));
}

#[tokio::test]
async fn who_tries_to_send_is_told_why_it_was_refused() {
    assert_eq!(Client::disabled().info("x").try_send().unwrap_err().reason(), Refusal::Disabled);
    let capture = capture_with(Client::builder().min_level(Level::Warn)).unwrap();
    let client = capture.client();
    assert_eq!(client.info("x").try_send().unwrap_err().reason(), Refusal::BelowLevel);
    client.warn("taken").try_send().unwrap();
    client.shutdown(Duration::from_secs(10)).await;
    let refused = client.warn("late").field("n", 1).try_send().unwrap_err();
    assert_eq!(refused.reason(), Refusal::Dropped(DropReason::AfterClose));
    assert_eq!(refused.to_string(), "the entry was dropped: after_close");
    assert_eq!(
        refused.into_entry().try_send().unwrap_err().reason(),
        Refusal::Dropped(DropReason::AfterClose)
    );
    let stats = client.stats();
    assert_eq!((stats.accepted, stats.refused.of(DropReason::AfterClose)), (1, 2));
}

#[test]
fn an_error_comes_with_a_backtrace_where_it_is_asked_for() {
    let plain = capture();
    let traced = capture_with(Client::builder().backtraces(true)).unwrap();
    let error = std::io::Error::other(std::io::Error::other("card 4111111111111111"));
    for capture in [&plain, &traced] {
        capture.client().error("x").error(&error).send();
    }
    let trace = only(&plain)["stack_trace"].clone();
    assert!(trace.is_null() || trace == "caused by: card [redacted]", "{trace}");
    let trace = only(&traced)["stack_trace"].as_str().unwrap().to_owned();
    assert!(trace.contains("an_error_comes_with_a_backtrace") && !trace.contains("4111"), "{trace}");
}

#[test]
fn a_timer_tells_how_long_and_how_it_ended() {
    let capture = capture();
    let client = capture.client();
    {
        let _timer = client.timer("query").field("table", "orders").field("password", "hunter2");
        client.info("within").send();
    }
    client.timer(String::from("stopped")).level(Level::Debug).stop();
    client.timer("failed").fail(&std::io::Error::other("disk on fire"));
    client.timer("discarded").discard();
    let caught = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _timer = client.timer("panicked");
        std::panic::resume_unwind(Box::new("boom"))
    }));
    assert!(caught.map(|(): ()| ()).is_err());
    let entries = capture.entries();
    let said: Vec<_> = entries
        .iter()
        .filter(|e| e["message"] != "within")
        .map(|e| [&e["message"], &e["level"], &e["outcome"]].map(|v| v.as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ["query", "INFO", "completed"],
        ["stopped", "DEBUG", "completed"],
        ["failed", "ERROR", "service_error"],
        ["panicked", "ERROR", "panicked"],
    ];
    assert_eq!(said, expected.map(|row| row.map(str::to_owned)));
    let (within, query) = (&entries[0], &entries[1]);
    assert!(
        query["created_at"].as_f64() <= within["created_at"].as_f64(),
        "an entry stands at its beginning"
    );
    assert!(query["duration_ms"].is_number());
    assert_eq!(query["metadata"], json!({"table": "orders", "password": "[redacted]"}));
    assert_eq!((&query["kind"], &query["file_path"]), (&json!("event"), &json!(file!())));
    assert_eq!(entries[3]["error_message"], "disk on fire");
}

#[test]
fn what_is_measured_passes_through_unchanged_and_errors_of_every_kind_are_noted() {
    let capture = capture();
    let client = capture.client();
    assert_eq!(client.measure("fine", || Ok::<_, fmt::Error>(7)), Ok(7));
    let number = client.measure("number", || "x".parse::<i32>());
    assert_eq!(number, "x".parse());
    let boxed: Result<(), Box<dyn Error + Send + Sync>> = client.measure("boxed", || Err("b".into()));
    assert_eq!(boxed.unwrap_err().to_string(), "b");
    let local: Result<(), Box<dyn Error>> = client.measure("local", || Err("l".into()));
    assert_eq!(local.unwrap_err().to_string(), "l");
    assert_eq!(client.measure("text", || Err::<(), _>("t")), Err("t"));
    assert_eq!(client.measure("string", || Err::<(), _>(String::from("s"))), Err("s".into()));
    let wrapped = || Err::<(), _>(std::io::Error::other(std::io::Error::other("deep")));
    assert!(client.timer("chain").field("n", 1).measure(wrapped).is_err());
    let entries = capture.entries();
    let said: Vec<_> = entries
        .iter()
        .map(|e| {
            [&e["message"], &e["level"], &e["error_message"]].map(|v| v.as_str().unwrap_or("-").to_owned())
        })
        .collect();
    let expected = [
        ["fine", "INFO", "-"],
        ["number", "ERROR", "invalid digit found in string"],
        ["boxed", "ERROR", "b"],
        ["local", "ERROR", "l"],
        ["text", "ERROR", "t"],
        ["string", "ERROR", "s"],
        ["chain", "ERROR", "deep"],
    ];
    assert_eq!(said, expected.map(|row| row.map(str::to_owned)));
    assert_eq!(entries[1]["error_type"], "core::num::error::ParseIntError");
    assert_eq!(entries[6]["metadata"], json!({"n": 1}));
}

#[tokio::test]
async fn a_measured_future_is_timed_to_its_end_or_to_its_drop() {
    let capture = capture();
    let client = capture.client();
    let fine = async {
        tokio::task::yield_now().await;
        Ok::<_, fmt::Error>(7)
    };
    assert_eq!(client.measure_async("fine", fine).await, Ok(7));
    assert_eq!(client.measure_async("failed", async { Err::<(), _>("no") }).await, Err("no"));
    let mut dropped =
        Box::pin(client.measure_async("dropped", std::future::pending::<Result<(), fmt::Error>>()));
    let mut noop = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(dropped.as_mut().poll(&mut noop).is_pending());
    drop(dropped);
    let panics = client.measure_async("panicked", async { std::panic::resume_unwind(Box::new("boom")) });
    let task = tokio::spawn(async { panics.await.unwrap_or_else(|error: fmt::Error| panic!("{error}")) });
    assert!(task.await.map(|(): ()| ()).is_err());
    let said: Vec<_> = capture
        .entries()
        .iter()
        .map(|e| [&e["message"], &e["level"], &e["outcome"]].map(|v| v.as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ["fine", "INFO", "completed"],
        ["failed", "ERROR", "service_error"],
        ["dropped", "WARN", "cancelled"],
        ["panicked", "ERROR", "panicked"],
    ];
    assert_eq!(said, expected.map(|row| row.map(str::to_owned)));
}

#[test]
fn a_timer_below_the_level_is_silent_unless_it_fails() {
    let capture = capture_with(Client::builder().min_level(Level::Warn)).unwrap();
    let client = capture.client();
    client.timer("quiet").stop();
    let _ = client.measure("loud", || Err::<(), _>("no"));
    Client::disabled().timer("nobody").field("a", 1).stop();
    assert_eq!(Client::disabled().measure("nobody", || Err::<(), _>("no")), Err("no"));
    assert_eq!(only(&capture)["message"], "loud");
}

#[test]
fn a_message_whose_arguments_fail_or_panic_harms_nobody() {
    struct Bad(bool);
    impl fmt::Display for Bad {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            if self.0 { panic!("in Display") } else { f.write_str("half").and(Err(fmt::Error)) }
        }
    }
    let capture = capture();
    let client = capture.client();
    hoplog::info!(client, "{} of it", Bad(false));
    hoplog::info!(client, "{}", Bad(true));
    let entries = capture.entries();
    assert_eq!(entries[0]["message"], "half");
    assert_eq!(entries[1]["message"], "[its text cannot be told: it panicked]");
}

#[test]
fn fields_beyond_the_limit_are_counted_and_their_values_not_looked_at() {
    let capture = capture();
    let many = (0..256).fold(capture.client().info("x"), |entry, n| entry.field(&format!("f{n}"), n));
    struct Untouchable;
    impl serde::Serialize for Untouchable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("nobody needs this value")
        }
    }
    many.field("more", Untouchable).field("more still", 1).send();
    let fields = only(&capture)["metadata"].as_object().unwrap().clone();
    assert_eq!((fields.len(), &fields["f255"], &fields["fields_left_out"]), (257, &json!(255), &json!(2)));
}

#[test]
fn a_measured_future_whose_panic_is_caught_before_it_is_dropped_has_panicked() {
    let capture = capture();
    let panics = async { std::panic::resume_unwind(Box::new("boom")) };
    let mut future = Box::pin(capture.client().measure_async("caught", panics));
    let mut noop = std::task::Context::from_waker(std::task::Waker::noop());
    let polled = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _: std::task::Poll<Result<(), fmt::Error>> = future.as_mut().poll(&mut noop);
    }));
    assert!(polled.is_err());
    drop(future);
    assert_eq!(only(&capture)["outcome"], "panicked");
}
