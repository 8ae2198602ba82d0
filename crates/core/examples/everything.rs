//! Sends an entry of every kind to the OpenTelemetry backend that the `OTEL_*` variables name, and prints each as one
//! line of JSON, as hoplog's collector would get it. `cargo xtask test --only interop` compares the two.

use std::error::Error;
use std::io;
use std::time::Duration;

use hoplog::{Bodies, Client, Console, Otlp, Outcome, RequestHead, Requests, Trust};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::builder()
        .without_collector()
        .console(Console::Json)
        .otlp(Otlp::new())
        .service("shop")
        .service_version("v1.2.3")
        .log_type("WORKER")
        .requests(Requests::default().slow(Duration::from_nanos(1)))
        .trust(Trust::default().client_types())
        .bodies(Bodies::default())
        .build()?;
    requests(&client);
    calls(&client);
    lines(&client);
    let report = client.flush_blocking(Duration::from_secs(20))?;
    if report.left + report.dropped > 0 {
        return Err(format!("not everything was taken: {report:?}").into());
    }
    Ok(())
}

const HEADERS: [(&str, &[u8]); 10] = [
    ("accept", b"text/html"),
    ("accept", b"application/json"),
    ("content-type", b"application/json"),
    ("origin", b"https://shop.example"),
    ("referer", b"https://shop.example/cart"),
    ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("user-agent", b"Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"),
    ("x-request-id", b"request-1"),
    ("x-trace-id", b"opaque:trace"),
    ("x-user-id", b"u-1"),
];

fn head<'a>(method: &'a str, status_path: &'a str) -> RequestHead<'a> {
    RequestHead {
        method,
        path: status_path,
        query: Some("status=open&password=hunter2"),
        route: Some("/api/v1/users/{id}"),
        scheme: Some("https"),
        host: Some("shop.example:8443"),
        http_version: "1.1",
        peer: Some([203, 0, 113, 7].into()),
        peer_port: Some(4_711),
        tls_version: Some("1.3"),
    }
}

/// Every status class and every outcome, with and without what a handler adds.
fn requests(client: &Client) {
    let answers = [(200, "GET"), (302, "HEAD"), (404, "PURGE"), (500, "POST"), (503, "QUERY")];
    for (status, method) in answers {
        for outcome in Outcome::ALL.iter().copied() {
            let head = head(method, "/api/v1/users/7");
            let Some(mut exchange) = client.begin_request(&head, || HEADERS.iter().copied()) else {
                continue;
            };
            let context = exchange.context();
            context.set_user_id("u-2");
            context.set_session_id("s-1");
            context.set_tenant_id("t-1");
            if status == 500 {
                context.set_error(&io::Error::other("no database"));
            }
            let headers: [(&str, &[u8]); 2] = [("content-type", b"text/plain"), ("vary", b"origin")];
            exchange.response(status, headers.into_iter(), Some(5));
            exchange.response_data(b"hello");
            exchange.response_bytes(5);
            if status == 200 {
                exchange.trailer("grpc-status", b"0");
            }
            exchange.request_bytes(17);
            exchange.finish(outcome);
        }
    }
    // Gone before an answer; no header but one that is an opaque trace id.
    let headers: [(&str, &[u8]); 1] = [("x-trace-id", b"opaque:trace")];
    let bare = RequestHead { method: "GET", path: "/", http_version: "2", ..RequestHead::default() };
    if let Some(exchange) = client.begin_request(&bare, || headers.iter().copied()) {
        exchange.finish(Outcome::Cancelled);
    }
}

fn calls(client: &Client) {
    for status in [200, 404] {
        let head = head("PUT", "/charge");
        let Some(mut call) = client.begin_call(&head, || HEADERS.iter().copied()) else { continue };
        call.response(status, std::iter::empty::<(&str, &[u8])>(), None);
        call.finish(Outcome::Completed);
    }
}

/// Every level, and fields of every type.
fn lines(client: &Client) {
    for level in hoplog::Level::ALL.iter().copied() {
        client.log(level, format!("at {level}")).send();
    }
    client
        .error("charge failed\0 \u{1f980} \u{7}")
        .error(&io::Error::other("no route"))
        .user_id("u-3")
        .session_id("s-3")
        .tenant_id("t-3")
        .field("text", "ä\n\"quoted\"")
        .field("empty", "")
        .field("int", -7)
        .field("large", u64::MAX)
        .field("float", 0.1)
        .field("yes", true)
        .field("nothing", None::<u8>)
        .field("list", json!([1, "two", null, [3.5, {}], {"four": []}]))
        .field("deep", json!({"a": {"b": {"c": [{"d": "e"}]}}}))
        .field("http.route", "not a route")
        .field("order.id", 42)
        .send();
    client.info("long").field("long", "x".repeat(60_000)).send();
}
