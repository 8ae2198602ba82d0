use std::sync::Arc;
use std::time::Duration;

use hoplog_entry::{Field, Item, Kind, Level, Outcome, Record, Value};

use super::{Exchange, RequestHead, Requests};
use crate::clock::Clock;
use crate::context;
use crate::pipeline::{Pipeline, Policy};
use crate::queue::QueueLimits;
use crate::redact::Redaction;

mod harm;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A pipeline with a hand-moved clock, and the entries that reached its queue.
struct Rig {
    pipeline: Arc<Pipeline>,
}

impl Rig {
    fn new() -> Self {
        Self::with(Redaction::default())
    }

    fn with(redaction: Redaction) -> Self {
        let limits = QueueLimits::new(1 << 20, 10_000);
        let rules = Requests::default().build().unwrap();
        let clock = Clock::by_hand(Duration::from_secs(1_763_600_000));
        Self {
            pipeline: Arc::new(Pipeline::new(clock, limits, Policy::with(redaction.build().unwrap(), rules))),
        }
    }

    fn begin(&self, headers: &[(&str, &str)]) -> Exchange {
        let head =
            RequestHead { method: "GET", path: "/users/7", http_version: "1.1", ..RequestHead::default() };
        self.begin_with(&head, headers)
    }

    fn begin_with(&self, head: &RequestHead<'_>, headers: &[(&str, &str)]) -> Exchange {
        Exchange::begin_incoming(&self.pipeline, head, || pairs(headers))
    }

    fn advance(&self, ms: u64) {
        self.pipeline.clock.advance(Duration::from_millis(ms));
    }

    fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for chunk in self.pipeline.queue.sweep() {
            let mut rest = chunk.bytes();
            while let Ok((record, after)) = Record::read(rest) {
                entries.push(Entry(record.bytes().to_vec()));
                rest = after;
            }
        }
        entries
    }

    fn entry(&self) -> Entry {
        let mut entries = self.entries();
        assert_eq!(entries.len(), 1, "one entry per exchange");
        entries.remove(0)
    }
}

fn pairs<'h>(headers: &'h [(&'h str, &'h str)]) -> impl Iterator<Item = (&'h str, &'h [u8])> {
    headers.iter().map(|(name, value)| (*name, value.as_bytes()))
}

struct Entry(Vec<u8>);

impl Entry {
    fn record(&self) -> Record<'_> {
        Record::read(&self.0).unwrap().0
    }

    fn outcome(&self) -> Outcome {
        self.record().outcome().unwrap()
    }

    fn text(&self, field: Field) -> Option<String> {
        match self.record().get(field)? {
            Value::Text(text) => Some(text.to_owned()),
            Value::TraceId(id) => Some(id.to_string()),
            Value::SpanId(id) => Some(id.to_string()),
            other => panic!("{field:?} is {other:?}"),
        }
    }

    fn number(&self, field: Field) -> Option<u64> {
        match self.record().get(field)? {
            Value::Uint(n) | Value::Nanos(n) => Some(n),
            other => panic!("{field:?} is {other:?}"),
        }
    }

    fn header(&self, wanted: &str) -> Option<String> {
        self.record().items().find_map(|item| match item.unwrap() {
            Item::RequestHeader(name, value) if name == wanted => {
                Some(String::from_utf8_lossy(value).into_owned())
            }
            _ => None,
        })
    }
}

