//! The response body: frames pass untouched, bytes are counted, the last one ends the exchange.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use hoplog::{Exchange, Outcome};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::request_body::pieces;

pin_project! {
    /// A response body that is watched to its end. Dropped before it, the request is `body_aborted`.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        exchange: Option<Exchange>,
    }
}

impl<B: Body> ResponseBody<B> {
    /// Without an exchange it passes untouched. A body that has nothing to give is complete at once: servers do not poll
    /// it (HEAD, 204, 304, empty).
    pub(crate) fn new(inner: B, exchange: Option<Exchange>) -> Self {
        let mut body = Self { inner, exchange };
        if body.inner.is_end_stream() {
            finish(&mut body.exchange, Outcome::Completed);
        }
        body
    }
}

fn finish(exchange: &mut Option<Exchange>, outcome: Outcome) {
    if let Some(exchange) = exchange.take() {
        exchange.finish(outcome);
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: std::fmt::Display,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(exchange) = this.exchange.as_mut() else { return this.inner.poll_frame(cx) };
        let polled = exchange.poll(|| this.inner.as_mut().poll_frame(cx));
        match &polled {
            Poll::Pending => {}
            // Short of what it declared, the server cuts the connection: the exchange knows, and ends itself.
            Poll::Ready(None) if exchange.falls_short() => drop(this.exchange.take()),
            Poll::Ready(None) => finish(this.exchange, Outcome::Completed),
            Poll::Ready(Some(Err(error))) => {
                exchange.error(std::any::type_name::<B::Error>(), &hoplog::error_text(error), None);
                finish(this.exchange, Outcome::BodyAborted);
            }
            Poll::Ready(Some(Ok(frame))) => {
                let mut last = false;
                if let Some(data) = frame.data_ref() {
                    if exchange.taps_response() {
                        pieces(data, |piece| exchange.response_data(piece), |_| exchange.response_skipped());
                    }
                    last = exchange.response_bytes(data.remaining() as u64);
                } else if let Some(trailers) = frame.trailers_ref() {
                    for (name, value) in trailers {
                        exchange.trailer(name.as_str(), value.as_bytes());
                    }
                    last = true;
                }
                // Servers stop polling at the declared length, behind trailers, or when the body says that it is at
                // its end.
                if (last || this.inner.is_end_stream()) && !exchange.falls_short() {
                    finish(this.exchange, Outcome::Completed);
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
