//! OpenTelemetry's trace, where there is one.

use std::cell::Cell;

use hoplog::{Outcome, RequestHead};
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::json;
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

use super::{logged, logs, messages, rig};

#[test]
fn the_trace_of_opentelemetrys_context_goes_before_the_requests_which_is_linked() {
    let (rig, dispatch) = rig();
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let (trace, span) = tracing::dispatcher::with_default(&dispatch, || {
        let head = RequestHead { method: "GET", path: "/", ..RequestHead::default() };
        let mut request = rig.client().begin_request(&head, std::iter::empty::<(&str, &[u8])>).unwrap();
        let ids = request.poll(|| {
            info!("request");
            tracer.in_span("work", |context| {
                info!("otel");
                let span = context.span().span_context().clone();
                (span.trace_id().to_string(), span.span_id().to_string())
            })
        });
        request.finish(Outcome::Completed);
        ids
    });
    let entries = rig.entries();
    assert_eq!(messages(&entries)[..2], ["request", "otel"]);
    let (request, otel) = (&entries[0], &entries[1]);
    assert_eq!((&otel["trace_id"], &otel["span_id"]), (&json!(trace), &json!(span)));
    assert_eq!(
        (&otel["linked_trace_id"], &otel["linked_span_id"]),
        (&request["trace_id"], &request["span_id"])
    );
    assert_eq!(otel["request_id"], request["request_id"]);
    assert_eq!((request["trace_id"] == otel["trace_id"], &request["linked_trace_id"]), (false, &json!(null)));
}

#[test]
fn a_span_of_tracing_opentelemetry_is_current_while_it_is_entered() {
    let capture = hoplog::testing::capture();
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(tracer))
        .with(hoplog_tracing::layer(capture.client()));
    tracing::subscriber::with_default(subscriber, || {
        info!("none");
        let _outer = info_span!("outer").entered();
        info!("outer");
        info_span!("inner").in_scope(|| info!("inner"));
    });
    let entries = capture.entries();
    assert_eq!(entries[0]["trace_id"], json!(null));
    assert!(entries[1]["trace_id"].is_string(), "{entries:?}");
    assert_eq!(entries[1]["trace_id"], entries[2]["trace_id"]);
    assert_ne!(entries[1]["span_id"], entries[2]["span_id"]);
}

#[test]
fn a_span_is_the_entry_of_the_trace_that_it_began_in() {
    let capture = hoplog::testing::capture();
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(tracer))
        .with(hoplog_tracing::builder(capture.client()).spans().build().unwrap());
    tracing::subscriber::with_default(subscriber, || {
        let inner = info_span!("one").in_scope(|| info_span!("inner"));
        info_span!("two").in_scope(|| {
            info!("two's");
            drop(inner);
        });
        info_span!("one").in_scope(|| info_span!("beside").in_scope(|| info!("beside's")));
    });
    let entries = capture.entries();
    let of = |message: &str| entries.iter().find(|entry| entry["message"] == message).unwrap();
    assert_eq!(of("beside")["trace_id"], of("beside's")["trace_id"]);
    assert!(of("inner")["trace_id"].is_string());
    assert_ne!(of("inner")["trace_id"], of("two's")["trace_id"]);
}

#[test]
fn what_opentelemetry_says_while_its_context_is_borrowed_does_not_ask_for_that() {
    thread_local! {
        static PANICS: Cell<u32> = const { Cell::new(0) };
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.set(PANICS.get() + 1);
        before(info);
    }));
    let entries = logged(|| {
        // More than it keeps, of which it warns.
        let mut guards: Vec<_> = (0..66_000).map(|_| Context::current().attach()).collect();
        while guards.pop().is_some() {}
    });
    assert_eq!(PANICS.get(), 0);
    assert!(entries.iter().any(|entry| entry["target"] == "opentelemetry"), "it does not warn any more");
}

#[test]
fn without_one_nothing_changes() {
    let entry = logs(|| info!("alone"));
    assert_eq!((&entry["trace_id"], &entry["linked_trace_id"]), (&json!(null), &json!(null)));
}
