//! Drives the service as a harness does: lines of headers in, as raw bytes; what its calls carry out.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use hoplog::testing::{Capture, capture};
use hoplog_testkit::wire::{Response, Wire};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const T: &str = "12345678901234567890123456789012";
const P: &str = "1234567890123456";

/// Takes the calls.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<HeaderMap>>>);

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

struct Harness {
    echo: SocketAddr,
    recorder: SocketAddr,
    recorded: Recorder,
    capture: Capture,
}

/// What one call carried.
#[derive(Debug)]
struct Call {
    trace_id: String,
    parent_id: String,
    flags: String,
    /// Empty without one.
    tracestate: String,
}

impl Call {
    fn of(headers: &HeaderMap) -> Self {
        let lines = |name| headers.get_all(name).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>();
        let [traceparent] = lines("traceparent")[..] else { panic!("one traceparent: {headers:?}") };
        let parts: Vec<&str> = traceparent.split('-').collect();
        let [version, trace_id, parent_id, flags] = parts[..] else { panic!("four parts: {traceparent}") };
        let lengths = (version, trace_id.len(), parent_id.len(), flags.len());
        assert_eq!(lengths, ("00", 32, 16, 2), "{traceparent}");
        let [trace_id, parent_id, flags] = [trace_id, parent_id, flags].map(str::to_owned);
        Self { trace_id, parent_id, flags, tracestate: lines("tracestate").join(",") }
    }
}

impl Harness {
    async fn start() -> Self {
        async fn record(State(recorder): State<Recorder>, headers: HeaderMap) -> StatusCode {
            recorder.0.lock().unwrap().push(headers);
            StatusCode::OK
        }
        let recorded = Recorder::default();
        let recorder = serve(Router::new().fallback(record).with_state(recorded.clone())).await;
        let capture = capture();
        let echo = serve(crate::echo::service(&capture.client()).unwrap()).await;
        Self { echo, recorder, recorded, capture }
    }

    async fn post(&self, lines: &[String], body: &str) -> Response {
        let mut wire = Wire::connect(self.echo).await;
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let length = body.len();
        wire.send(format!(
            "POST /test HTTP/1.1\r\nhost: echo\r\n{lines}content-length: {length}\r\n\r\n{body}"
        ))
        .await;
        wire.response("POST").await
    }

    /// Has the service make so many calls, under these lines of headers.
    async fn calls(&self, lines: &[String], count: usize) -> Vec<Call> {
        let to = |i| json!({ "url": format!("http://{}/callback/{i}", self.recorder), "arguments": [] });
        let body = Value::from_iter((0..count).map(to)).to_string();
        let response = self.post(lines, &body).await;
        assert_eq!(response.status, 200, "{lines:?}");
        let calls: Vec<Call> = self.recorded.0.lock().unwrap().drain(..).map(|h| Call::of(&h)).collect();
        assert_eq!(calls.len(), count);
        calls
    }

    /// What the one call under this traceparent and these lines of tracestate carries.
    async fn call(&self, traceparents: &[&str], tracestates: &[&str]) -> Call {
        let parents = traceparents.iter().map(|value| format!("traceparent:{value}"));
        let states = tracestates.iter().map(|value| format!("tracestate:{value}"));
        let lines: Vec<String> = parents.chain(states).collect();
        self.calls(&lines, 1).await.remove(0)
    }
}

#[tokio::test]
async fn a_valid_traceparent_goes_on_with_a_span_of_its_own() {
    let harness = Harness::start().await;
    for traceparent in [
        format!("00-{T}-{P}-01"),
        format!("cc-{T}-{P}-01"),
        format!("cc-{T}-{P}-01-what-the-future-will-be-like"),
        // Blanks around a value are no part of it (RFC 9110 §5.5).
        format!(" 00-{T}-{P}-01"),
        format!("\t00-{T}-{P}-01"),
        format!("00-{T}-{P}-01 "),
        format!("00-{T}-{P}-01\t"),
        format!("\t 00-{T}-{P}-01 \t"),
    ] {
        let call = harness.call(&[&traceparent], &[]).await;
        assert_eq!((call.trace_id.as_str(), call.flags.as_str()), (T, "01"), "{traceparent}");
        assert_ne!(call.parent_id, P, "{traceparent}");
    }
    let call = harness.call(&[&format!("00-{T}-{P}-fe")], &[]).await;
    assert_eq!(call.flags, "02", "flags that nobody knows are zero");
}

