//! emit with its exporter for OTLP, twenty fields.

use axum::Router;

use super::PATIENCE;
use super::seen::{Seen, watched};
use crate::Subject;
use crate::sinks::{Count, http_server};

pub(super) fn otlp(router: Router, count: Count) -> Subject {
    let url = http_server(count.clone(), "accept_language");
    let otlp = emit_otlp::new()
        .resource(emit::props! { #[emit::key("service.name")] service: "bench" })
        .logs(emit_otlp::logs_http_proto(url))
        .spawn();
    let runtime: &'static _ = Box::leak(Box::new(emit::setup().emit_to(otlp).init()));
    let delivered = move || {
        assert!(runtime.blocking_flush(PATIENCE), "emit delivers in time");
        count.get()
    };
    super::of(watched(router, tell), Some(Box::new(delivered)))
}

fn tell(seen: &Seen<'_>) {
    emit::info!(
        "request",
        method: seen.method.as_str(),
        path: seen.uri.path(),
        query: seen.uri.query().unwrap_or_default(),
        route: seen.route(),
        version: seen.version(),
        host: seen.header("host"),
        user_agent: seen.header("user-agent"),
        accept: seen.header("accept"),
        accept_encoding: seen.header("accept-encoding"),
        accept_language: seen.header("accept-language"),
        forwarded_for: seen.header("x-forwarded-for"),
        request_id: seen.header("x-request-id"),
        traceparent: seen.header("traceparent"),
        environment: "development",
        status: seen.response.status().as_u16(),
        content_type: seen.response_header("content-type"),
        response_size: seen.response_size(),
        request_size: 0,
        ttfb_us: seen.ttfb.as_micros() as u64,
        outcome: "completed",
    );
}
