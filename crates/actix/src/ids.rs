//! `x-trace-id` and `x-request-id` on the response.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;

const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Adds both headers where the application did not set them, as [`hoplog::Exchange::response`] told; `ids` are those of
/// [`hoplog::Exchange::response_ids`].
pub(crate) fn add(headers: &mut HeaderMap, ids: [Bytes; 2], are_set: [bool; 2]) {
    let [trace_id, request_id] = ids;
    set(headers, X_TRACE_ID, trace_id, are_set[0]);
    set(headers, X_REQUEST_ID, request_id, are_set[1]);
}

#[inline]
fn set(headers: &mut HeaderMap, name: HeaderName, value: Bytes, is_set: bool) {
    if !is_set && let Ok(value) = HeaderValue::from_maybe_shared(value) {
        // `insert` would hand out what stood there before, which is much to move.
        headers.append(name, value);
    }
}

/// Likewise, where nobody told.
pub(crate) fn add_missing(headers: &mut HeaderMap, ids: [Bytes; 2]) {
    let are_set = [headers.contains_key(&X_TRACE_ID), headers.contains_key(&X_REQUEST_ID)];
    add(headers, ids, are_set);
}
