//! The service: begins an exchange for each request.

use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};

use crate::pending::{Pending, Routes};
use crate::{ResponseBody, ResponseFuture, head, header_name, request_body};

/// Logs every request of the service inside; made by [`RequestLog`](crate::RequestLog), one per worker.
#[derive(Debug)]
pub struct RequestLogService<S> {
    inner: S,
    client: hoplog::Client,
    routes: Routes,
}

impl<S> RequestLogService<S> {
    pub(crate) fn new(inner: S, client: hoplog::Client) -> Self {
        Self { inner, client, routes: Routes::default() }
    }
}

impl<S, B> Service<ServiceRequest> for RequestLogService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<ResponseBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let exchange =
            self.client.begin_request(&head::of(request.request()), || header_name::named(request.headers()));
        if let Some(exchange) = &exchange {
            request_body::watch(&mut request, exchange);
        }
        let pending = exchange.map(|exchange| Pending::new(exchange, &self.routes, request.request()));
        ResponseFuture::begin(pending, || self.inner.call(request))
    }
}
