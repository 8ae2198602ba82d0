//! How calls end, and what their entries say.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::Extensions;
use http_body::Frame;
use http_body_util::StreamBody;
use reqwest::{Body, Request, Response};
use reqwest_middleware::{Error, Next, Result};
use serde_json::json;

use crate::rig::{Answers, Rig, Server, plain};

const CREATED: Answers =
    Answers::With("HTTP/1.1 201 Created\r\ncontent-length: 4\r\ncontent-type: text/plain\r\n\r\npaid");

#[tokio::test]
async fn an_entry_says_what_was_called_and_what_came_back() {
    let rig = Rig::new();
    let server = Server::start(CREATED).await;
    let url = format!("{}/charges?amount=7&token=hunter2", server.url);
    let answer = rig.http.post(url).body("card").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (201, "paid"));
    let entry = rig.entry();
    assert_eq!(entry["kind"], "outgoing");
    assert_eq!((entry["outcome"].as_str(), entry["level"].as_str()), (Some("completed"), Some("INFO")));
    assert_eq!((entry["method"].as_str(), entry["path"].as_str()), (Some("POST"), Some("/charges")));
    assert_eq!(entry["query"], "amount=7&token=[redacted]");
    assert_eq!(entry["scheme"], "http");
    assert_eq!(entry["host_header"], server.url.trim_start_matches("http://"));
    assert_eq!(entry["status_code"], 201);
    assert_eq!(entry["response_content_type"], "text/plain");
    assert_eq!((entry["request_size"].as_u64(), entry["response_size"].as_u64()), (Some(4), Some(4)));
    assert!(entry["ttfb_ms"].as_f64().unwrap() <= entry["duration_ms"].as_f64().unwrap());
}

#[tokio::test]
async fn a_streamed_request_has_no_size_as_nobody_knows_it() {
    let rig = Rig::new();
    let server = Server::start(CREATED).await;
    let frame = Frame::data(Bytes::from_static(b"card"));
    let body = StreamBody::new(futures_util::stream::iter([Ok::<_, std::io::Error>(frame)]));
    rig.http.post(&server.url).body(Body::wrap(body)).send().await.unwrap();
    assert_eq!(rig.entry()["request_size"], json!(null));
}

#[tokio::test]
async fn the_other_sides_status_is_an_answer_and_sets_the_level() {
    let table = [
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "completed", "WARN"),
        ("HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n", "completed", "ERROR"),
        ("HTTP/1.1 504 Timeout\r\ncontent-length: 0\r\n\r\n", "timed_out", "ERROR"),
    ];
    for (text, outcome, level) in table {
        let rig = Rig::new();
        let server = Server::start(Answers::With(text)).await;
        rig.http.get(&server.url).send().await.unwrap();
        let entry = rig.entry();
        assert_eq!(
            (entry["outcome"].as_str(), entry["level"].as_str()),
            (Some(outcome), Some(level)),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_call_whose_time_runs_out_has_no_status() {
    let rig = Rig::new();
    let server = Server::start(Answers::Never).await;
    let call = rig.http.get(&server.url).timeout(Duration::from_millis(20)).send();
    assert!(call.await.unwrap_err().is_timeout());
    let entry = rig.entry();
    assert_eq!((&entry["outcome"], &entry["status_code"]), (&json!("timed_out"), &json!(null)));
    assert_eq!(entry["error_type"], "reqwest::Error");
}

#[tokio::test]
async fn a_call_without_an_answer_says_why_and_keeps_the_url_out() {
    let rig = Rig::new();
    let server = Server::start(Answers::HangsUp).await;
    let url = format!("{}/charges?token=hunter2", server.url);
    let error = rig.http.get(&url).send().await.unwrap_err();
    assert!(error.to_string().contains(&url), "the caller's error is as it was: {error}");
    let entry = rig.entry();
    assert_eq!((entry["outcome"].as_str(), entry["level"].as_str()), (Some("service_error"), Some("ERROR")));
    let message = entry["error_message"].as_str().unwrap();
    assert!(message.starts_with("error sending request: "), "{message}");
    assert!(entry["stack_trace"].as_str().unwrap().starts_with("caused by: "));
    assert!(!entry.to_string().contains("hunter2"), "{entry:#}");
}

type Answering<'a> = Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>>;

fn refuses<'a>(_: Request, _: &'a mut Extensions, _: Next<'a>) -> Answering<'a> {
    Box::pin(async { Err(Error::middleware(std::io::Error::other("the breaker is open"))) })
}

#[tokio::test]
async fn another_middlewares_error_is_recorded_and_passed_on() {
    let capture = hoplog::testing::capture();
    let http = reqwest_middleware::ClientBuilder::new(plain())
        .with(hoplog_reqwest::CallLog::new(capture.client()))
        .with(refuses)
        .build();
    let error = http.get("http://127.0.0.1:9/").send().await.unwrap_err();
    assert!(error.is_middleware());
    let entry = capture.entries().remove(0);
    assert_eq!(entry["outcome"], "service_error");
    assert_eq!(entry["error_type"], "reqwest_middleware::Error");
    assert_eq!(entry["error_message"], "the breaker is open");
}

#[tokio::test]
async fn a_call_that_is_dropped_is_cancelled() {
    let rig = Rig::new();
    let mut server = Server::start(Answers::Never).await;
    tokio::select! {
        biased;
        answer = rig.http.get(&server.url).send() => panic!("nobody answers: {answer:?}"),
        _ = server.head() => {}
    }
    let entry = rig.entry();
    assert_eq!((entry["outcome"].as_str(), entry["level"].as_str()), (Some("cancelled"), Some("WARN")));
}

#[tokio::test]
async fn a_disabled_client_adds_nothing() {
    let http = hoplog_reqwest::client(hoplog::Client::disabled(), plain());
    let mut server = Server::start(CREATED).await;
    assert_eq!(http.get(&server.url).send().await.unwrap().status(), 201);
    assert_eq!(server.head().await.header("traceparent"), None);
}
