//! The future of a response head.

use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hoplog::{ErrorReport, Exchange};
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::{ResponseBody, failure, header_name, ids};

pin_project! {
    /// Polls the inner future in the request's context. Dropped before its end, the request is `cancelled`.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        exchange: Option<Exchange>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, exchange: Option<Exchange>) -> Self {
        Self { inner, exchange }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    E: Display + 'static,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(match this.exchange.as_mut() {
            Some(exchange) => exchange.poll(|| this.inner.poll(cx)),
            None => this.inner.poll(cx),
        });
        let Some(mut exchange) = this.exchange.take() else {
            return Poll::Ready(result.map(|response| response.map(ResponseBody::untouched)));
        };
        Poll::Ready(match result {
            Ok(response) => Ok(begin_body(response, exchange)),
            Err(error) => {
                let outcome = failure::record(&mut exchange, &error);
                exchange.finish(outcome);
                Err(error)
            }
        })
    }
}

fn begin_body<B: Body>(mut response: Response<B>, mut exchange: Exchange) -> Response<ResponseBody<B>> {
    if let Some(report) = response.extensions().get::<ErrorReport>() {
        exchange.report(report);
    }
    let headers = response.headers();
    let length = || headers.get(http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let size = response.body().size_hint().exact().or_else(length);
    exchange.response(response.status().as_u16(), header_name::named(headers), size);
    ids::insert(response.headers_mut(), &exchange);
    response.map(|body| ResponseBody::new(body, exchange))
}
