//! Requests that make no entry: skipped ones, and health checks that succeed.

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::testing::capture_with;
use crate::{Client, context};

#[test]
fn each_kind_of_skip_begins_nothing_and_leaves_the_others_alone() {
    let requests = Requests::default()
        .skip_path("/metrics")
        .skip_prefix("/assets")
        .skip_route("/internal/{*rest}")
        .skip_if(|head| head.method == "OPTIONS");
    let capture = capture_with(Client::builder().requests(requests)).unwrap();
    let begin = |head: &RequestHead<'_>| capture.client().begin_request(head, || pairs(&[]));
    let options = RequestHead { method: "OPTIONS", ..head("/users", None) };
    for skipped in [
        head("/metrics", None),
        head("/assets/a.css", Some("/assets/{*file}")),
        head("/internal/x", Some("/internal/{*rest}")),
        options,
    ] {
        assert!(begin(&skipped).is_none(), "{skipped:?}");
    }
    assert!(context::current().is_empty());
    assert_eq!(capture.entries().len(), 0);
    for kept in [head("/metrics/", None), head("/assets/../x", None), head("/internal/x", Some("/{*rest}"))] {
        begin(&kept).expect("a request that is logged").finish(Outcome::Completed);
    }
    assert_eq!(capture.entries().len(), 3);
    let stats = capture.client().stats();
    assert_eq!(
        (stats.accepted, stats.refused.total(), stats.lost()),
        (3, 0, 0),
        "skipped ones are not counted"
    );
}

#[test]
fn a_closure_that_panics_skips_nothing_and_the_next_one_is_asked() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let requests =
        Requests::default().skip_if(|_| panic::resume_unwind(Box::new("boom"))).skip_if(move |head| {
            count.fetch_add(1, Ordering::Relaxed);
            head.path == "/b"
        });
    let rules = requests.build().unwrap();
    assert!(!rules.skips(&head("/a", None)));
    assert!(rules.skips(&head("/b", None)));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn a_route_to_skip_that_is_known_late_discards_the_entry_uncounted() {
    let rig = Rig::new(Requests::default().skip_route("/internal/{id}"));
    for ended in [Outcome::Completed, Outcome::BodyAborted, Outcome::Panicked] {
        let mut exchange = rig.begin("/internal/7", None, &[]);
        exchange.set_route("/internal/{id}");
        exchange.response(500, pairs(&[]), None);
        exchange.finish(ended);
    }
    let mut exchange = rig.begin("/internal/7", None, &[]);
    exchange.set_route("/internal/{id}");
    drop(exchange);
    assert_eq!((rig.entries(), rig.counts()), (vec![], (0, 0)));
    rig.serve("/internal/7", Some("/{a}/{b}"), 200);
    assert_eq!(rig.counts(), (1, 0), "another route with that path");
}

#[test]
fn the_route_of_a_grpc_call_can_be_skipped_though_only_its_answer_tells_it() {
    let rig = Rig::new(Requests::default().skip_route("/shop.Orders/Watch"));
    for (path, entries) in [("/shop.Orders/Watch", 0), ("/shop.Orders/Get", 1)] {
        let mut exchange = rig.begin(path, None, &[]);
        exchange.response(200, pairs(&[("content-type", "application/grpc")]), None);
        exchange.finish(Outcome::Completed);
        assert_eq!(rig.entries().len(), entries, "{path}");
    }
}

#[test]
fn health_checks_that_succeed_make_no_entry_and_failing_ones_do() {
    let rig = Rig::new(Requests::default().slow(Duration::from_millis(100)).level(404, Level::Info));
    for path in ["/health", "/healthz", "/livez", "/readyz", "/ping", "/up", "/grpc.health.v1.Health/Check"] {
        rig.serve(path, None, 204);
        rig.serve(path, None, 302);
    }
    assert_eq!((rig.entries(), rig.counts()), (vec![], (0, 0)));
    for status in [404, 500, 503] {
        rig.serve("/healthz", None, status);
        assert_eq!(rig.entries().len(), 1, "{status}");
    }
    for failed in [Outcome::Panicked, Outcome::BodyAborted, Outcome::ServiceError, Outcome::TimedOut] {
        let mut exchange = rig.begin("/healthz", None, &[]);
        exchange.response(200, pairs(&[]), None);
        exchange.finish(failed);
        assert_eq!(rig.entry().outcome, Some(failed));
    }
    drop(rig.begin("/healthz", None, &[]));
    assert_eq!(rig.entry().outcome, Some(Outcome::Cancelled));
    let mut exchange = rig.begin("/grpc.health.v1.Health/Check", None, &[]);
    exchange.response(200, pairs(&[("content-type", "application/grpc")]), None);
    exchange.trailer("grpc-status", b"14");
    exchange.finish(Outcome::Completed);
    assert_eq!(rig.entry().level, Level::Error);
    let exchange = rig.begin("/healthz", None, &[]);
    rig.advance(Duration::from_millis(101));
    rig.answer(exchange, 200);
    assert!(rig.entry().slow, "slow is not healthy");
}

#[test]
fn a_health_check_that_does_something_or_tells_an_error_makes_an_entry() {
    let rig = Rig::new(Requests::default());
    let begin = |method, path| {
        let head = RequestHead { method, ..head(path, None) };
        Exchange::begin_incoming(&rig.pipeline, &head, || pairs(&[]))
    };
    for method in ["POST", "PUT", "DELETE"] {
        rig.answer(begin(method, "/up"), 200);
        assert_eq!(rig.entries().len(), 1, "{method}");
    }
    rig.answer(begin("HEAD", "/up"), 200);
    let mut exchange = begin("POST", "/grpc.health.v1.Health/Check");
    exchange.response(200, pairs(&[("content-type", "application/grpc"), ("grpc-status", "0")]), None);
    exchange.finish(Outcome::Completed);
    assert_eq!(rig.entries(), []);
    let mut exchange = begin("GET", "/up");
    exchange.poll(|| context::current().set_error(&std::io::Error::other("the disk is nearly full")));
    rig.answer(exchange, 200);
    assert_eq!(rig.entries().len(), 1);
}

#[test]
fn other_paths_are_no_health_checks_and_the_list_is_the_applications() {
    let rig = Rig::new(Requests::default());
    for path in ["/status", "/live", "/health/x", "/healthz/", "/api/health"] {
        rig.serve(path, None, 200);
        assert_eq!(rig.entries().len(), 1, "{path}");
    }
    let rig = Rig::new(Requests::default().health_paths(["/api/alive"]));
    rig.serve("/api/alive", None, 200);
    rig.serve("/healthz", None, 200);
    assert_eq!(rig.counts(), (1, 0));
    let rig = Rig::new(Requests::default().health_paths::<String>([]));
    rig.serve("/healthz", None, 200);
    assert_eq!(rig.counts(), (1, 0));
}
