//! The service as an axum app.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::error_handling::HandleErrorLayer;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use futures_util::stream;
use hoplog::ErrorReport;
use hoplog_tower::RequestLogLayer;
use tower::ServiceBuilder;
use tower::util::MapResultLayer;

use crate::acts::{Acts, Done};
use crate::failure::Failure;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Serves on a free port.
pub(crate) async fn serve(acts: Arc<Acts>) -> SocketAddr {
    let layers = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|_: BoxError| async { StatusCode::BAD_GATEWAY }))
        .layer(RequestLogLayer::new(acts.log.clone()))
        .layer(MapResultLayer::new(fail));
    let app = Router::new()
        .route("/steps/{n}", any(first))
        .route("/steps/{n}/{*rest}", any(with_rest))
        .layer(layers)
        .with_state(acts);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("a bound address");
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// An error of the service itself, which no handler of axum can make.
fn fail(result: Result<Response, Infallible>) -> Result<Response, BoxError> {
    let Ok(response) = result;
    match response.extensions().get::<Failure>() {
        Some(failure) => Err(failure.clone().into()),
        None => Ok(response),
    }
}

async fn first(acts: State<Arc<Acts>>, Path(n): Path<usize>, body: Bytes) -> Response {
    handle(acts, n, body).await
}

async fn with_rest(acts: State<Arc<Acts>>, Path((n, _)): Path<(usize, String)>, body: Bytes) -> Response {
    handle(acts, n, body).await
}

async fn handle(State(acts): State<Arc<Acts>>, n: usize, _: Bytes) -> Response {
    match acts.run(n).await {
        Done::Answer(kind, headers, body) => {
            let mut response = Response::new(Body::from(body));
            let kind = [("content-type".to_owned(), kind)];
            for (name, value) in kind.into_iter().chain(headers) {
                let name = HeaderName::try_from(name).expect("a header's name");
                response.headers_mut().append(name, HeaderValue::try_from(value).expect("a header's value"));
            }
            response
        }
        Done::Report(failure) | Done::Refuse(failure) => {
            let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
            response.extensions_mut().insert(ErrorReport::new(&failure));
            response
        }
        Done::Fail(failure) => {
            let mut response = Response::default();
            response.extensions_mut().insert(failure);
            response
        }
        Done::BreakOff(failure) => {
            let pieces = [Ok(Bytes::from_static(b"some")), Err(failure)];
            Response::new(Body::from_stream(stream::iter(pieces)))
        }
    }
}