#[test]
fn a_completed_request_has_its_times_sizes_and_ids() {
    let rig = Rig::new();
    let head = RequestHead {
        method: "POST",
        path: "/users/7",
        query: Some("page=2&token=hunter2"),
        route: Some("/users/{id}"),
        http_version: "1.1",
        peer: Some("10.0.0.1".parse().unwrap()),
        ..RequestHead::default()
    };
    let headers = [
        ("host", "shop.example"),
        ("content-length", "42"),
        ("authorization", "Bearer hunter2"),
        ("accept", "*/*"),
    ];
    let mut exchange = rig.begin_with(&head, &headers);
    rig.advance(10);
    let headers = [("content-type", "text/plain"), ("set-cookie", "sid=hunter2"), ("x-trace-id", "its own")];
    assert_eq!(exchange.response(201, pairs(&headers), None), [true, false]);
    rig.advance(30);
    exchange.response_bytes(1_000);
    exchange.finish(Outcome::Completed);
    let entry = rig.entry();
    assert_eq!(
        (entry.record().kind(), entry.record().level(), entry.outcome()),
        (Kind::Request, Level::Info, Outcome::Completed)
    );
    assert_eq!(entry.record().created_unix_ns(), 1_763_600_000_000_000_000);
    assert_eq!(entry.number(Field::Ttfb), Some(10_000_000));
    assert_eq!(entry.number(Field::Duration), Some(40_000_000));
    assert_eq!(
        (entry.number(Field::RequestSize), entry.number(Field::ResponseSize)),
        (Some(42), Some(1_000))
    );
    assert_eq!(entry.number(Field::StatusCode), Some(201));
    assert_eq!(entry.text(Field::Query).as_deref(), Some("page=2&token=[redacted]"));
    assert_eq!(entry.text(Field::HostHeader).as_deref(), Some("shop.example"));
    assert_eq!(entry.text(Field::RequestId), Some(entry.record().id().to_string()));
    assert_eq!(entry.record().get(Field::Peer), Some(Value::Ip("10.0.0.1".parse().unwrap())));
    assert_eq!(entry.header("accept").as_deref(), Some("*/*"));
    assert_eq!(entry.header("authorization"), None);
    assert!(!entry.0.windows(7).any(|w| w == b"hunter2"), "no secret is in the record");
}

#[test]
fn with_all_headers_secret_ones_keep_their_name_and_lose_their_value() {
    let rig = Rig::with(Redaction::default().all_headers());
    let headers = [
        ("authorization", "Bearer hunter2"),
        ("x-api-key", "hunter2"),
        ("x-custom", "kept"),
        ("referer", "https://u:hunter2@a.example/?key=1&pwd=hunter2"),
    ];
    rig.begin(&headers).finish(Outcome::Completed);
    let entry = rig.entry();
    assert_eq!(entry.header("authorization").as_deref(), Some("[redacted]"));
    assert_eq!(entry.header("x-api-key").as_deref(), Some("[redacted]"));
    assert_eq!(entry.header("x-custom").as_deref(), Some("kept"));
    assert!(entry.header("referer").unwrap().contains("pwd=[redacted]"));
    assert!(!entry.0.windows(7).any(|w| w == b"hunter2"));
}

#[test]
fn how_it_ended_decides_the_level() {
    let rig = Rig::new();
    let table = [
        (200, Outcome::Completed, Outcome::Completed, Level::Info),
        (404, Outcome::Completed, Outcome::Completed, Level::Warn),
        (500, Outcome::Completed, Outcome::Completed, Level::Error),
        (408, Outcome::Completed, Outcome::TimedOut, Level::Warn),
        (504, Outcome::Completed, Outcome::TimedOut, Level::Error),
        (101, Outcome::Completed, Outcome::Upgraded, Level::Info),
        (200, Outcome::BodyAborted, Outcome::BodyAborted, Level::Warn),
        (200, Outcome::Panicked, Outcome::Panicked, Level::Error),
    ];
    for (status, ended, outcome, level) in table {
        let mut exchange = rig.begin(&[]);
        exchange.response(status, pairs(&[]), None);
        exchange.finish(ended);
        let entry = rig.entry();
        assert_eq!((entry.outcome(), entry.record().level()), (outcome, level), "{status} {ended}");
    }
    rig.begin(&[]).finish(Outcome::ServiceError);
    assert_eq!(rig.entry().record().level(), Level::Error);
}

