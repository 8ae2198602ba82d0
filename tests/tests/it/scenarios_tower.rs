//! The scenario suite over axum and hoplog-tower.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use axum::error_handling::HandleErrorLayer;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, get_service, post};
use axum::{BoxError, Extension, Router};
use futures_util::stream::{self, StreamExt as _};
use hoplog_testkit::gate::Gate;
use hoplog_testkit::scenarios::{self, Framework, Subject, routes};
use hoplog_tower::RequestLogLayer;
use http_body::Frame;
use http_body_util::StreamBody;
use routes::{BROKEN, ENDLESS_CHUNK, EVENT, FIRST, Fire, LARGE, LAST, TIMEOUT};
use tokio::sync::oneshot;
use tower::service_fn;
use tower::timeout::TimeoutLayer as FailingTimeout;
use tower::timeout::error::Elapsed;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer as AnsweringTimeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_on_tower_is_one_entry_that_says_how_it_went() {
    scenarios::run(&Axum).await;
}

pub(crate) struct Axum;

impl Framework for Axum {
    const NAME: &'static str = "tower";

    async fn serve(&self, client: Option<hoplog::Client>, gate: Gate) -> Subject {
        serve(app(client, gate)).await
    }
}

/// Serves a router on a free port.
pub(crate) async fn serve(app: Router) -> Subject {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let server = tokio::spawn(async { axum::serve(listener, app).with_graceful_shutdown(stopped).await });
    Subject::new(address, async {
        drop(stop);
        server.await.unwrap().unwrap();
    })
}

fn app(client: Option<hoplog::Client>, gate: Gate) -> Router {
    let answering = AnsweringTimeout::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIMEOUT);
    let inside = Router::new().route("/slow-inside", get(wait)).layer(answering);
    let twice = logged(Router::new().route("/twice", get(async || "once")), client.as_ref());
    let compressed = Router::new().route("/large-inside", get(large)).layer(CompressionLayer::new());
    let plain = logged(routes().merge(inside).merge(twice).merge(compressed), client.as_ref());
    let large_outside = logged(Router::new().route("/large-outside", get(large)), client.as_ref());
    // The log layer lies inside of these timeouts and error handlers, so each brings its own.
    let outside = logged(Router::new().route("/slow-outside", get(wait)), client.as_ref()).layer(answering);
    let panics = async || -> () { panic!("a panic of the test's handler") };
    let caught = logged(Router::new().route("/panics-caught", get(panics)), client.as_ref());
    let failing = get(wait).layer(FailingTimeout::new(TIMEOUT));
    let broken = get_service(service_fn(|_: Request| async { Err::<Response, BoxError>(BROKEN.into()) }));
    Router::new()
        .route("/slow-error", answered(failing, client.as_ref()))
        .route("/broken", answered(broken, client.as_ref()))
        .merge(outside)
        .merge(large_outside.layer(CompressionLayer::new()))
        .merge(caught.layer(CatchPanicLayer::new()))
        // The last one's answer to what is nowhere is the one that counts, so it is the logged one.
        .merge(plain)
        .with_state(gate)
}

fn logged(router: Router<Gate>, client: Option<&hoplog::Client>) -> Router<Gate> {
    match client {
        Some(client) => router.layer(RequestLogLayer::new(client.clone())),
        None => router,
    }
}

/// A route that fails, logged, and an answer to its failure around that.
fn answered(route: MethodRouter<Gate, BoxError>, client: Option<&hoplog::Client>) -> MethodRouter<Gate> {
    let route = match client {
        Some(client) => route.layer(RequestLogLayer::new(client.clone())),
        None => route,
    };
    route.layer(HandleErrorLayer::new(async |error: BoxError| {
        let status = match error.is::<Elapsed>() {
            true => StatusCode::GATEWAY_TIMEOUT,
            false => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, error.to_string())
    }))
}

