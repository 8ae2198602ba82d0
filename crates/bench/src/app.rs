//! The apps that are compared: one handler, and what stands around it.
#![expect(clippy::expect_used, clippy::panic, reason = "a bench that cannot run must say so")]

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::get;
use hoplog_tower::RequestLogLayer;
use http_body::Body as _;
use tower_layer::{Identity, Layer};
use tower_service::Service;

use crate::request;

/// Nothing; an empty layer; hoplog with its defaults; hoplog whose entries end with the head; hoplog keeping every header.
pub const SCENARIOS: [&str; 5] = ["bare", "empty", "hoplog", "hoplog_head", "hoplog_all_headers"];

/// A client of one scenario, whose worker does nothing while requests are counted: what it does is another bench.
#[must_use]
pub fn client(scenario: &str) -> hoplog::Client {
    let redaction = match scenario {
        "hoplog_all_headers" => hoplog::Redaction::default().all_headers(),
        _ => hoplog::Redaction::default(),
    };
    builder().redaction(redaction).build().expect("a client")
}

/// What all clients of the benches have in common.
pub fn builder() -> hoplog::ClientBuilder {
    hoplog::Client::builder()
        .service("bench")
        .without_collector()
        .file("/dev/null")
        .batch_size(10_000)
        .flush_interval(Duration::from_secs(60))
}

/// A router as `axum::serve` drives it: with its state, one clone per connection.
pub struct App {
    router: Router,
}

impl App {
    /// The app of one scenario.
    #[must_use]
    pub fn new(scenario: &str, client: &hoplog::Client) -> Self {
        let router = Router::new().route("/api/v1/users/{user}/orders", get(|| async { "ok" }));
        let router = match scenario {
            "bare" => router,
            "empty" => router.layer(EmptyLayer),
            "hoplog_head" => router.layer(RequestLogLayer::new(client.clone()).ends_with_head()),
            _ => router.layer(RequestLogLayer::new(client.clone())),
        };
        Self::of(router)
    }

    /// A router of somebody else's.
    #[must_use]
    pub fn of(router: Router) -> Self {
        Self { router: router.with_state(()) }
    }

    /// Makes a request and answers it.
    pub fn serve(&mut self, i: u32) {
        self.answer(request(i % 1_000));
    }

    /// Answers a request, its body read to the end.
    #[inline(never)] // callgrind counts from its first instruction to its last
    pub fn answer(&mut self, request: Request<Body>) {
        let mut cx = Context::from_waker(Waker::noop());
        let mut future = pin!(self.router.call(request));
        let Poll::Ready(response) = future.as_mut().poll(&mut cx) else {
            panic!("the handler waits for nothing")
        };
        let response: Result<Response<Body>, Infallible> = response;
        let mut body = pin!(response.expect("infallible").into_body());
        while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut cx) {
            black_box(frame.expect("a frame"));
            if body.is_end_stream() {
                break;
            }
        }
    }
}

/// A layer of a type of its own, as axum boxes it, that does nothing.
#[derive(Debug, Clone)]
pub struct EmptyLayer;

impl<S> Layer<S> for EmptyLayer {
    type Service = Empty<S>;

    fn layer(&self, inner: S) -> Empty<S> {
        Empty(Identity::new().layer(inner))
    }
}

/// What it makes.
#[derive(Debug, Clone)]
pub struct Empty<S>(S);

impl<S, R> Service<R> for Empty<S>
where
    S: Service<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

/// The figures' names: `axum` for hoplog with every default.
#[must_use]
pub fn name(scenario: &str) -> &str {
    match scenario {
        "empty" => "axum_empty_layer",
        "hoplog" => "axum",
        "hoplog_head" => "axum_head",
        _ => "axum_all_headers",
    }
}
