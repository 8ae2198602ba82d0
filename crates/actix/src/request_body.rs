//! The request body, where it is watched: chunks pass untouched, and are seen.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_core::Stream;
use hoplog::{Exchange, RequestTap};
use pin_project_lite::pin_project;

/// Puts the tap into the request's payload, if one is wanted.
pub(crate) fn watch(request: &mut ServiceRequest, exchange: &Exchange) {
    if let Some(tap) = exchange.request_tap() {
        let inner = request.take_payload();
        request.set_payload(Payload::Stream { payload: Box::pin(RequestBody { inner, tap }) });
    }
}

pin_project! {
    struct RequestBody {
        #[pin]
        inner: Payload,
        tap: RequestTap,
    }
}

impl Stream for RequestBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let polled = this.inner.poll_next(cx);
        match &polled {
            Poll::Ready(Some(Ok(chunk))) => this.tap.data(chunk),
            Poll::Ready(None) => this.tap.end(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}