fn routes() -> Router<Gate> {
    Router::new()
        .route("/users/{id}", get(async |Path(id): Path<String>| format!("user {id}")))
        .route("/echo", post(async |body: Bytes| body))
        .route(
            "/unsized",
            get(async || Body::from_stream(stream::iter([Ok::<_, Infallible>(FIRST), Ok(LAST)]))),
        )
        .route("/tells", get(tells))
        .route(
            "/leaves",
            get(async || {
                let report = hoplog::ErrorReport::new(&Fire);
                (StatusCode::INTERNAL_SERVER_ERROR, Extension(report))
            }),
        )
        .route("/range", get(range))
        .route("/refuses", post(async |_: Request| (StatusCode::PAYLOAD_TOO_LARGE, "too large")))
        .route("/events", get(async |gate| ([(header::CONTENT_TYPE, "text/event-stream")], events(gate))))
        .route("/trailers", get(trailers))
        .route("/stream", get(async |gate| late(gate, || Ok(LAST))))
        .route("/empty", get(async || StatusCode::NO_CONTENT))
        .route("/cached", get(async || (StatusCode::NOT_MODIFIED, [(header::ETAG, "\"v1\"")])))
        .route("/wait", get(wait))
        .route("/endless", get(async || Body::from_stream(stream::repeat(Ok::<_, Infallible>(ZEROS)))))
        .route("/breaks", get(async |gate| late(gate, || Err(BROKEN.into()))))
        .route("/fails", get(async || Err::<(), _>((StatusCode::INTERNAL_SERVER_ERROR, BROKEN))))
        .route("/panics", get(async || -> () { panic!("a panic of the test's handler") }))
        .route("/panics-late", get(async |gate| late(gate, || panic!("a panic of the test's body"))))
        .route(
            "/upgrade",
            get(async || {
                (
                    StatusCode::SWITCHING_PROTOCOLS,
                    [(header::CONNECTION, "upgrade"), (header::UPGRADE, "echo")],
                )
            }),
        )
        .route("/context", get(async || routes::current_context()))
}

static ZEROS: &[u8] = &[0; ENDLESS_CHUNK];

async fn wait(State(gate): State<Gate>) -> &'static str {
    gate.pass().await;
    "done"
}

async fn tells() -> StatusCode {
    hoplog::current().set_error(&Fire);
    hoplog::current().set_user_id("u1");
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn range(headers: HeaderMap) -> Response {
    let all = [FIRST, LAST].concat();
    match headers.get(header::RANGE).map(|range| range.as_bytes()) {
        None => all.into_response(),
        Some(b"bytes=6-9") => {
            let part = [(header::CONTENT_RANGE, format!("bytes 6-9/{}", all.len()))];
            (StatusCode::PARTIAL_CONTENT, part, all[6..10].to_owned()).into_response()
        }
        Some(_) => {
            let all = [(header::CONTENT_RANGE, format!("bytes */{}", all.len()))];
            (StatusCode::RANGE_NOT_SATISFIABLE, all).into_response()
        }
    }
}

fn events(State(gate): State<Gate>) -> Body {
    let second = stream::once(async move {
        gate.pass().await;
        Ok::<_, Infallible>(EVENT)
    });
    Body::from_stream(stream::once(async { Ok(EVENT) }).chain(second))
}

async fn trailers() -> Response {
    let trailers =
        HeaderMap::from_iter([(HeaderName::from_static("x-checksum"), HeaderValue::from_static("7"))]);
    let frames = [
        Ok::<_, Infallible>(Frame::data(Bytes::from_static(FIRST.as_bytes()))),
        Ok(Frame::trailers(trailers)),
    ];
    ([(header::TRAILER, "x-checksum")], Body::new(StreamBody::new(stream::iter(frames)))).into_response()
}

async fn large() -> Vec<u8> {
    vec![b'a'; LARGE]
}

/// The first half, and what `second` says once the gate is open.
fn late(State(gate): State<Gate>, second: fn() -> Result<&'static str, BoxError>) -> Body {
    let second = stream::once(async move {
        gate.pass().await;
        second()
    });
    Body::from_stream(stream::once(async { Ok(FIRST) }).chain(second))
}
