//! `x-trace-id` and `x-request-id` on the response.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use hoplog::Exchange;

const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Both headers of one request.
#[derive(Clone)]
pub(crate) struct Ids([Option<HeaderValue>; 2]);

pub(crate) fn of(exchange: &Exchange) -> Ids {
    Ids(exchange.response_ids().map(|id| HeaderValue::from_maybe_shared(id).ok()))
}

impl Ids {
    /// Adds those that the application did not set.
    pub(crate) fn insert(self, headers: &mut HeaderMap) {
        let Self([trace_id, request_id]) = self;
        set(headers, X_TRACE_ID, trace_id);
        set(headers, X_REQUEST_ID, request_id);
    }
}

/// Appended where it is missing: `insert` would hand out what stood there before, which is much to move.
fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value.filter(|_| !headers.contains_key(&name)) {
        headers.append(name, value);
    }
}
