//! Traces, request ids, and the context that handlers and bodies run in.

use std::task::Poll;

use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{Error, HttpResponse, web};
use futures_util::stream;

use crate::rig::Rig;

fn app(config: &mut ServiceConfig, _: &hoplog::Client) {
    config
        .route("/", web::to(async || "here"))
        .route("/own", web::to(async || HttpResponse::Ok().insert_header(("x-trace-id", "mine")).finish()))
        .route("/trace", web::to(trace));
}

/// Gives the trace id as the handler sees it, then as the body sees it.
async fn trace() -> HttpResponse {
    let in_handler = hoplog::current().trace_id().map(|id| id.to_string()).unwrap_or_default();
    let mut chunks = [Some(in_handler), None].into_iter();
    HttpResponse::Ok().streaming(stream::poll_fn(move |_| {
        Poll::Ready(chunks.next().map(|chunk| {
            let in_body = || hoplog::current().trace_id().map(|id| id.to_string()).unwrap_or_default();
            Ok::<_, Error>(Bytes::from(chunk.unwrap_or_else(in_body)))
        }))
    }))
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
fn a_callers_trace_is_continued_and_returned() {
    let rig = Rig::new(app);
    let traceparent = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01");
    let (answer, entry) = rig.one("GET /", &[&traceparent, "x-request-id: order-7"]);
    assert_eq!(answer.header("x-trace-id"), Some(TRACE));
    assert_eq!(answer.header("x-request-id"), Some("order-7"));
    assert_eq!(entry["trace_id"], TRACE);
    assert_eq!(entry["parent_span_id"], "00f067aa0ba902b7");
    assert_eq!(entry["request_id"], "order-7");
}

#[test]
fn without_a_caller_the_entrys_own_ids_are_returned() {
    let rig = Rig::new(app);
    let (answer, entry) = rig.one("GET /", &[]);
    assert_eq!(answer.header("x-trace-id"), entry["trace_id"].as_str());
    assert_eq!(answer.header("x-request-id"), entry["id"].as_str());
}

#[test]
fn an_id_that_the_application_sets_stays() {
    let rig = Rig::new(app);
    let (answer, entry) = rig.one("GET /own", &[]);
    assert_eq!(answer.header("x-trace-id"), Some("mine"));
    assert_eq!(answer.header("x-request-id"), entry["request_id"].as_str());
}

#[test]
fn handler_and_body_run_in_the_requests_context() {
    let rig = Rig::new(app);
    let (answer, entry) = rig.one("GET /trace", &[]);
    let trace = entry["trace_id"].as_str().unwrap();
    let body = String::from_utf8(answer.body).unwrap();
    assert_eq!(body.matches(trace).count(), 2, "once from the handler, once from the body: {body}");
}

#[test]
fn requests_on_one_connection_have_an_entry_and_ids_each() {
    use std::io::{Read, Write};
    let rig = Rig::new(app);
    let mut stream = rig.server.connect();
    let request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let last = "GET /own HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    stream.write_all(format!("{request}{request}{last}").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200").count(), 3);
    let entries = rig.entries(3);
    for entry in &entries {
        assert_eq!(text.matches(entry["request_id"].as_str().unwrap()).count(), 1);
    }
    assert_eq!(entries[2]["path"], "/own");
}
