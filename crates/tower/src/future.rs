//! The future of a response head.

use std::fmt::Display;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use hoplog::{ErrorReport, Exchange};
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::{AtBody, End, failure, header_name, ids};

pin_project! {
    /// Polls the inner future in the request's context. Dropped before its end, the request is `cancelled`.
    #[derive(Debug)]
    pub struct ResponseFuture<F, E = AtBody> {
        #[pin]
        inner: F,
        exchange: Option<Exchange>,
        end: PhantomData<E>,
    }
}

impl<F, E> ResponseFuture<F, E> {
    pub(crate) fn new(inner: F, exchange: Option<Exchange>) -> Self {
        Self { inner, exchange, end: PhantomData }
    }
}

impl<F, B, Error, E> Future for ResponseFuture<F, E>
where
    F: Future<Output = Result<Response<B>, Error>>,
    B: Body,
    Error: Display + 'static,
    E: End,
{
    type Output = Result<Response<E::Body<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(exchange) = this.exchange.as_mut() else {
            return this.inner.poll(cx).map_ok(|response| response.map(|body| E::answered(body, None)));
        };
        // Looked at in its place: a response is much to move.
        let mut polled = exchange.poll(|| this.inner.poll(cx));
        match &mut polled {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(response)) => see_head(response, exchange),
            Poll::Ready(Err(error)) => {
                let outcome = failure::record(exchange, error);
                if let Some(exchange) = this.exchange.take() {
                    exchange.finish(outcome);
                }
            }
        }
        polled.map_ok(|response| response.map(|body| E::answered(body, this.exchange.take())))
    }
}

#[inline(always)] // at its one place
fn see_head<B: Body>(response: &mut Response<B>, exchange: &mut Exchange) {
    if let Some(report) = response.extensions().get::<ErrorReport>() {
        exchange.report(report);
    }
    let headers = response.headers();
    let length = || headers.get(http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let size = response.body().size_hint().exact().or_else(length);
    exchange.response(response.status().as_u16(), header_name::named(headers), size);
    ids::insert(response.headers_mut(), exchange);
}
