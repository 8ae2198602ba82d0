//! OpenTelemetry: its middleware for traces, and its logs with twenty attributes.

use axum::Router;
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_sdk::logs::{BatchConfigBuilder, BatchLogProcessor, SdkLoggerProvider};
use opentelemetry_sdk::trace as sdk_trace;

use super::seen::{Seen, watched};
use crate::Subject;
use crate::sinks::Count;

/// More than a round: what a full queue drops would cost less.
const QUEUE: usize = 64 * 1024;

pub(super) fn traces(router: Router, count: Count) -> Subject {
    let config = sdk_trace::BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let processor = sdk_trace::BatchSpanProcessor::builder(count.clone()).with_batch_config(config).build();
    let provider = sdk_trace::SdkTracerProvider::builder().with_span_processor(processor).build();
    let _ = provider.tracer("bench");
    global::set_tracer_provider(provider.clone());
    global::set_text_map_propagator(opentelemetry_sdk::propagation::TraceContextPropagator::new());
    let layer = opentelemetry_instrumentation_tower::http::server::LayerBuilder::builder()
        .with_metrics(false)
        .build()
        .expect("a layer");
    let delivered = move || {
        provider.force_flush().expect("a flush");
        count.get()
    };
    super::of(router.layer(layer), Some(Box::new(delivered)))
}

pub(super) fn logs(router: Router, count: Count) -> Subject {
    let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let processor = BatchLogProcessor::builder(count.clone()).with_batch_config(config).build();
    let provider = SdkLoggerProvider::builder().with_log_processor(processor).build();
    let logger = provider.logger("bench");
    let tell = move |seen: &Seen<'_>| {
        let mut record = logger.create_log_record();
        record.set_severity_number(Severity::Info);
        record.set_body(AnyValue::String("request".into()));
        let text = |value: &str| AnyValue::String(value.to_owned().into());
        record.add_attributes([
            ("http.request.method", text(seen.method.as_str())),
            ("url.path", text(seen.uri.path())),
            ("url.query", text(seen.uri.query().unwrap_or_default())),
            ("http.route", text(seen.route())),
            ("network.protocol.version", text(seen.version())),
            ("server.address", text(seen.header("host"))),
            ("user_agent.original", text(seen.header("user-agent"))),
            ("http.request.header.accept", text(seen.header("accept"))),
            ("http.request.header.accept-encoding", text(seen.header("accept-encoding"))),
            ("http.request.header.accept-language", text(seen.header("accept-language"))),
            ("http.request.header.x-forwarded-for", text(seen.header("x-forwarded-for"))),
            ("http.request.header.x-request-id", text(seen.header("x-request-id"))),
            ("http.request.header.traceparent", text(seen.header("traceparent"))),
            ("deployment.environment.name", text("development")),
            ("http.response.status_code", AnyValue::Int(seen.response.status().as_u16().into())),
            ("http.response.header.content-type", text(seen.response_header("content-type"))),
            ("http.response.body.size", AnyValue::Int(seen.response_size())),
            ("http.request.body.size", AnyValue::Int(0)),
            ("ttfb_us", AnyValue::Int(i64::try_from(seen.ttfb.as_micros()).unwrap_or(i64::MAX))),
            ("outcome", text("completed")),
        ]);
        logger.emit(record);
    };
    let delivered = move || {
        provider.force_flush().expect("a flush");
        count.get()
    };
    super::of(watched(router, tell), Some(Box::new(delivered)))
}
