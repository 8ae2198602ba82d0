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
        // There from the start, but for what `begin` has not called yet.
        #[pin]
        inner: Option<F>,
        exchange: Option<Exchange>,
        end: PhantomData<E>,
    }
}

impl<F, E> ResponseFuture<F, E> {
    /// Calls the service inside, in the exchange's context, as it may do its work, or panic, before it returns a future.
    /// That is put where it stays, as it is much to move.
    #[inline(always)] // at its one place
    pub(crate) fn begin(exchange: Option<Exchange>, call: impl FnOnce() -> F) -> Self {
        let mut this = Self { inner: None, exchange, end: PhantomData };
        match &mut this.exchange {
            Some(exchange) => exchange.poll(|| this.inner = Some(call())),
            None => this.inner = Some(call()),
        }
        this
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
            let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending };
            return inner.poll(cx).map_ok(|response| response.map(|body| E::answered(body, None)));
        };
        // Looked at in its place: a response is much to move.
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending };
        let mut polled = Poll::Pending;
        exchange.poll(|| polled = inner.poll(cx));
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
    let have_ids = exchange.response(response.status().as_u16(), header_name::named(headers), size);
    ids::add(response.headers_mut(), exchange, have_ids);
}
