//! A Router with one handler, and what stands around it.

mod emit;
mod opentelemetry;
mod seen;

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::Request;
use axum::routing::get;
use hoplog::{Client, Output};
use hoplog_bench::{app, request};
use tower_http::trace::TraceLayer;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::sinks::{Count, Delivered, Envelopes};
use crate::{Measure, Subject, answer};

/// How long what is under way may take to arrive.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn subject(name: &str) -> Subject {
    let router = Router::new().route("/api/v1/users/{user}/orders", get(|| async { answer() }));
    let count = Count::default();
    match name {
        "axum_bare" => of(router, None),
        "axum_empty_layer" => of(router.layer(app::EmptyLayer), None),
        "axum" => hoplog(router, count),
        "fastrace" => fastrace(router, count),
        "opentelemetry_traces" => opentelemetry::traces(router, count),
        "opentelemetry_logs" => opentelemetry::logs(router, count),
        "sentry_tower" => sentry(router, count),
        "tower_http_json" => tower_http(router, count),
        "tower_http_json_20_fields" => tower_http_20_fields(router, count),
        "emit_otlp" => emit::otlp(router, count),
        "outlet" => outlet(router, count),
        _ => panic!("there is no subject `{name}`"),
    }
}

/// A router as `axum::serve` drives it, with a runtime of tokio around for those that spawn tasks.
fn of(router: Router, delivered: Option<Delivered>) -> Subject {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime: &'static _ = Box::leak(Box::new(runtime.expect("a runtime")));
    let mut app = app::App::of(router);
    let serve = move |n: u32, measure: Measure<'_>| {
        let _in = runtime.enter();
        let mut requests: Vec<_> = (0..n).map(|i| request(i % 1_000)).collect();
        measure(&mut || requests.drain(..).for_each(|request| app.answer(request)));
    };
    Subject { serve: Box::new(serve), delivered }
}

/// Every default; the entries go to a destination that counts them.
pub(crate) fn hoplog_client(count: Count) -> Client {
    Client::builder()
        .service("bench")
        .without_variables()
        .without_collector()
        .batch_size(10_000)
        .flush_interval(Duration::from_secs(60))
        .destination(Output::own(count))
        .build()
        .expect("a client")
}

fn hoplog(router: Router, count: Count) -> Subject {
    let client = hoplog_client(count.clone());
    let router = router.layer(hoplog_tower::RequestLogLayer::new(client.clone()));
    let delivered = move || {
        client.flush_blocking(PATIENCE).expect("an open client");
        count.get()
    };
    of(router, Some(Box::new(delivered)))
}

/// Four fields, in a span.
fn fastrace(router: Router, count: Count) -> Subject {
    ::fastrace::set_reporter(count.clone(), ::fastrace::collector::Config::default());
    let delivered = move || {
        ::fastrace::flush();
        count.get()
    };
    of(router.layer(fastrace_axum::FastraceLayer::default()), Some(Box::new(delivered)))
}

/// A transaction with the request and its headers, but for sensitive ones.
fn sentry(router: Router, count: Count) -> Subject {
    let transport = std::sync::Arc::new(Envelopes::new(count.clone()));
    let options = sentry::ClientOptions::new()
        .dsn("https://public@sentry.invalid/1")
        .traces_sample_rate(1.0)
        .transport(transport);
    std::mem::forget(sentry::init(options));
    // Outermost last: the hub is there before the request is looked at.
    let router = router
        .layer(sentry_tower::SentryHttpLayer::new().enable_transaction())
        .layer(sentry_tower::NewSentryLayer::<Request<Body>>::new_from_top());
    let delivered = move || {
        let flushed = sentry::Hub::main().client().is_some_and(|client| client.flush(Some(PATIENCE)));
        assert!(flushed, "sentry delivers in time");
        count.get()
    };
    of(router, Some(Box::new(delivered)))
}

fn json_lines(count: &Count) {
    let sink = count.clone();
    let layer = tracing_subscriber::fmt::layer().json().with_writer(move || sink.clone());
    tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO)).init();
}

/// As it is mostly set up: a span with method, path and version, an event with status and latency.
fn tower_http(router: Router, count: Count) -> Subject {
    json_lines(&count);
    let layer = TraceLayer::new_for_http()
        .make_span_with(tower_http::trace::DefaultMakeSpan::new().level(tracing::Level::INFO))
        .on_response(tower_http::trace::DefaultOnResponse::new().level(tracing::Level::INFO));
    of(router.layer(layer), Some(Box::new(move || count.get())))
}

/// The content of hoplog's entry, as fields of the span.
fn tower_http_20_fields(router: Router, count: Count) -> Subject {
    json_lines(&count);
    let layer = TraceLayer::new_for_http()
        .make_span_with(|request: &Request<Body>| {
            let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
            let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
            tracing::info_span!(
                "request",
                method = request.method().as_str(),
                path = request.uri().path(),
                query = request.uri().query(),
                route,
                version = ?request.version(),
                host = header("host"),
                user_agent = header("user-agent"),
                accept = header("accept"),
                accept_encoding = header("accept-encoding"),
                accept_language = header("accept-language"),
                forwarded_for = header("x-forwarded-for"),
                request_id = header("x-request-id"),
                traceparent = header("traceparent"),
                service = "bench",
                environment = "development",
                status = tracing::field::Empty,
                content_type = tracing::field::Empty,
                content_length = tracing::field::Empty,
                ttfb_us = tracing::field::Empty,
                outcome = tracing::field::Empty,
            )
        })
        .on_response(|response: &axum::response::Response, latency: Duration, span: &tracing::Span| {
            let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
            span.record("status", response.status().as_u16());
            span.record("content_type", header("content-type"));
            span.record("content_length", header("content-length"));
            span.record("ttfb_us", latency.as_micros() as u64);
            span.record("outcome", "completed");
            tracing::info!("request");
        });
    of(router.layer(layer), Some(Box::new(move || count.get())))
}

/// Request and response with all headers, without bodies, to a task each.
fn outlet(router: Router, count: Count) -> Subject {
    let config = ::outlet::RequestLoggerConfig {
        capture_request_body: false,
        capture_response_body: false,
        ..::outlet::RequestLoggerConfig::default()
    };
    let layer = ::outlet::RequestLoggerLayer::new(config, count.clone());
    of(router.layer(layer), Some(Box::new(move || count.get())))
}

/// Polls what waits for nothing.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}
