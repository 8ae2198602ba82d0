//! The response body: chunks pass untouched, bytes are counted, the last one ends the exchange.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::http::{Method, StatusCode};
use bytes::Bytes;
use hoplog::{Exchange, Outcome};
use pin_project_lite::pin_project;

use crate::failure;

/// Whether the server sends what the body gives: not in answer to HEAD, nor with 204 and 304 (RFC 9110 §6.4.1). It
/// polls the body all the same.
pub(crate) fn is_sent(method: &Method, status: StatusCode) -> bool {
    method != Method::HEAD && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// The length that the head promises.
pub(crate) fn promised(size: BodySize, headers: &HeaderMap) -> Option<u64> {
    match size {
        BodySize::None => Some(0),
        BodySize::Sized(size) => Some(size),
        BodySize::Stream => headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok(),
    }
}

pin_project! {
    /// A response body that is watched to its end. Dropped before it, the request is `body_aborted`.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        exchange: Option<Exchange>,
        sent: bool,
    }
}

impl<B: MessageBody> ResponseBody<B> {
    pub(crate) fn untouched(inner: B) -> Self {
        Self { inner, exchange: None, sent: true }
    }

    /// A body that has nothing to give is complete at once: the server does not poll it. So is that of a connection
    /// that is `switched` to another protocol: what it gives then is no answer to the request.
    pub(crate) fn new(inner: B, exchange: Option<Exchange>, sent: bool, switched: bool) -> Self {
        let mut exchange = exchange;
        if switched || matches!(inner.size(), BodySize::None | BodySize::Sized(0)) {
            finish(&mut exchange, Outcome::Completed);
        }
        Self { inner, exchange, sent }
    }
}

fn finish(exchange: &mut Option<Exchange>, outcome: Outcome) {
    if let Some(exchange) = exchange.take() {
        exchange.finish(outcome);
    }
}

/// Counts a chunk; the one that keeps the head's promise ends the exchange.
fn count(exchange: &mut Option<Exchange>, sent: bool, chunk: &Bytes) {
    let Some(open) = exchange.as_mut().filter(|_| sent) else { return };
    if open.taps_response() {
        open.response_data(chunk);
    }
    if open.response_bytes(chunk.len() as u64) {
        finish(exchange, Outcome::Completed);
    }
}

impl<B: MessageBody> MessageBody for ResponseBody<B> {
    /// What every server and middleware makes of a body's error anyway.
    type Error = Box<dyn StdError>;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Box<dyn StdError>>>> {
        let this = self.project();
        let next = ready!(match this.exchange.as_mut() {
            Some(exchange) => exchange.poll(|| this.inner.poll_next(cx)),
            None => this.inner.poll_next(cx),
        });
        Poll::Ready(match next {
            None => {
                match this.exchange.take() {
                    // Less came than the head promised, unless none of it is sent: the exchange knows.
                    Some(exchange) if exchange.falls_short() => drop(exchange),
                    Some(exchange) => exchange.finish(Outcome::Completed),
                    None => {}
                }
                None
            }
            Some(Ok(chunk)) => {
                count(this.exchange, *this.sent, &chunk);
                Some(Ok(chunk))
            }
            Some(Err(error)) => {
                let error = error.into();
                if let Some(exchange) = this.exchange {
                    failure::record_body(exchange, &*error);
                }
                finish(this.exchange, Outcome::BodyAborted);
                Some(Err(error))
            }
        })
    }

    /// A middleware further out takes the whole body at once: with that it is handed over.
    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { inner, mut exchange, sent } = self;
        match inner.try_into_bytes() {
            Ok(bytes) => {
                count(&mut exchange, sent, &bytes);
                finish(&mut exchange, Outcome::Completed);
                Ok(bytes)
            }
            Err(inner) => Err(Self { inner, exchange, sent }),
        }
    }
}
