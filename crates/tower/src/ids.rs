//! `x-trace-id` and `x-request-id` on the response.

use bytes::Bytes;
use hoplog::Exchange;
use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue};

const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Adds both headers where the service did not set them.
pub(crate) fn insert(headers: &mut HeaderMap, exchange: &Exchange) {
    let [trace_id, request_id] = exchange.response_ids();
    set(headers, X_TRACE_ID, trace_id);
    set(headers, X_REQUEST_ID, request_id);
}

#[inline]
fn set(headers: &mut HeaderMap, name: HeaderName, value: Bytes) {
    if let Entry::Vacant(entry) = headers.entry(name)
        && let Ok(value) = HeaderValue::from_maybe_shared(value)
    {
        entry.insert(value);
    }
}