#[test]
fn dropped_unfinished_it_ends_by_what_had_happened() {
    let rig = Rig::new();
    drop(rig.begin(&[]));
    assert_eq!(rig.entry().outcome(), Outcome::Cancelled);

    let dropped_after = |method, status, size, sent| {
        let head = RequestHead { method, path: "/", http_version: "1.1", ..RequestHead::default() };
        let mut exchange = rig.begin_with(&head, &[]);
        exchange.response(status, pairs(&[]), size);
        exchange.response_bytes(sent);
        drop(exchange);
        rig.entry().outcome()
    };
    assert_eq!(dropped_after("GET", 200, None, 10), Outcome::BodyAborted);
    assert_eq!(dropped_after("GET", 200, Some(20), 10), Outcome::BodyAborted);
    assert_eq!(dropped_after("GET", 200, Some(20), 20), Outcome::Completed);
    assert_eq!(dropped_after("HEAD", 200, Some(20), 0), Outcome::Completed);
    assert_eq!(dropped_after("GET", 204, None, 0), Outcome::Completed);
    assert_eq!(dropped_after("GET", 304, Some(20), 0), Outcome::Completed);
}

#[test]
fn a_body_short_of_its_declared_length_is_not_whole() {
    let rig = Rig::new();
    let mut exchange = rig.begin(&[]);
    exchange.response(200, pairs(&[]), Some(20));
    exchange.response_bytes(19);
    assert!(exchange.falls_short());
    drop(exchange);
    assert_eq!(rig.entry().outcome(), Outcome::BodyAborted);
}

#[test]
fn a_panic_is_seen_whether_or_not_it_is_caught_before_the_drop() {
    let rig = Rig::new();
    let mut exchange = rig.begin(&[]);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        exchange.poll(|| std::panic::resume_unwind(Box::new("boom")));
    }));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"boom"), "the panic goes on as it was");
    drop(exchange);
    let entry = rig.entry();
    assert_eq!(entry.outcome(), Outcome::Panicked);
    assert_eq!(entry.text(Field::ErrorType).as_deref(), Some("panic"));
    assert_eq!(entry.text(Field::ErrorMessage).as_deref(), Some("boom"));

    let exchange = rig.begin(&[]);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _exchange = exchange;
        std::panic::resume_unwind(Box::new("boom"));
    }));
    assert!(caught.is_err());
    assert_eq!(rig.entry().outcome(), Outcome::Panicked);
}

#[test]
fn grpc_status_decides_the_level_where_the_http_status_says_nothing() {
    let rig = Rig::new();
    for (status, level) in [("0", Level::Info), ("5", Level::Warn), ("13", Level::Error)] {
        let mut exchange = rig.begin(&[("content-type", "application/grpc")]);
        exchange.response(200, pairs(&[]), None);
        exchange.trailer("grpc-status", status.as_bytes());
        exchange.finish(Outcome::Completed);
        let entry = rig.entry();
        assert_eq!(entry.record().level(), level, "{status}");
        assert_eq!(entry.number(Field::GrpcStatus), status.parse().ok());
    }
}

#[test]
fn the_route_of_a_grpc_call_is_its_path_once_the_answer_shows_that_there_is_such_a_method() {
    let rig = Rig::new();
    let answer = |headers: &[(&str, &str)], route: Option<&str>| {
        let head = RequestHead {
            method: "POST",
            path: "/shop.Orders/Get",
            route,
            http_version: "2",
            ..RequestHead::default()
        };
        let mut exchange = rig.begin_with(&head, &[("content-type", "application/grpc")]);
        exchange.response(200, pairs(headers), None);
        exchange.finish(Outcome::Completed);
        rig.entry().text(Field::Route)
    };
    let grpc = ("content-type", "application/grpc");
    assert_eq!(answer(&[grpc], None).as_deref(), Some("/shop.Orders/Get"));
    assert_eq!(answer(&[grpc, ("grpc-status", "12")], None), None, "no such method");
    assert_eq!(answer(&[("content-type", "text/html")], None), None, "no gRPC after all");
    assert_eq!(answer(&[grpc], Some("/{*rest}")).as_deref(), Some("/{*rest}"), "the router knows better");
}

