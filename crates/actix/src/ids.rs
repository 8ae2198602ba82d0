//! `x-trace-id` and `x-request-id` on the response, without an allocation each: their values are slices of a block
//! that serves many requests.

use std::cell::RefCell;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use bytes::{Bytes, BytesMut};
use hoplog::Exchange;

const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Fits sixty requests' ids. A block lives until the last response that has a slice of it is written.
const BLOCK: usize = 4096;

thread_local! {
    static BLOCK_IN_USE: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// Both headers of one request.
#[derive(Clone)]
pub(crate) struct Ids([(HeaderName, Option<HeaderValue>); 2]);

pub(crate) fn of(exchange: &Exchange) -> Ids {
    let (trace_id, request_id) = (exchange.x_trace_id(), exchange.request_id());
    let both = shared(trace_id, request_id);
    let value = |bytes| HeaderValue::from_maybe_shared(bytes).ok();
    Ids([
        (X_TRACE_ID, value(both.slice(..trace_id.len()))),
        (X_REQUEST_ID, value(both.slice(trace_id.len()..))),
    ])
}

impl Ids {
    /// Adds those that the application did not set.
    pub(crate) fn insert(self, headers: &mut HeaderMap) {
        for (name, value) in self.0 {
            if let Some(value) = value.filter(|_| !headers.contains_key(&name)) {
                headers.insert(name, value);
            }
        }
    }
}

/// Both texts, one behind the other.
fn shared(a: &str, b: &str) -> Bytes {
    let len = a.len() + b.len();
    BLOCK_IN_USE
        .try_with(|block| {
            let mut block = block.borrow_mut();
            if block.capacity() < len {
                *block = BytesMut::with_capacity(BLOCK.max(len));
            }
            block.extend_from_slice(a.as_bytes());
            block.extend_from_slice(b.as_bytes());
            block.split().freeze()
        })
        .unwrap_or_else(|_| Bytes::from([a, b].concat()))
}
