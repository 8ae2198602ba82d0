//! The service: begins an exchange for each request.

use std::fmt::Display;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{AtBody, End, ResponseFuture, head, header_name, request_body};

/// Logs every request of the service inside; made by [`RequestLogLayer`](crate::RequestLogLayer).
#[derive(Debug, Clone)]
pub struct RequestLog<S, E = AtBody> {
    inner: S,
    client: hoplog::Client,
    end: PhantomData<E>,
}

impl<S> RequestLog<S> {
    /// Wraps `inner`; its entries go to `client`.
    pub fn new(inner: S, client: hoplog::Client) -> Self {
        Self::of(inner, client)
    }
}

impl<S, E> RequestLog<S, E> {
    pub(crate) fn of(inner: S, client: hoplog::Client) -> Self {
        Self { inner, client, end: PhantomData }
    }
}

impl<S, E, Req, Res> Service<Request<Req>> for RequestLog<S, E>
where
    S: Service<Request<Req>, Response = Response<Res>>,
    S::Error: Display + 'static,
    E: End,
    Req: 'static,
    Res: Body,
{
    type Response = Response<E::Body<Res>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, E>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Req>) -> Self::Future {
        let headers = || header_name::named(request.headers());
        let mut exchange = self.client.begin_request(&head::of(&request), headers);
        if let Some(exchange) = &mut exchange {
            E::begun(exchange);
            request_body::watch(request.body_mut(), exchange);
        }
        ResponseFuture::begin(exchange, || self.inner.call(request))
    }
}