#[test]
fn a_trace_is_continued_with_its_state_and_handed_on() {
    let rig = Rig::new();
    let headers = [
        ("traceparent", TRACEPARENT),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
        ("x-request-id", "r-1"),
        ("x-trace-id", "order 7".trim_end_matches(" 7")),
    ];
    let exchange = rig.begin(&headers);
    let mut sent = std::collections::HashMap::new();
    exchange.inject(|name, value| {
        sent.insert(name, value.to_owned());
    });
    let context = exchange.context();
    assert_eq!(sent["tracestate"], "a=1,b=2");
    assert_eq!(sent["x-request-id"], "r-1");
    assert_eq!(sent["x-trace-id"], "order", "the opaque one goes on unchanged");
    assert_eq!(
        sent["traceparent"],
        format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", context.span_id().unwrap())
    );
    exchange.finish(Outcome::Completed);
    let entry = rig.entry();
    assert_eq!(entry.text(Field::TraceId).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(entry.text(Field::ParentSpanId).as_deref(), Some("00f067aa0ba902b7"));
    assert_eq!(entry.text(Field::XTraceId).as_deref(), Some("order"));
    assert_eq!(context.request_id(), Some("r-1"), "a context outlives its request");
}

#[test]
fn without_trace_headers_a_trace_begins_and_tracestate_is_dropped() {
    let rig = Rig::new();
    let exchange =
        rig.begin(&[("traceparent", "00-xyz"), ("tracestate", "a=1"), ("x-request-id", "no, commas")]);
    exchange.inject(|name, _| assert_ne!(name, "tracestate"));
    let trace = exchange.context().trace_id().unwrap().to_string();
    assert_eq!(exchange.x_trace_id(), trace);
    exchange.finish(Outcome::Completed);
    let entry = rig.entry();
    assert_eq!(entry.text(Field::TraceId), Some(trace));
    assert_eq!(entry.text(Field::ParentSpanId), None);
    assert_eq!(entry.text(Field::RequestId), Some(entry.record().id().to_string()));
}

#[test]
fn a_call_is_a_span_of_its_own_under_the_current_request() {
    let rig = Rig::new();
    let head =
        RequestHead { method: "POST", path: "/charges", http_version: "1.1", ..RequestHead::default() };
    let mut request = rig.begin(&[("traceparent", TRACEPARENT), ("x-request-id", "r-1")]);
    let parent = request.context().span_id().unwrap();
    let call = request.poll(|| Exchange::begin_outgoing(&rig.pipeline, &head, || pairs(&[])));
    let span = call.context().span_id().unwrap();
    assert_ne!(span, parent);
    assert_eq!(call.request_id(), "r-1");
    call.finish(Outcome::Completed);
    let entry = rig.entry();
    assert_eq!(entry.record().kind(), Kind::Outgoing);
    assert_eq!(entry.text(Field::ParentSpanId), Some(parent.to_string()));
    assert_eq!(entry.text(Field::TraceId).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));

    let call = Exchange::begin_outgoing(&rig.pipeline, &head, || pairs(&[("traceparent", TRACEPARENT)]));
    assert_eq!(
        call.context().span_id().unwrap().to_string(),
        "00f067aa0ba902b7",
        "a call keeps the one it has"
    );
    drop(call);
    assert_eq!(rig.entry().outcome(), Outcome::Cancelled);
    drop(request);
}

