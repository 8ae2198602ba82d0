//! Scopes: what is logged inside of them, and nothing else, carries what they say.

use hoplog::testing::{Capture, capture, capture_with};
use hoplog::{
    Client, Context, Exchange, InCurrentContext as _, Level, RequestHead, current, in_current_context, scope,
};
use serde_json::{Value, json};
use tokio::task::yield_now;

fn begin(client: &Client) -> Exchange {
    let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
    client.begin_request(&head, std::iter::empty::<(&str, &[u8])>).unwrap()
}

/// The entry with this message.
fn find(capture: &Capture, message: &str) -> Value {
    let entries = capture.entries();
    entries
        .iter()
        .find(|e| e["message"] == message)
        .unwrap_or_else(|| panic!("no `{message}`: {entries:#?}"))
        .clone()
}

fn user(capture: &Capture, message: &str) -> Value {
    find(capture, message)["user_id"].clone()
}

#[tokio::test]
async fn a_scope_is_on_what_is_logged_inside_of_it_and_on_nothing_else() {
    let capture = capture();
    let client = capture.client();
    let inside = async {
        client.info("before the await").send();
        yield_now().await;
        client.info("after the await").send();
    };
    let beside = async {
        for _ in 0..3 {
            client.info("beside").send();
            yield_now().await;
        }
    };
    let scoped = scope().user_id("u1").session_id("s1").tenant("t1").field("job", 7).enter(inside);
    tokio::join!(scoped, beside);
    client.info("later").send();
    for message in ["before the await", "after the await"] {
        let entry = find(&capture, message);
        let ids = [&entry["user_id"], &entry["session_id"], &entry["tenant_id"], &entry["metadata"]["job"]];
        assert_eq!(ids, [&json!("u1"), &json!("s1"), &json!("t1"), &json!(7)]);
        assert!(entry["trace_id"].is_null(), "no request is open");
    }
    for entry in capture.entries().iter().filter(|e| e["message"] == "beside" || e["message"] == "later") {
        assert!(entry["user_id"].is_null() && entry["metadata"].is_null(), "{entry}");
    }
}

#[tokio::test]
async fn scopes_nest_merge_and_restore_and_the_entry_itself_has_the_last_word() {
    let capture = capture();
    let client = capture.client();
    let innermost = async {
        yield_now().await;
        client.info("inner").send();
        client.info("itself").user_id("u3").field("b", 3).send();
    };
    let outer = async {
        client.info("outer").send();
        scope().user_id("u2").field("b", 2).field("c", 2).enter(innermost).await;
        client.info("outer again").send();
    };
    scope().user_id("u1").tenant("t1").field("a", 1).field("b", 1).enter(outer).await;
    for message in ["outer", "outer again"] {
        let entry = find(&capture, message);
        assert_eq!((&entry["user_id"], &entry["metadata"]), (&json!("u1"), &json!({"a": 1, "b": 1})));
    }
    let inner = find(&capture, "inner");
    assert_eq!((&inner["user_id"], &inner["tenant_id"]), (&json!("u2"), &json!("t1")));
    assert_eq!(inner["metadata"], json!({"a": 1, "b": 2, "c": 2}));
    let itself = find(&capture, "itself");
    assert_eq!((&itself["user_id"], &itself["metadata"]["b"]), (&json!("u3"), &json!(3)));
}

#[tokio::test]
async fn a_scope_goes_by_where_it_is_polled_not_by_where_it_was_made() {
    let capture = capture();
    let client = capture.client();
    let mut log = Box::pin(scope().field("own", 1).enter(async {
        client.info("first").send();
        yield_now().await;
        client.info("second").send();
    }));
    let once = poll_once(log.as_mut());
    scope().user_id("a").enter(once).await;
    scope().user_id("b").enter(log).await;
    assert_eq!((user(&capture, "first"), user(&capture, "second")), (json!("a"), json!("b")));
    assert_eq!(find(&capture, "second")["metadata"]["own"], 1);
}

/// Polls a future one time, whatever comes of it.
async fn poll_once<F: Future + Unpin>(mut future: F) {
    std::future::poll_fn(|cx| {
        let _ = std::pin::Pin::new(&mut future).poll(cx);
        std::task::Poll::Ready(())
    })
    .await;
}

