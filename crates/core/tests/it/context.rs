//! The current request: where it is seen, and where it is not.

use std::collections::BTreeMap;

use hoplog::testing::{Capture, capture};
use hoplog::{Context, Exchange, InCurrentContext as _, RequestHead, current};
use tokio::task::yield_now;

fn begin(capture: &Capture, request_id: &str) -> Exchange {
    let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
    capture.client().begin_request(&head, || [("x-request-id", request_id.as_bytes())].into_iter()).unwrap()
}

fn here() -> Option<String> {
    current().request_id().map(ToOwned::to_owned)
}

#[tokio::test]
async fn a_context_is_seen_while_its_future_is_polled_and_not_between() {
    let capture = capture();
    let (one, two) = (begin(&capture, "one"), begin(&capture, "two"));
    let watch = |own: &'static str| async move {
        for _ in 0..5 {
            assert_eq!(here().as_deref(), Some(own));
            yield_now().await;
        }
    };
    let outside = async {
        for _ in 0..5 {
            assert!(current().is_empty());
            yield_now().await;
        }
    };
    tokio::join!(one.context().scope(watch("one")), outside, two.context().scope(watch("two")));
    assert!(current().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spawned_task_has_a_context_only_if_it_takes_it_along() {
    let capture = capture();
    let exchange = begin(&capture, "parent");
    let (plain, taken) = exchange
        .context()
        .scope(async {
            let plain = tokio::spawn(async { here() });
            let taken = tokio::spawn(
                async {
                    yield_now().await;
                    here()
                }
                .in_current_context(),
            );
            (plain.await.unwrap(), taken.await.unwrap())
        })
        .await;
    assert_eq!(plain, None);
    assert_eq!(taken.as_deref(), Some("parent"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_side_by_side_never_see_each_other() {
    let capture = capture();
    let tasks: Vec<_> = (0..50)
        .map(|i| {
            let context = begin(&capture, &format!("r{i}")).context();
            tokio::spawn(context.scope(async move {
                for _ in 0..20 {
                    assert_eq!(here(), Some(format!("r{i}")));
                    yield_now().await;
                }
            }))
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn scopes_nest_and_restore_what_was() {
    let capture = capture();
    let (outer, inner) = (begin(&capture, "outer"), begin(&capture, "inner"));
    let watched = outer.context().scope(async {
        let inside = inner.context().scope(async {
            yield_now().await;
            assert_eq!(here().as_deref(), Some("inner"));
        });
        tokio::join!(inside, async {
            for _ in 0..3 {
                assert_eq!(here().as_deref(), Some("outer"), "beside it");
                yield_now().await;
            }
        });
        assert_eq!(here().as_deref(), Some("outer"), "after it");
    });
    watched.await;
}

#[test]
fn guards_nest_and_restore_what_was() {
    let capture = capture();
    let (outer, inner) = (begin(&capture, "outer"), begin(&capture, "inner"));
    assert!(current().is_empty());
    {
        let _outer = outer.context().enter();
        assert_eq!(here().as_deref(), Some("outer"));
        {
            let _inner = inner.context().enter();
            assert_eq!(here().as_deref(), Some("inner"));
            {
                let _none = Context::default().enter();
                assert!(current().is_empty());
            }
            assert_eq!(here().as_deref(), Some("inner"));
        }
        assert_eq!(here().as_deref(), Some("outer"));
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(current().is_empty(), "another thread has its own"));
        });
    }
    assert!(current().is_empty());
}

#[test]
fn a_panic_in_a_context_leaves_it() {
    let capture = capture();
    let context = begin(&capture, "one").context();
    let caught = std::panic::catch_unwind(|| {
        let _entered = context.enter();
        std::panic::resume_unwind(Box::new("boom"));
    });
    assert!(caught.is_err());
    assert!(current().is_empty());
}

#[test]
fn inject_gives_the_headers_of_a_call_under_this_hop() {
    let capture = capture();
    let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
    let headers = [
        ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".as_slice()),
        ("tracestate", b"vendor=1"),
        ("x-request-id", b"r-1"),
    ];
    let exchange = capture.client().begin_request(&head, || headers.into_iter()).unwrap();
    let context = exchange.context();
    let mut sent = BTreeMap::new();
    context.inject(|name, value| {
        sent.insert(name, value.to_owned());
    });
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    assert_eq!(context.trace_id().unwrap().to_string(), trace);
    let own = context.span_id().unwrap();
    assert_ne!(own.to_string(), "00f067aa0ba902b7", "this hop is a span of its own");
    let expected = [
        ("traceparent", format!("00-{trace}-{own}-01")),
        ("tracestate", "vendor=1".into()),
        ("x-request-id", "r-1".into()),
        ("x-trace-id", trace.into()),
    ];
    assert_eq!(sent, BTreeMap::from(expected));
    Context::default().inject(|name, _| panic!("{name} without a request"));
}

#[test]
fn a_context_outlives_its_request_and_its_client() {
    let capture = capture();
    let exchange = begin(&capture, "gone");
    let context = exchange.context();
    drop(exchange);
    assert_eq!(capture.entries().len(), 1);
    drop(capture);
    assert_eq!(context.request_id(), Some("gone"));
    let _entered = context.enter();
    assert_eq!(here().as_deref(), Some("gone"));
}

#[test]
fn a_second_layer_in_an_open_request_records_nothing_and_after_its_end_it_does() {
    let capture = capture();
    let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
    let mut exchange = begin(&capture, "outer");
    let context = exchange.context();
    exchange
        .poll(|| assert!(capture.client().begin_request(&head, std::iter::empty::<(&str, &[u8])>).is_none()));
    drop(exchange);
    let _stale = context.enter();
    drop(capture.client().begin_request(&head, std::iter::empty::<(&str, &[u8])>).unwrap());
    assert_eq!(capture.entries().len(), 2);
}
