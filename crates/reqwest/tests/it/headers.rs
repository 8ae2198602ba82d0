//! What a call carries to the next hop.

use hoplog::RequestHead;

use crate::rig::{Answers, Rig, Server};

const OK: Answers = Answers::With("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Calls the server while a request is handled that came with `headers`. The request's own entry is not written.
async fn call_within(rig: &Rig, headers: &[(&str, &str)], url: &str) -> hoplog::Context {
    let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
    let pairs = || headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    let request = hoplog::testing::capture().client().begin_request(&head, pairs).unwrap();
    let context = request.context();
    context.clone().scope(async { rig.http.get(url).send().await.unwrap() }).await;
    context
}

#[tokio::test]
async fn a_call_within_a_request_carries_its_trace_as_a_span_of_its_own() {
    let rig = Rig::new();
    let mut server = Server::start(OK).await;
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers = [
        ("traceparent", &*traceparent),
        ("tracestate", "a=1"),
        ("x-request-id", "r-1"),
        ("x-trace-id", "order-7"),
    ];
    let request = call_within(&rig, &headers, &server.url).await;
    let (head, entry) = (server.head().await, rig.entry());
    let span = entry["span_id"].as_str().unwrap();
    assert_eq!(head.header("traceparent").unwrap(), format!("00-{TRACE}-{span}-01"));
    assert_eq!(head.header("tracestate"), Some("a=1"));
    assert_eq!(head.header("x-trace-id"), Some("order-7"));
    assert_eq!(head.header("x-request-id"), Some("r-1"));
    assert_eq!(entry["trace_id"], TRACE);
    assert_eq!(entry["parent_span_id"], request.span_id().unwrap().to_string());
    assert_eq!(entry["request_id"], "r-1");
}

#[tokio::test]
async fn a_call_outside_of_any_request_begins_a_trace() {
    let rig = Rig::new();
    let mut server = Server::start(OK).await;
    rig.http.get(&server.url).send().await.unwrap();
    let (head, entry) = (server.head().await, rig.entry());
    let trace = entry["trace_id"].as_str().unwrap();
    assert!(head.header("traceparent").unwrap().contains(trace));
    assert_eq!(head.header("x-trace-id"), Some(trace));
    assert_eq!(entry["parent_span_id"], serde_json::Value::Null);
}

#[tokio::test]
async fn headers_that_a_call_has_already_are_kept() {
    let rig = Rig::new();
    let mut server = Server::start(OK).await;
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let call = rig.http.get(&server.url).header("traceparent", &traceparent).header("x-request-id", "mine");
    call.send().await.unwrap();
    let (head, entry) = (server.head().await, rig.entry());
    assert_eq!(head.header("traceparent"), Some(&*traceparent));
    assert_eq!(head.header("x-request-id"), Some("mine"));
    assert_eq!(
        (entry["trace_id"].as_str(), entry["span_id"].as_str()),
        (Some(TRACE), Some("00f067aa0ba902b7"))
    );
    assert_eq!(entry["request_id"], "mine");
}
