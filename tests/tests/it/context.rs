//! What is logged while a request is handled hangs on that request, and on no other: one table, both frameworks.

mod actix;
mod axum;
mod table;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use hoplog::testing::{Capture, capture};
use hoplog::{Client, Context};
use hoplog_testkit::facts::{fact, soon};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use table::SCENARIOS;

/// What a handler does, and what must come of it.
struct Scenario {
    name: &'static str,
    /// Runs in the handler, with the context that the framework's extractor gave it.
    run: fn(Client, Context) -> BoxFuture<'static, Answer>,
    events: &'static [Event],
    /// User, fields and message of the request's own entry; `None` where there is none.
    request: Option<Said>,
    outcome: &'static str,
}

/// An entry that the scenario logs.
struct Event {
    message: &'static str,
    /// Whether it belongs to the request.
    inside: bool,
    said: Said,
}

/// User id, and fields as JSON.
type Said = (Option<&'static str>, &'static str);

enum Answer {
    Done,
    Stream(BoxStream<'static, Result<&'static str, std::io::Error>>),
}

async fn act(number: usize, client: Client, request: Context) -> Answer {
    (SCENARIOS[number].run)(client, request).await
}

/// Sends every scenario, three at a time so that they could get in each other's way, and prints how many were run.
#[expect(clippy::print_stdout, reason = "the number that was run, for who reads the test's output")]
async fn run(framework: &str, address: SocketAddr, capture: &Capture) {
    for _ in 0..2 {
        let all: Vec<usize> = (0..SCENARIOS.len()).collect();
        for few in all.chunks(3) {
            futures_util::future::join_all(few.iter().map(|number| send(address, *number))).await;
        }
    }
    let expected: usize =
        SCENARIOS.iter().map(|s| 2 * (s.events.len() + usize::from(s.request.is_some()))).sum();
    let entries = fact(&format!("{expected} entries"), || {
        let entries = capture.entries();
        (entries.len() >= expected).then_some(entries)
    })
    .await;
    assert_eq!(entries.len(), expected, "no more entries than that");
    let mut failures = Vec::new();
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        failures
            .extend(check(number, scenario, &entries).into_iter().map(|f| format!("{}: {f}", scenario.name)));
    }
    assert!(failures.is_empty(), "{framework}:\n{}", failures.join("\n"));
    println!("\nFIGURE context.scenarios.{framework} {} count", SCENARIOS.len());
}

async fn send(address: SocketAddr, number: usize) {
    let exchange = async {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET /scenarios/{number} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        // A handler that panics has the connection cut.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    };
    soon(SCENARIOS[number].name, exchange).await;
}

fn check(number: usize, scenario: &Scenario, entries: &[Value]) -> Vec<String> {
    let mut failures = Vec::new();
    let path = format!("/scenarios/{number}");
    let requests: Vec<&Value> = entries.iter().filter(|e| e["path"] == path).collect();
    let wanted = if scenario.request.is_some() { 2 } else { 0 };
    if requests.len() != wanted {
        return vec![format!("{} requests, not {wanted}", requests.len())];
    }
    for request in &requests {
        if let Some(said) = &scenario.request {
            failures.extend(differs("the request", request, said));
        }
        if request["outcome"] != scenario.outcome {
            failures.push(format!("ended {}, not {}", request["outcome"], scenario.outcome));
        }
    }
    for event in scenario.events {
        let found: Vec<&Value> = entries.iter().filter(|e| e["message"] == event.message).collect();
        if found.len() != 2 {
            failures.push(format!("{} entries `{}`", found.len(), event.message));
        }
        let mut spans = BTreeMap::new();
        for entry in found {
            failures.extend(differs(event.message, entry, &event.said));
            *spans.entry(entry["span_id"].to_string()).or_insert(0) += 1;
            let belongs = requests
                .iter()
                .any(|r| r["span_id"] == entry["span_id"] && r["trace_id"] == entry["trace_id"]);
            let right =
                if event.inside { belongs || scenario.request.is_none() } else { entry["span_id"].is_null() };
            if !right || entry["span_id"].is_null() == event.inside {
                failures.push(format!("`{}` has the span {}", event.message, entry["span_id"]));
            }
        }
        if event.inside && spans.len() != 2 {
            failures.push(format!("`{}` is in one request twice", event.message));
        }
    }
    failures
}

fn differs(what: &str, entry: &Value, (user, fields): &Said) -> Option<String> {
    let fields: Value = if fields.is_empty() { Value::Null } else { serde_json::from_str(fields).unwrap() };
    let found = (&entry["user_id"], &entry["metadata"]);
    let wanted = (&json!(user), &fields);
    (found != wanted).then(|| format!("`{what}` has {found:?}, not {wanted:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_axums_handlers_log_hangs_on_their_request() {
    let capture = capture();
    let subject = axum::serve(capture.client()).await;
    run("tower", subject.address(), &capture).await;
    subject.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_actixs_handlers_log_hangs_on_their_request() {
    let capture = capture();
    let subject = actix::serve(capture.client());
    run("actix", subject.address(), &capture).await;
    subject.stop().await;
}
