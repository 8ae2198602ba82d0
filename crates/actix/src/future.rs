//! The future of a response head.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use hoplog::{ErrorReport, Exchange};
use pin_project_lite::pin_project;

use crate::pending::Pending;
use crate::{ResponseBody, body, failure, head, ids};

pin_project! {
    /// Polls the inner future in the request's context. Dropped before its end, the request is `cancelled`.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        pending: Option<Pending>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, pending: Option<Pending>) -> Self {
        Self { inner, pending }
    }
}

impl<F, B> Future for ResponseFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<ResponseBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(match this.pending.as_mut() {
            Some(pending) => pending.poll(|| this.inner.poll(cx)),
            None => this.inner.poll(cx),
        });
        let pending = this.pending.take();
        Poll::Ready(match result {
            Ok(response) => Ok(match pending.and_then(|pending| pending.answered(response.request())) {
                Some(exchange) => begin_body(response, exchange),
                None => response.map_body(|_, body| ResponseBody::untouched(body)),
            }),
            Err(error) => Err(match pending.and_then(Pending::failed) {
                Some(exchange) => end(error, exchange),
                None => error,
            }),
        })
    }
}

fn begin_body<B: MessageBody>(
    response: ServiceResponse<B>,
    mut exchange: Exchange,
) -> ServiceResponse<ResponseBody<B>> {
    if let Some(report) = response.response().extensions().get::<ErrorReport>() {
        exchange.report(report);
    }
    if let Some(error) = response.response().error() {
        failure::record(&mut exchange, error);
    }
    let sent = body::is_sent(response.request().method(), response.status());
    let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    response.map_body(|head, inner| {
        let size = body::promised(inner.size(), head.headers());
        exchange.response(head.status.as_u16(), head::headers(head.headers()), size);
        ids::insert(head.headers_mut(), exchange.response_ids());
        ResponseBody::new(inner, exchange, sent, switched)
    })
}

/// An inner middleware failed: the server makes a response of its error, out of sight.
fn end(mut error: Error, mut exchange: Exchange) -> Error {
    let status = error.as_response_error().status_code();
    failure::record(&mut exchange, &error);
    exchange.response_unseen(status.as_u16());
    let ids = exchange.response_ids();
    error.add_response_mapper(move |mut response| {
        ids::insert(response.headers_mut(), ids.clone());
        response
    });
    exchange.finish(failure::outcome(status));
    error
}