#[test]
fn the_context_is_current_only_while_it_is_entered() {
    let rig = Rig::new();
    let (mut a, mut b) = (rig.begin(&[]), rig.begin(&[]));
    let (span_a, span_b) = (a.context().span_id(), b.context().span_id());
    assert!(context::current().is_empty() && !context::inside_open_request());
    a.poll(|| {
        assert_eq!(context::current().span_id(), span_a);
        assert!(context::inside_open_request());
        b.poll(|| assert_eq!(context::current().span_id(), span_b));
        assert_eq!(context::current().span_id(), span_a);
    });
    assert!(context::current().is_empty());
    let kept = a.context();
    a.finish(Outcome::Completed);
    let _guard = kept.enter();
    assert_eq!(context::current().span_id(), span_a);
    assert!(!context::inside_open_request(), "its request has ended");
}

#[test]
fn pooled_buffers_carry_nothing_over() {
    let rig = Rig::new();
    rig.begin(&[
        ("traceparent", TRACEPARENT),
        ("tracestate", "a=1"),
        ("x-trace-id", "opaque!"),
        ("accept", "secretish"),
    ])
    .finish(Outcome::Completed);
    let first = rig.entry();
    let exchange = rig.begin(&[]);
    exchange.inject(|name, value| assert!(name != "tracestate" && value != "opaque!", "{name}: {value}"));
    exchange.finish(Outcome::Completed);
    let second = rig.entry();
    assert_ne!(first.text(Field::TraceId), second.text(Field::TraceId));
    assert_eq!((second.text(Field::XTraceId), second.header("accept")), (None, None));
}

#[test]
fn a_nearly_full_queue_takes_no_headers() {
    let rig = Rig::new();
    while rig.pipeline.queue.push(&[0; 1_000], false).is_ok() {}
    rig.begin(&[("accept", "*/*"), ("traceparent", TRACEPARENT)]).finish(Outcome::Panicked);
    let pushed = rig.pipeline.queue.sweep();
    // It stands behind the fillers of a thousand bytes, in whichever chunk had room.
    let after_fillers = |bytes: &[u8]| bytes.chunks(1_000).position(|c| c[0] != 0).map(|n| n * 1_000);
    let found = pushed.iter().find_map(|chunk| Some(&chunk.bytes()[after_fillers(chunk.bytes())?..]));
    let last = Record::read(found.expect("errors have room left")).unwrap();
    assert_eq!(last.0.outcome(), Some(Outcome::Panicked));
    assert!(last.0.items().all(|item| !matches!(item, Ok(Item::RequestHeader(..)))));
    assert_eq!(last.0.get(Field::TraceId).map(|_| ()), Some(()), "the trace is continued all the same");
}

#[test]
fn a_stream_tells_its_longest_gap_and_a_body_in_one_piece_has_none() {
    let rig = Rig::new();
    let mut exchange = rig.begin(&[]);
    exchange.response(200, pairs(&[]), None);
    for wait in [500, 20, 70, 5] {
        rig.advance(wait);
        exchange.response_bytes(10);
    }
    rig.advance(300);
    exchange.finish(Outcome::Completed);
    assert_eq!(rig.entry().number(Field::LongestGap), Some(70_000_000));

    let mut exchange = rig.begin(&[]);
    exchange.response(200, pairs(&[]), Some(10));
    exchange.response_bytes(10);
    exchange.finish(Outcome::Completed);
    assert_eq!(rig.entry().number(Field::LongestGap), None);
}