#[test]
fn scopes_go_over_what_the_request_says_and_a_request_begins_without_those_around_it() {
    let capture = capture();
    let client = capture.client();
    let _batch = scope().user_id("robot").field("n", "batch").guard();
    let mut exchange = begin(&client);
    exchange.poll(|| {
        client.info("1").send();
        current().set_user_id("u1");
        current().set_field("n", "request");
        client.info("2").send();
        let _inner = scope().user_id("u2").field("n", "scope").guard();
        client.info("3").send();
        current().set_user_id("u4");
        client.info("4").send();
    });
    client.info("5").send();
    drop(exchange);
    let expected = [
        ("1", Value::Null, Value::Null),
        ("2", json!("u1"), json!("request")),
        ("3", json!("u2"), json!("scope")),
        ("4", json!("u2"), json!("scope")),
        ("5", json!("robot"), json!("batch")),
    ];
    for (message, user, n) in expected {
        let entry = find(&capture, message);
        assert_eq!((&entry["user_id"], &entry["metadata"]["n"]), (&user, &n), "{message}");
    }
    let entries = capture.entries();
    let request = entries.iter().find(|e| e["kind"] == "request").unwrap();
    assert_eq!(request["user_id"], "u4", "what `current()` is told, and no scope");
    assert_eq!(request["metadata"], json!({"n": "request"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_blocking_tasks_and_threads_have_a_scope_only_if_they_take_it_along() {
    let capture = capture();
    let client = capture.client();
    let exchange = begin(&client);
    let log = move |message: &'static str| {
        let client = client.clone();
        move || client.info(message).send()
    };
    let inside = scope().user_id("u1").enter(async {
        let plain = log("spawned");
        tokio::spawn(async move { plain() }).await.unwrap();
        let taken = log("spawned along");
        tokio::spawn(
            async move {
                yield_now().await;
                taken();
            }
            .in_current_context(),
        )
        .await
        .unwrap();
        tokio::task::spawn_blocking(log("blocking")).await.unwrap();
        tokio::task::spawn_blocking(in_current_context(log("blocking along"))).await.unwrap();
        std::thread::spawn(log("thread")).join().unwrap();
        std::thread::spawn(in_current_context(log("thread along"))).join().unwrap();
    });
    exchange.context().scope(inside).await;
    let trace = json!(exchange.context().trace_id().unwrap().to_string());
    for message in ["spawned along", "blocking along", "thread along"] {
        assert_eq!(user(&capture, message), "u1", "{message}");
        assert_eq!(find(&capture, message)["trace_id"], trace, "{message}");
    }
    for message in ["spawned", "blocking", "thread"] {
        assert!(
            user(&capture, message).is_null() && find(&capture, message)["trace_id"].is_null(),
            "{message}"
        );
    }
}

/// Logs when it is dropped.
struct Farewell(Client, &'static str);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.info(self.1).send();
    }
}

#[tokio::test]
async fn what_a_future_holds_is_dropped_in_its_scope_on_whatever_thread() {
    let capture = capture();
    let client = capture.client();
    let exchange = begin(&client);
    let with = |message| {
        let farewell = Farewell(client.clone(), message);
        let mut future = Box::pin(scope().user_id("u1").enter(async move {
            let _farewell = farewell;
            std::future::pending::<()>().await;
        }));
        let mut noop = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut noop).is_pending());
        future
    };
    drop(with("here"));
    let polled = with("there");
    std::thread::spawn(move || drop(polled)).join().unwrap();
    let unpolled = exchange.context().scope(with("never polled"));
    std::thread::spawn(move || drop(unpolled)).join().unwrap();
    assert_eq!((user(&capture, "here"), user(&capture, "there")), (json!("u1"), json!("u1")));
    assert!(find(&capture, "never polled")["trace_id"].is_string());
    client.info("after").send();
    assert!(user(&capture, "after").is_null());
}

#[tokio::test]
async fn a_panic_in_a_scope_leaves_it() {
    let capture = capture();
    let client = capture.client();
    let guarded = std::panic::catch_unwind(|| {
        let _scope = scope().user_id("u1").guard();
        std::panic::resume_unwind(Box::new("boom"));
    });
    assert!(guarded.is_err());
    let task = tokio::task::LocalSet::new();
    let entered = task.run_until(async {
        let panics = scope().user_id("u2").enter(async {
            yield_now().await;
            std::panic::resume_unwind(Box::new("boom"))
        });
        tokio::task::spawn_local(panics).await.map(|(): ()| ()).unwrap_err()
    });
    assert!(entered.await.is_panic());
    client.info("after").send();
    assert!(user(&capture, "after").is_null());
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    let capture = capture();
    let client = capture.client();
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let mut guards = ["a", "b", "c"].map(|user| Some(scope().user_id(user).guard()));
        for (at, gone) in order.into_iter().enumerate() {
            let message = format!("{order:?} {at}");
            client.info(&message).send();
            // The last that is left speaks, or the last of all for as long as it is there.
            let last = (0..3).rev().find(|n| guards[*n].is_some()).unwrap();
            assert_eq!(user(&capture, &message), ["a", "b", "c"][last], "{message}");
            guards[gone] = None;
        }
        let message = format!("{order:?} none");
        client.info(&message).send();
        assert!(user(&capture, &message).is_null(), "{message}");
    }
}

