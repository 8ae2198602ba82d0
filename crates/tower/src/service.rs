//! The service: begins an exchange for each request.

use std::fmt::Display;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{ResponseBody, ResponseFuture, head, header_name, request_body};

/// Logs every request of the service inside; made by [`RequestLogLayer`](crate::RequestLogLayer).
#[derive(Debug, Clone)]
pub struct RequestLog<S> {
    inner: S,
    client: hoplog::Client,
}

impl<S> RequestLog<S> {
    /// Wraps `inner`; its entries go to `client`.
    pub fn new(inner: S, client: hoplog::Client) -> Self {
        Self { inner, client }
    }
}

impl<S, Req, Res> Service<Request<Req>> for RequestLog<S>
where
    S: Service<Request<Req>, Response = Response<Res>>,
    S::Error: Display + 'static,
    Req: 'static,
    Res: Body,
{
    type Response = Response<ResponseBody<Res>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Req>) -> Self::Future {
        let Some(mut exchange) =
            self.client.begin_request(&head::of(&request), || header_name::named(request.headers()))
        else {
            return ResponseFuture::new(self.inner.call(request), None);
        };
        request_body::watch(request.body_mut(), &exchange);
        // A service may do its work, or panic, before it returns a future.
        let future = exchange.poll(|| self.inner.call(request));
        ResponseFuture::new(future, Some(exchange))
    }
}