#[test]
fn an_upgraded_request_lasts_as_long_as_it_is_kept() {
    let rig = Rig::new();
    let upgraded = |rig: &Rig| {
        let mut exchange = rig.begin(&[]);
        let keep = exchange.poll(|| context::current().keep()).unwrap();
        exchange.response(101, pairs(&[]), Some(0));
        exchange.finish(Outcome::Completed);
        keep
    };
    let keep = upgraded(&rig);
    rig.advance(5_000);
    assert_eq!(rig.entries().len(), 0, "the connection is open");
    drop(keep);
    let entry = rig.entry();
    assert_eq!(entry.outcome(), Outcome::Upgraded);
    assert_eq!(entry.number(Field::Duration), Some(5_000_000_000));
    assert_eq!(entry.number(Field::Ttfb), Some(0));

    // Without an upgrade the guard holds nothing up, whenever it is dropped.
    let mut exchange = rig.begin(&[]);
    let keep = exchange.poll(|| context::current().keep());
    exchange.response(426, pairs(&[]), Some(0));
    exchange.finish(Outcome::Completed);
    assert_eq!(rig.entry().outcome(), Outcome::Completed);
    drop(keep);
    assert!(rig.entries().is_empty());
}

#[test]
fn a_request_that_stays_open_is_told_of_once_and_its_end_bears_the_id_that_was_named() {
    let rig = Rig::new();
    let mut exchange = rig.begin(&[("accept", "text/csv")]);
    let brief = rig.begin(&[]);
    rig.advance(29_000);
    super::running::announce(&rig.pipeline);
    assert!(rig.entries().is_empty());
    brief.finish(Outcome::Completed);
    assert_eq!(rig.entry().record().kind(), Kind::Request);

    exchange.response(200, pairs(&[]), None);
    rig.advance(1_500);
    super::running::announce(&rig.pipeline);
    super::running::announce(&rig.pipeline);
    let running = rig.entry();
    assert_eq!(running.record().kind(), Kind::Running);
    assert_eq!(running.record().outcome(), None);
    assert_eq!(running.number(Field::Duration), Some(30_500_000_000));
    assert_eq!(running.number(Field::StatusCode), Some(200));
    assert_eq!(running.header("accept").as_deref(), Some("text/csv"));

    exchange.finish(Outcome::Completed);
    let end = rig.entry();
    assert_eq!(running.record().get(Field::ExchangeId), Some(Value::Uuid(end.record().id())));
    assert_ne!(running.record().id(), end.record().id());
    assert_eq!(running.record().created_unix_ns(), end.record().created_unix_ns());
    super::running::announce(&rig.pipeline);
    assert!(rig.entries().is_empty(), "it has ended");
}

#[test]
fn the_first_error_counts_and_a_handler_can_say_who_it_was() {
    let rig = Rig::new();
    let mut exchange = rig.begin(&[]);
    exchange.poll(|| {
        let current = context::current();
        current.set_error(&std::io::Error::other("disk on fire"));
        current.set_user_id("u-1");
        current.set_user_id("u-2");
    });
    let late = exchange.context();
    exchange.error("axum::Error", "internal server error", Some("caused by: nothing"));
    exchange.finish(Outcome::ServiceError);
    let entry = rig.entry();
    assert_eq!(entry.text(Field::ErrorMessage).as_deref(), Some("disk on fire"));
    assert_eq!(entry.text(Field::StackTrace), None);
    assert_eq!(entry.text(Field::UserId).as_deref(), Some("u-2"), "the last word on a field counts");
    late.set_user_id("u-3");
    assert!(late.keep().is_none(), "it has ended");
    assert!(rig.entries().is_empty());
}

#[test]
fn a_host_header_with_a_password_in_it_is_masked_and_no_other() {
    for (host, kept) in
        [("shop.example:8080", true), ("münchen.example", true), ("ada:hunter2@shop.example", false)]
    {
        let rig = Rig::new();
        rig.begin(&[("accept", "*/*"), ("host", host), ("range", "bytes=0-1")]).finish(Outcome::Completed);
        let entry = rig.entry();
        assert_eq!(entry.header("host").as_deref(), kept.then_some(host));
        let told = if kept { host } else { "[redacted]" };
        assert_eq!(entry.text(Field::HostHeader).as_deref(), Some(told));
        assert_eq!(
            (entry.header("accept").as_deref(), entry.header("range").as_deref()),
            (Some("*/*"), Some("bytes=0-1"))
        );
    }
}