#[tokio::test]
async fn a_guard_that_is_kept_across_an_await_ends_there_and_harms_nobody() {
    let capture = capture();
    let client = capture.client();
    let mut exchange = begin(&client);
    let other = begin(&client);
    let trace = exchange.context().trace_id();
    {
        let noop = || std::task::Context::from_waker(std::task::Waker::noop());
        let mut handler = Box::pin(async {
            let _scope = scope().user_id("u1").guard();
            client.info("inside").send();
            let _context = other.context().enter();
            let _none = Context::default().enter();
            yield_now().await;
            client.info("behind the await").send();
        });
        exchange.poll(|| assert!(handler.as_mut().poll(&mut noop()).is_pending()));
        assert!(current().is_empty(), "the guards stay behind");
        client.info("between").send();
        exchange.poll(|| {
            assert_eq!(current().trace_id(), trace, "the request is what it was");
            assert!(handler.as_mut().poll(&mut noop()).is_ready());
            assert_eq!(current().trace_id(), trace);
        });
        // Whatever guards are left are dropped here, outside of the request.
    }
    assert!(current().is_empty());
    drop(exchange);
    assert_eq!(user(&capture, "inside"), "u1");
    for message in ["between", "behind the await"] {
        assert!(user(&capture, message).is_null(), "{message}");
    }
    assert_eq!(find(&capture, "behind the await")["trace_id"], json!(trace.unwrap().to_string()));
    assert_eq!(capture.entries().iter().filter(|e| e["kind"] == "request").count(), 1);
}

#[test]
fn a_guard_that_is_left_over_in_a_scope_ends_with_the_scopes_poll() {
    let capture = capture();
    let client = capture.client();
    let mut noop = std::task::Context::from_waker(std::task::Waker::noop());
    let mut scoped = Box::pin(scope().field("outer", 1).enter(async {
        let _scope = scope().user_id("u1").guard();
        client.info("first poll").send();
        tokio::task::yield_now().await;
        client.info("second poll").send();
    }));
    assert!(scoped.as_mut().poll(&mut noop).is_pending());
    client.info("between").send();
    assert!(scoped.as_mut().poll(&mut noop).is_ready());
    client.info("after").send();
    let said = |message: &str| {
        let entry = find(&capture, message);
        (entry["user_id"].clone(), entry["metadata"]["outer"].clone())
    };
    assert_eq!(said("first poll"), (json!("u1"), json!(1)));
    assert_eq!(said("second poll"), (Value::Null, json!(1)));
    assert_eq!((said("between"), said("after")), ((Value::Null, Value::Null), (Value::Null, Value::Null)));
}

#[test]
fn a_guard_that_is_dropped_inside_of_an_inner_poll_is_gone_after_it() {
    let capture = capture();
    let client = capture.client();
    let (outer, mut inner) = (begin(&client), begin(&client));
    let guard = outer.context().enter();
    let scoped = scope().user_id("u1").guard();
    inner.poll(move || {
        drop(guard);
        drop(scoped);
        assert!(!current().is_empty(), "the inner one");
    });
    assert!(current().is_empty());
    client.info("after").send();
    assert!(user(&capture, "after").is_null());
}

#[test]
fn what_a_scope_says_is_masked_by_each_clients_own_rules() {
    let strict = capture();
    let lax =
        capture_with(Client::builder().redaction(hoplog::Redaction::default().innocent_name("password")))
            .unwrap();
    let _scope = scope().field("password", "hunter2").field("note", "card 4111111111111111").guard();
    for _ in 0..2 {
        for capture in [&strict, &lax] {
            capture.client().info("x").send();
        }
    }
    for entry in strict.entries() {
        assert_eq!(entry["metadata"], json!({"password": "[redacted]", "note": "card [redacted]"}));
    }
    for entry in lax.entries() {
        assert_eq!(entry["metadata"], json!({"password": "hunter2", "note": "card [redacted]"}));
    }
}

#[test]
fn a_scope_holds_no_more_than_its_bounds() {
    let capture = capture();
    let many = (0..70).fold(scope(), |scope, n| scope.field(&format!("f{n}"), n));
    let many = many.field("f0", "again").field("f1", "x".repeat(40_000)).user_id(&"é".repeat(5_000));
    {
        let _many = many.guard();
        capture.client().info("many").send();
    }
    let fields = find(&capture, "many")["metadata"].clone();
    assert_eq!(fields.as_object().unwrap().len(), 63 + 1, "f1 went with its large value");
    assert_eq!((&fields["f0"], &fields["fields_left_out"]), (&json!("again"), &json!(7)));
    assert!(user(&capture, "many").as_str().unwrap().len() <= 256);
}

#[test]
fn calls_of_a_client_carry_the_scope_and_the_request_they_are_made_in() {
    let capture = capture();
    let client = capture.client();
    let mut exchange = begin(&client);
    exchange.poll(|| {
        current().set_user_id("u1");
        let _scope = scope().field("attempt", 2).guard();
        let head = RequestHead { method: "GET", path: "/call", ..RequestHead::default() };
        drop(client.begin_call(&head, std::iter::empty::<(&str, &[u8])>).unwrap());
    });
    let entries = capture.entries();
    let call = entries.iter().find(|e| e["kind"] == "outgoing").unwrap();
    assert_eq!((&call["user_id"], &call["metadata"]), (&json!("u1"), &json!({"attempt": 2})));
    assert_eq!(call["level"], json!(Level::Warn.as_str()), "cancelled");
}
