//! `http`'s types as the plain values that core takes.

use std::net::SocketAddr;

use hoplog::RequestHead;
use http::{HeaderMap, Request, Uri, Version};

pub(crate) fn of<B>(request: &Request<B>) -> RequestHead<'_> {
    let (uri, peer) = (uri(request), peer(request));
    RequestHead {
        method: request.method().as_str(),
        path: uri.path(),
        query: uri.query(),
        route: route(request),
        scheme: uri.scheme_str(),
        host: uri.authority().map(|a| a.host()),
        http_version: match request.version() {
            Version::HTTP_09 => "0.9",
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            Version::HTTP_3 => "3",
            _ => "1.1",
        },
        peer: peer.map(|peer| peer.ip()),
        peer_port: peer.map(|peer| peer.port()),
        tls_version: None,
    }
}

/// Names are lower-case and values of one name stand together, as `HeaderMap` has them.
pub(crate) fn headers(map: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}

/// As axum matched it. (The route of a gRPC call is known to core from the answer.)
fn route<B>(request: &Request<B>) -> Option<&str> {
    #[cfg(feature = "axum")]
    if let Some(path) = request.extensions().get::<axum::extract::MatchedPath>() {
        return Some(path.as_str());
    }
    #[cfg(not(feature = "axum"))]
    let _ = request;
    None
}

/// As it came: axum takes a nested router's prefix off before a layer inside of it sees the request.
fn uri<B>(request: &Request<B>) -> &Uri {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::OriginalUri(uri)) = request.extensions().get() {
        return uri;
    }
    request.uri()
}

/// From axum's `ConnectInfo`, else from a `SocketAddr` that a server put there.
fn peer<B>(request: &Request<B>) -> Option<SocketAddr> {
    let extensions = request.extensions();
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(addr)) = extensions.get::<axum::extract::ConnectInfo<SocketAddr>>()
    {
        return Some(*addr);
    }
    extensions.get::<SocketAddr>().copied()
}
