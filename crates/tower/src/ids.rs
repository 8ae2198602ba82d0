//! `x-trace-id` and `x-request-id` on the response.

use bytes::Bytes;
use hoplog::Exchange;
use http::{HeaderMap, HeaderName, HeaderValue};

const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Adds both headers where the service did not set them, as [`Exchange::response`] told.
pub(crate) fn add(headers: &mut HeaderMap, exchange: &Exchange, are_set: [bool; 2]) {
    let [trace_id, request_id] = exchange.response_ids();
    set(headers, X_TRACE_ID, trace_id, are_set[0]);
    set(headers, X_REQUEST_ID, request_id, are_set[1]);
}

#[inline(always)] // at its two places
fn set(headers: &mut HeaderMap, name: HeaderName, value: Bytes, is_set: bool) {
    if !is_set && let Ok(value) = HeaderValue::from_maybe_shared(value) {
        headers.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use http_body_util::Empty;
    use tower::{Layer as _, Service as _, service_fn};

    use super::*;
    use crate::RequestLogLayer;

    #[tokio::test]
    async fn ids_that_the_service_set_itself_are_left_alone() {
        for own in [None, Some(X_TRACE_ID), Some(X_REQUEST_ID)] {
            let capture = hoplog::testing::capture();
            let name = own.clone();
            let answers = service_fn(move |_: Request<()>| {
                let mut response = Response::new(Empty::<Bytes>::new());
                let own = name.clone().map(|name| (name, HeaderValue::from_static("its own")));
                response.headers_mut().extend(own);
                async { Ok::<_, Infallible>(response) }
            });
            let mut service = RequestLogLayer::new(capture.client()).layer(answers);
            let response = service.call(Request::new(())).await.unwrap();
            for name in [X_TRACE_ID, X_REQUEST_ID] {
                let values: Vec<_> = response.headers().get_all(&name).iter().collect();
                assert_eq!(values.len(), 1, "{name}, {own:?} set");
                assert_eq!(values[0] == "its own", own.as_ref() == Some(&name), "{name}, {own:?} set");
            }
        }
    }
}
