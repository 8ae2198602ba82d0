//! The request body, where it is watched: frames pass untouched, and are seen.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use hoplog::RequestTap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// A request body of which the first bytes are kept, or whose length nobody said.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        tap: Option<RequestTap>,
    }
}

impl<B: Body> RequestBody<B> {
    pub(crate) fn new(inner: B, tap: Option<RequestTap>) -> Self {
        // Nobody polls for what is not there.
        if let Some(tap) = tap.as_ref().filter(|_| inner.is_end_stream()) {
            tap.end();
        }
        Self { inner, tap }
    }
}

/// Watches a body in the place where it is, without another type: possible for axum's, which can hold any body.
#[cfg(feature = "axum")]
#[inline(always)] // at its one place: mostly there is nothing to watch
pub(crate) fn watch<B: 'static>(body: &mut B, exchange: &hoplog::Exchange) {
    if exchange.taps_request()
        && let Some(body) = (body as &mut dyn std::any::Any).downcast_mut::<axum::body::Body>()
        && let Some(tap) = exchange.request_tap()
    {
        let inner = std::mem::take(body);
        *body = axum::body::Body::new(RequestBody::new(inner, Some(tap)));
    }
}

#[cfg(not(feature = "axum"))]
pub(crate) fn watch<B>(_: &mut B, _: &hoplog::Exchange) {}

impl<B: Body> Body for RequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let polled = this.inner.as_mut().poll_frame(cx);
        let Some(tap) = this.tap.as_ref() else { return polled };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    pieces(data, |piece| tap.data(piece), |beyond| tap.skipped(beyond));
                }
                if this.inner.is_end_stream() {
                    tap.end();
                }
            }
            Poll::Ready(None) => tap.end(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
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

/// Looks at data without taking it: piece by piece, where they are within reach; the rest is told by its length.
pub(crate) fn pieces(data: &impl Buf, mut see: impl FnMut(&[u8]), beyond: impl FnOnce(u64)) {
    let first = data.chunk();
    if first.len() == data.remaining() {
        return see(first);
    }
    let mut slices = [std::io::IoSlice::new(&[]); 16];
    let filled = data.chunks_vectored(&mut slices);
    let mut seen = 0;
    for slice in slices.iter().take(filled) {
        see(slice);
        seen += slice.len();
    }
    if seen < data.remaining() {
        beyond((data.remaining() - seen) as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn data_in_pieces_is_seen_in_order_and_not_taken() {
        let data = Bytes::from_static(b"one ").chain(Bytes::from_static(b"two ")).chain(&b"three"[..]);
        let mut seen = Vec::new();
        pieces(&data, |piece| seen.extend_from_slice(piece), |n| panic!("{n} bytes unseen"));
        assert_eq!(seen, b"one two three");
        assert_eq!(data.remaining(), 13);
    }

    /// Offers its first byte alone, as the default of `chunks_vectored` does for unknown types.
    struct Shy;

    impl Buf for Shy {
        fn remaining(&self) -> usize {
            10
        }

        fn chunk(&self) -> &[u8] {
            b"x"
        }

        fn advance(&mut self, _: usize) {
            unreachable!("it is only looked at");
        }
    }

    #[test]
    fn what_is_out_of_reach_is_counted() {
        let (mut seen, mut left) = (Vec::new(), 0);
        pieces(&Shy, |piece| seen.extend_from_slice(piece), |n| left = n);
        assert_eq!((seen.as_slice(), left), (&b"x"[..], 9));
    }
}
