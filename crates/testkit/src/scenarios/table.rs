//! The scenarios: what is sent, how the client behaves, what must be logged.

use super::Size::{AtLeast, Below, Exactly};
use super::expect::Entry;
use super::routes::{BROKEN, ENDLESS_CHUNK, EVENT, LARGE, PANIC};

/// One conversation over one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// Sent in one write.
    pub(super) send: &'static str,
    pub(super) then: Then,
    /// In the order of the requests; each has a path of its own.
    pub(super) entries: &'static [Entry],
    /// Whether the app without the layer answers the same bytes.
    pub(super) same_bytes: bool,
}

/// What the client does after it has sent its requests.
#[derive(Debug, Clone, Copy)]
pub(super) enum Then {
    /// Reads a response per request.
    Read,
    /// Sends this after a `100 Continue`, and reads the response.
    Continue(&'static str),
    /// Opens the gate once the handler is there, and reads the response.
    OpenThenRead,
    /// Opens the gate once this many bytes of the body, framing included, are there, and reads the response.
    ReadBodyThenOpen(usize),
    /// Likewise, and reads to the end of the connection, which comes too early.
    ReadBodyThenOpenToEnd(usize),
    /// Reads to the end of the connection.
    ReadToEnd,
    /// Closes the connection once the handler runs.
    LeaveInHandler,
    /// Closes it after this many bytes of the body.
    LeaveInBody(usize),
}

macro_rules! request {
    ($line:literal $(, $more:literal)*) => {
        concat!($line, " HTTP/1.1\r\nhost: test\r\n", $($more,)* "\r\n")
    };
}

const fn scenario(name: &'static str, send: &'static str, then: Then, entries: &'static [Entry]) -> Scenario {
    Scenario { name, send, then, entries, same_bytes: true }
}

impl Scenario {
    /// What is on the wire depends on timing, or is the layer's doing.
    const fn other_bytes(mut self) -> Self {
        self.same_bytes = false;
        self
    }
}

const USER: Option<&str> = Some("/users/{id}");
/// `first half, ` as a chunk: its size, the data and two line ends.
const FIRST_CHUNK: usize = 1 + 2 + 12 + 2;
/// Likewise an event.
const EVENT_CHUNK: usize = 1 + 2 + EVENT.len() + 2;

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario(
        "a 200 with a length is complete",
        request!("GET /users/7"),
        Then::Read,
        &[Entry::of("GET", "/users/7").route(USER).sized(Exactly(6))],
    ),
    scenario(
        "a query is logged, its secrets are not",
        request!("GET /users/8?page=2&token=abc"),
        Then::Read,
        &[Entry::of("GET", "/users/8")
            .route(USER)
            .sized(Exactly(6))
            .also(&[("query", "page=2&token=[redacted]")])],
    ),
    scenario(
        "a 200 without a length is complete at its last chunk",
        request!("GET /unsized"),
        Then::Read,
        &[Entry::of("GET", "/unsized").sized(Exactly(21))],
    ),
    scenario(
        "a stream's first byte comes before its last",
        request!("GET /stream"),
        Then::ReadBodyThenOpen(FIRST_CHUNK),
        &[Entry::of("GET", "/stream").sized(Exactly(21)).streamed()],
    ),
    scenario(
        "HEAD is complete without a body",
        request!("HEAD /users/7"),
        Then::Read,
        &[Entry::of("HEAD", "/users/7").route(USER)],
    ),
    scenario(
        "204 is complete without a body",
        request!("GET /empty"),
        Then::Read,
        &[Entry::of("GET", "/empty").ended("completed", Some(204), "INFO")],
    ),
    scenario(
        "304 is complete without a body",
        request!("GET /cached", "if-none-match: \"v1\"\r\n"),
        Then::Read,
        &[Entry::of("GET", "/cached").ended("completed", Some(304), "INFO")],
    ),
    scenario(
        "a request's declared length is its size",
        concat!("POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 11\r\n\r\n", "hello world"),
        Then::Read,
        &[Entry::of("POST", "/echo").took(Some(11)).sized(Exactly(11))],
    ),
    scenario(
        "a chunked request's size is what was read",
        concat!(
            "POST /echo HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n"
        ),
        Then::Read,
        &[Entry::of("POST", "/echo").took(Some(5)).sized(Exactly(5))],
    ),
    scenario(
        "a caller's trace goes on and its request id is kept",
        request!(
            "GET /context",
            "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n",
            "x-request-id: caller-1\r\n"
        ),
        Then::Read,
        &[Entry::of("GET", "/context").sized(Exactly(41)).also(&[
            ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"),
            ("parent_span_id", "00f067aa0ba902b7"),
            ("request_id", "caller-1"),
        ])],
    )
    .other_bytes(),
    scenario(
        "an x-trace-id with a blank in it is ignored",
        request!("GET /users/9", "x-trace-id: order 4711\r\n"),
        Then::Read,
        &[Entry::of("GET", "/users/9").route(USER).sized(Exactly(6))],
    ),
    scenario(
        "an opaque x-trace-id is kept beside a new trace",
        request!("GET /users/9", "x-trace-id: order-4711\r\n"),
        Then::Read,
        &[Entry::of("GET", "/users/9").route(USER).sized(Exactly(6)).also(&[("x_trace_id", "order-4711")])],
    ),
    scenario(
        "the handler runs in the request's context",
        request!("GET /context"),
        Then::Read,
        &[Entry::of("GET", "/context").sized(Exactly(69))],
    )
    .other_bytes(),
    scenario(
        "a slow handler is waited for",
        request!("GET /wait"),
        Then::OpenThenRead,
        &[Entry::of("GET", "/wait").sized(Exactly(4))],
    ),
    scenario(
        "a client that leaves before the head cancels",
        request!("GET /wait"),
        Then::LeaveInHandler,
        &[Entry::of("GET", "/wait").ended("cancelled", None, "WARN")],
    ),
    scenario(
        "a client that leaves within the body aborts it",
        request!("GET /endless"),
        Then::LeaveInBody(ENDLESS_CHUNK),
        &[Entry::of("GET", "/endless")
            .ended("body_aborted", Some(200), "WARN")
            .sized(AtLeast(ENDLESS_CHUNK as u64))
            .streamed()],
    )
    .other_bytes(),
    scenario(
        "a body that fails is aborted",
        request!("GET /breaks"),
        Then::ReadBodyThenOpenToEnd(FIRST_CHUNK),
        &[Entry::of("GET", "/breaks")
            .ended("body_aborted", Some(200), "WARN")
            .sized(Exactly(12))
            .error(BROKEN)
            .streamed()],
    ),
    scenario(
        "a handler's error is the answer it becomes",
        request!("GET /fails"),
        Then::Read,
        &[Entry::of("GET", "/fails").ended("completed", Some(500), "ERROR").sized(Exactly(21))],
    ),
    scenario(
        "an error of a service inside the layer is one of the service",
        request!("GET /broken"),
        Then::Read,
        &[Entry::of("GET", "/broken").ended("service_error", None, "ERROR").error(BROKEN)],
    ),
    scenario(
        "a handler that panics has panicked",
        request!("GET /panics"),
        Then::ReadToEnd,
        &[Entry::of("GET", "/panics").ended("panicked", None, "ERROR").error(PANIC)],
    ),
    scenario(
        "a body that panics has panicked after its head",
        request!("GET /panics-late"),
        Then::ReadBodyThenOpenToEnd(FIRST_CHUNK),
        &[Entry::of("GET", "/panics-late")
            .ended("panicked", Some(200), "ERROR")
            .error(PANIC)
            .sized(Exactly(12))
            .streamed()],
    ),
    scenario(
        "a panic that is caught outside the layer has panicked",
        request!("GET /panics-caught"),
        Then::Read,
        &[Entry::of("GET", "/panics-caught").ended("panicked", None, "ERROR").error(PANIC)],
    ),
    scenario(
        "a timeout inside the layer that answers has timed out",
        request!("GET /slow-inside"),
        Then::Read,
        &[Entry::of("GET", "/slow-inside").ended("timed_out", Some(504), "ERROR")],
    ),
    scenario(
        "a timeout inside the layer that fails has timed out",
        request!("GET /slow-error"),
        Then::Read,
        &[Entry::of("GET", "/slow-error").ended("timed_out", None, "WARN").error("timed out")],
    ),
    scenario(
        "a timeout outside the layer cancels",
        request!("GET /slow-outside"),
        Then::Read,
        &[Entry::of("GET", "/slow-outside").ended("cancelled", None, "WARN")],
    ),
    scenario(
        "a connection that is upgraded ends the request",
        request!("GET /upgrade", "connection: upgrade\r\nupgrade: echo\r\n"),
        Then::Read,
        &[Entry::of("GET", "/upgrade").ended("upgraded", Some(101), "INFO")],
    ),
    scenario(
        "pipelined requests are one entry each",
        concat!(request!("GET /users/1"), request!("GET /empty"), request!("GET /users/333"),),
        Then::Read,
        &[
            Entry::of("GET", "/users/1").route(USER).sized(Exactly(6)),
            Entry::of("GET", "/empty").ended("completed", Some(204), "INFO"),
            Entry::of("GET", "/users/333").route(USER).sized(Exactly(8)),
        ],
    ),
    scenario(
        "a 404 has no route",
        request!("GET /nowhere"),
        Then::Read,
        &[Entry::of("GET", "/nowhere").route(None).ended("completed", Some(404), "WARN")],
    ),
    scenario(
        "a 405 has one",
        request!("DELETE /users/7"),
        Then::Read,
        &[Entry::of("DELETE", "/users/7").route(USER).ended("completed", Some(405), "WARN")],
    ),
    scenario(
        "a body that the client holds back until it may send it",
        request!("POST /echo", "content-length: 5\r\n", "expect: 100-continue\r\n"),
        Then::Continue("hello"),
        &[Entry::of("POST", "/echo").took(Some(5)).sized(Exactly(5))],
    ),
    scenario(
        "a body that the client holds back and nobody wants",
        request!("POST /refuses", "content-length: 5\r\n", "expect: 100-continue\r\n"),
        Then::Read,
        &[Entry::of("POST", "/refuses")
            .ended("completed", Some(413), "WARN")
            .took(Some(5))
            .sized(Exactly(9))],
    ),
    scenario(
        "an upload that nobody reads",
        concat!(
            "POST /refuses HTTP/1.1\r\nhost: test\r\ncontent-length: 100000000\r\n\r\n",
            "the first of many"
        ),
        Then::Read,
        &[Entry::of("POST", "/refuses")
            .ended("completed", Some(413), "WARN")
            .took(Some(100_000_000))
            .sized(Exactly(9))],
    ),
    scenario(
        "a range of a file",
        request!("GET /range", "range: bytes=6-9\r\n"),
        Then::Read,
        &[Entry::of("GET", "/range").ended("completed", Some(206), "INFO").sized(Exactly(4))],
    ),
    scenario(
        "a range beyond a file",
        request!("GET /range", "range: bytes=600-\r\n"),
        Then::Read,
        &[Entry::of("GET", "/range").ended("completed", Some(416), "WARN")],
    ),
    scenario(
        "events are one response until the last",
        request!("GET /events"),
        Then::ReadBodyThenOpen(EVENT_CHUNK),
        &[Entry::of("GET", "/events").sized(Exactly(2 * EVENT.len() as u64)).streamed()],
    ),
    scenario(
        "a client that stops listening to events aborts them",
        request!("GET /events"),
        Then::LeaveInBody(EVENT_CHUNK),
        &[Entry::of("GET", "/events")
            .ended("body_aborted", Some(200), "WARN")
            .sized(Exactly(EVENT.len() as u64))
            .streamed()],
    ),
    scenario(
        "trailers go out behind the last chunk",
        request!("GET /trailers", "te: trailers\r\n"),
        Then::Read,
        &[Entry::of("GET", "/trailers").sized(Exactly(12))],
    ),
    scenario(
        "what is compressed inside counts as it is sent",
        request!("GET /large-inside", "accept-encoding: gzip\r\n"),
        Then::Read,
        &[Entry::of("GET", "/large-inside").sized(Below(LARGE as u64))],
    ),
    scenario(
        "what is compressed outside counts as the service gave it",
        request!("GET /large-outside", "accept-encoding: gzip\r\n"),
        Then::Read,
        &[Entry::of("GET", "/large-outside").sized(Exactly(LARGE as u64))],
    ),
    scenario(
        "a second log layer passes through",
        request!("GET /twice"),
        Then::Read,
        &[Entry::of("GET", "/twice").sized(Exactly(4))],
    ),
    scenario(
        "a client of old, whose body ends with the connection",
        "GET /unsized HTTP/1.0\r\nhost: test\r\n\r\n",
        Then::Read,
        &[Entry::of("GET", "/unsized").sized(Exactly(21)).version("1.0")],
    ),
    scenario(
        "a handler tells what went wrong and for whom",
        request!("GET /tells"),
        Then::Read,
        &[Entry::of("GET", "/tells")
            .ended("completed", Some(500), "ERROR")
            .error(BROKEN)
            .also(&[("user_id", "u1")])],
    ),
    scenario(
        "a handler leaves on its answer what went wrong",
        request!("GET /leaves"),
        Then::Read,
        &[Entry::of("GET", "/leaves").ended("completed", Some(500), "ERROR").error(BROKEN)],
    ),
    scenario("what is no HTTP is no request", "what is this?\r\n\r\n", Then::ReadToEnd, &[]),
];
