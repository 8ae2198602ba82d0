//! reqwest's types as the plain values that core takes.

use hoplog::RequestHead;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Version};
use http_body::Body as _;
use reqwest::Request;

pub(crate) fn of(request: &Request) -> RequestHead<'_> {
    let url = request.url();
    RequestHead {
        method: request.method().as_str(),
        path: url.path(),
        query: url.query(),
        route: None,
        scheme: Some(url.scheme()),
        // What stands before the host is a user and a password.
        host: url.authority().rsplit('@').next().filter(|host| !host.is_empty()),
        http_version: match request.version() {
            Version::HTTP_09 => "0.9",
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            Version::HTTP_3 => "3",
            _ => "1.1",
        },
        ..RequestHead::default()
    }
}

/// The request body's length, unless only its end will tell.
pub(crate) fn request_size(request: &Request) -> Option<u64> {
    request.body().map_or(Some(0), |body| body.size_hint().exact())
}

/// The request's headers as they will travel: a body of unknown length is sent in chunks, which tells the exchange not
/// to take it for an empty one.
pub(crate) fn request_headers(request: &Request) -> impl Iterator<Item = (&str, &[u8])> {
    let map = request.headers();
    let is_chunked = request_size(request).is_none()
        && !map.contains_key(CONTENT_LENGTH)
        && !map.contains_key(TRANSFER_ENCODING);
    headers(map).chain(is_chunked.then_some((TRANSFER_ENCODING.as_str(), b"chunked".as_slice())))
}

/// Names are lower-case and values of one name stand together, as `HeaderMap` has them.
pub(crate) fn headers(map: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}
