//! Request bodies for stacks whose body type the log layer cannot change in its place.

use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::RequestBody;

/// Lets [`RequestLogLayer`](crate::RequestLogLayer) see request bodies that are not axum's: of plain hyper, of tonic.
/// Put it right inside of that one; the service within takes a [`RequestBody`]. With axum it is not needed.
///
/// ```
/// use hoplog_tower::{RequestBody, RequestBodyLayer, RequestLogLayer};
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use tower::{ServiceBuilder, service_fn};
///
/// type Answer = Result<Response<Full<&'static [u8]>>, std::convert::Infallible>;
/// async fn handle<B>(_: Request<RequestBody<B>>) -> Answer { Ok(Response::default()) }
///
/// # let client = hoplog::Client::disabled();
/// let service = ServiceBuilder::new()
///     .layer(RequestLogLayer::new(client))
///     .layer(RequestBodyLayer::default())
///     .service(service_fn(handle::<Full<&'static [u8]>>));
/// # let _ = service;
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct RequestBodyLayer {}

impl<S> Layer<S> for RequestBodyLayer {
    type Service = WatchRequestBody<S>;

    fn layer(&self, inner: S) -> WatchRequestBody<S> {
        WatchRequestBody { inner }
    }
}

/// Made by [`RequestBodyLayer`].
#[derive(Debug, Clone)]
pub struct WatchRequestBody<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for WatchRequestBody<S>
where
    S: Service<Request<RequestBody<B>>>,
    B: http_body::Body,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let tap = hoplog::current().request_tap();
        self.inner.call(request.map(|body| RequestBody::new(body, tap)))
    }
}
