//! `x-trace-id` and `x-request-id` on the response, without an allocation each: their values are slices of a block
//! that serves many requests.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use hoplog::Exchange;
use http::{HeaderMap, HeaderName, HeaderValue};

const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Fits sixty requests' ids. A block lives until the last response that has a slice of it is written.
const BLOCK: usize = 4096;

thread_local! {
    static BLOCK_IN_USE: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// Adds both headers where the service did not set them.
pub(crate) fn insert(headers: &mut HeaderMap, exchange: &Exchange) {
    let (both, split) = exchange.response_ids();
    let mut both = shared(both);
    set(headers, X_TRACE_ID, both.split_to(split));
    set(headers, X_REQUEST_ID, both);
}

#[inline]
fn set(headers: &mut HeaderMap, name: HeaderName, value: Bytes) {
    if let http::header::Entry::Vacant(entry) = headers.entry(name)
        && let Ok(value) = HeaderValue::from_maybe_shared(value)
    {
        entry.insert(value);
    }
}

/// The text, in the block.
fn shared(text: &[u8]) -> Bytes {
    BLOCK_IN_USE
        .try_with(|block| {
            let mut block = block.borrow_mut();
            if block.capacity() < text.len() {
                *block = BytesMut::with_capacity(BLOCK.max(text.len()));
            }
            block.extend_from_slice(text);
            block.split().freeze()
        })
        .unwrap_or_else(|_| Bytes::copy_from_slice(text))
}