#[tokio::test]
async fn names_of_headers_have_no_case_and_no_separator() {
    let harness = Harness::start().await;
    for (name, goes_on) in [
        ("TraceParent", true),
        ("TrAcEpArEnT", true),
        ("TRACEPARENT", true),
        ("trace-parent", false),
        ("trace.parent", false),
    ] {
        let call = harness.calls(&[format!("{name}: 00-{T}-{P}-01")], 1).await.remove(0);
        assert_eq!(call.trace_id == T, goes_on, "{name}");
    }
    for (name, goes_on) in
        [("TraceState", "a=1"), ("TRACESTATE", "a=1"), ("trace-state", ""), ("trace.state", "")]
    {
        let lines = [format!("traceparent: 00-{T}-{P}-00"), format!("{name}: a=1")];
        assert_eq!(harness.calls(&lines, 1).await[0].tracestate, goes_on, "{name}");
    }
}

#[tokio::test]
async fn anything_else_starts_a_trace_and_drops_the_tracestate() {
    let harness = Harness::start().await;
    let parent = format!("00-{T}-{P}-01");
    let other = format!("00-{}1-{P}-01", &T[..31]);
    let mut table: Vec<Vec<String>> = vec![vec![], vec![parent.clone(), parent.clone()], vec![parent, other]];
    table.extend(
        [
            format!("00-{T}-{P}-01."),
            format!("00-{T}-{P}-01-what-the-future-will-be-like"),
            format!("cc-{T}-{P}-01.what-the-future-will-be-like"),
            format!("ff-{T}-{P}-01"),
            format!(".0-{T}-{P}-01"),
            format!("0-{T}-{P}-01"),
            format!("000-{T}-{P}-01"),
            format!("00-{}-{P}-01", "0".repeat(32)),
            format!("00-{}-{P}-01", &T[1..]),
            format!("00-{T}3-{P}-01"),
            format!("00-{T}-{}-01", "0".repeat(16)),
            format!("00-{T}-{}-01", &P[1..]),
            format!("00-{T}-{P}7-01"),
            format!("00-{T}-{P}-1"),
            format!("00-{T}-{P}-001"),
            format!("00-{T}-{P}-.0"),
        ]
        .map(|traceparent| vec![traceparent]),
    );
    for traceparents in table {
        let lines: Vec<&str> = traceparents.iter().map(String::as_str).collect();
        let call = harness.call(&lines, &["foo=1"]).await;
        assert!(!call.trace_id.starts_with(&T[..31]), "{lines:?}");
        assert!(call.trace_id != "0".repeat(32) && call.parent_id != "0".repeat(16), "{call:?}");
        assert_eq!((call.flags.as_str(), call.tracestate.as_str()), ("03", ""), "{lines:?}");
    }
}

#[tokio::test]
async fn a_valid_tracestate_goes_on_and_an_invalid_one_harms_no_traceparent() {
    let harness = Harness::start().await;
    let long = format!("{}=1", "z".repeat(256));
    let too_long = format!("{}=1", "z".repeat(257));
    let members = |n: usize| (1..=n).map(|i| format!("bar{i:02}={i:02}")).collect::<Vec<_>>().join(",");
    let (full, too_many) = (members(32), members(33));
    let table: [(&[&str], Option<&str>); 19] = [
        (&["foo=1,bar=2"], Some("foo=1,bar=2")),
        (&["foo=1,bar=2", "rojo=1,congo=2", "baz=3"], Some("foo=1,bar=2,rojo=1,congo=2,baz=3")),
        (&["foo=1", ""], Some("foo=1")),
        (&["", "foo=1"], Some("foo=1")),
        (&["foo=1 \t , \t bar=2, \t baz=3"], Some("foo=1 \t , \t bar=2, \t baz=3")),
        (&["\t foo=1 \t"], Some("foo=1")),
        (&["foo=1,foo=2"], Some("foo=1,foo=2")),
        (&["foo=1", "foo=1"], Some("foo=1,foo=1")),
        (&["tenant@system=1"], Some("tenant@system=1")),
        (&[&long], Some(&long)),
        (&[&full], Some(&full)),
        (&[""], None),
        (&["foo=1", &too_long], None),
        (&[&too_many], None),
        (&["foo =1"], None),
        (&["FOO=1"], None),
        (&["foo.bar=1"], None),
        (&["foo=bar=baz"], None),
        (&["foo=,bar=3"], None),
    ];
    for (lines, goes_on) in table {
        let call = harness.call(&[&format!("00-{T}-{P}-00")], lines).await;
        assert_eq!((call.trace_id.as_str(), call.flags.as_str()), (T, "00"), "{lines:?}");
        assert_eq!(call.tracestate, goes_on.unwrap_or(""), "{lines:?}");
    }
}

