//! `x-trace-id` and `x-request-id` on the response.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;

const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Adds both headers where the application did not set them; `ids` as [`hoplog::Exchange::response_ids`] gives them.
pub(crate) fn insert(headers: &mut HeaderMap, ids: [Bytes; 2]) {
    let [trace_id, request_id] = ids;
    set(headers, X_TRACE_ID, trace_id);
    set(headers, X_REQUEST_ID, request_id);
}

/// Appended where it is missing: `insert` would hand out what stood there before, which is much to move.
#[inline]
fn set(headers: &mut HeaderMap, name: HeaderName, value: Bytes) {
    if !headers.contains_key(&name)
        && let Ok(value) = HeaderValue::from_maybe_shared(value)
    {
        headers.append(name, value);
    }
}
