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
use crate::{ResponseBody, body, failure, header_name, ids};

pin_project! {
    /// Polls the inner future in the request's context. Dropped before its end, the request is `cancelled`.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // There from the start, but for what `begin` has not called yet.
        #[pin]
        inner: Option<F>,
        pending: Option<Pending>,
    }
}

impl<F> ResponseFuture<F> {
    /// Calls the service inside, in the request's context, as it may do its work, or panic, before it returns a future.
    /// That is put where it stays, as it is much to move.
    #[inline(always)] // at its one place
    pub(crate) fn begin(pending: Option<Pending>, call: impl FnOnce() -> F) -> Self {
        let mut this = Self { inner: None, pending };
        match &mut this.pending {
            Some(pending) => pending.poll(|| this.inner = Some(call())),
            None => this.inner = Some(call()),
        }
        this
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
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending };
        let Some(pending) = this.pending else {
            let polled = inner.poll(cx);
            return polled.map_ok(|response| response.map_body(|_, body| ResponseBody::untouched(body)));
        };
        // Looked at in its place: a response is much to move.
        let mut polled = Poll::Pending;
        pending.poll(|| polled = inner.poll(cx));
        Poll::Ready(match ready!(polled) {
            Ok(mut response) => {
                let mut exchange = pending.answered(response.request());
                if let Some(exchange) = &mut exchange {
                    see_head(&mut response, exchange);
                }
                let sent = body::is_sent(response.request().method(), response.status());
                let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
                Ok(response.map_body(|_, body| ResponseBody::new(body, exchange, sent, switched)))
            }
            Err(error) => Err(match pending.failed() {
                Some(exchange) => end(error, exchange),
                None => error,
            }),
        })
    }
}

#[inline(always)] // at its one place
fn see_head<B: MessageBody>(response: &mut ServiceResponse<B>, exchange: &mut Exchange) {
    if let Some(report) = response.response().extensions().get::<ErrorReport>() {
        exchange.report(report);
    }
    if let Some(error) = response.response().error() {
        failure::record(exchange, error);
    }
    let headers = response.headers();
    let size = body::promised(response.response().body().size(), headers);
    let have_ids = exchange.response(response.status().as_u16(), header_name::named(headers), size);
    ids::add(response.headers_mut(), exchange.response_ids(), have_ids);
}

/// An inner middleware failed: the server makes a response of its error, out of sight.
fn end(mut error: Error, mut exchange: Exchange) -> Error {
    let status = error.as_response_error().status_code();
    failure::record(&mut exchange, &error);
    exchange.response_unseen(status.as_u16());
    let ids = exchange.response_ids();
    error.add_response_mapper(move |mut response| {
        ids::add_missing(response.headers_mut(), ids.clone());
        response
    });
    exchange.finish(failure::outcome(status));
    error
}