#[tokio::test]
async fn every_call_of_a_request_is_a_span_of_its_own_in_its_trace() {
    let harness = Harness::start().await;
    let zeros = format!("traceparent: 00-{}-{P}-01", "0".repeat(32));
    for lines in [vec![format!("traceparent: 00-{T}-{P}-01")], vec![], vec![zeros]] {
        let calls = harness.calls(&lines, 3).await;
        let parents: std::collections::HashSet<_> = calls.iter().map(|call| &call.parent_id).collect();
        assert_eq!(parents.len(), 3, "{calls:?}");
        assert!(calls.iter().all(|call| call.trace_id == calls[0].trace_id), "{calls:?}");
        assert_eq!(calls[0].trace_id == T, lines.first().is_some_and(|line| line.contains(T)));
    }
}

#[tokio::test]
async fn services_call_each_other_in_one_trace_and_each_hop_is_an_entry() {
    let harness = Harness::start().await;
    let callback = json!([{ "url": format!("http://{}/", harness.recorder), "arguments": [] }]);
    let body =
        json!([{ "url": format!("http://{}/again", harness.echo), "arguments": callback }]).to_string();
    let lines = [format!("traceparent: 00-{T}-{P}-01"), "tracestate: a=1".into()];
    assert_eq!(harness.post(&lines, &body).await.status, 200);
    let call = Call::of(&harness.recorded.0.lock().unwrap()[0]);
    assert_eq!((call.trace_id.as_str(), call.tracestate.as_str()), (T, "a=1"));
    let entries = loop {
        let entries = harness.capture.entries();
        if entries.len() == 4 {
            break entries;
        }
        tokio::task::yield_now().await;
    };
    assert!(entries.iter().all(|entry| entry["trace_id"] == T));
    let spans = |name: &str| -> std::collections::HashSet<&str> {
        entries.iter().filter_map(|entry| entry[name].as_str()).collect()
    };
    let unknown: Vec<&str> = spans("parent_span_id").difference(&spans("span_id")).copied().collect();
    assert_eq!(unknown, [P], "each hop hangs under the one before, the first under the caller");
    assert!(spans("span_id").contains(call.parent_id.as_str()), "what was called knows the call's span");
}

#[tokio::test]
async fn what_is_no_list_of_calls_is_refused_and_a_call_that_fails_is_told() {
    let harness = Harness::start().await;
    for body in ["", "{}", "[1]", r#"[{"url": "http://127.0.0.1/"}]"#] {
        assert_eq!(harness.post(&[], body).await.status, 400, "{body}");
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let body = json!([{ "url": format!("http://{nobody}/"), "arguments": [] }]).to_string();
    assert_eq!(harness.post(&[], &body).await.status, 502);
    assert_eq!(harness.post(&[], "[]").await.status, 200);
}

#[test]
fn the_port_is_5000_or_what_is_said() {
    let port = |arguments: &[&str]| crate::port(arguments.iter().map(|a| (*a).to_owned()));
    assert_eq!((port(&[]), port(&["--port", "0"])), (Ok(5000), Ok(0)));
    for wrong in [&["--port"][..], &["--port", "x"], &["5000"], &["--port", "1", "2"]] {
        assert!(port(wrong).is_err(), "{wrong:?}");
    }
}
