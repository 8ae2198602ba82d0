//! `http`'s types as the plain values that core takes.

use std::net::SocketAddr;

use hoplog::RequestHead;
use http::{Request, Uri, Version};

use crate::Connection;

#[inline(always)] // at its one place, in every service
pub(crate) fn of<B>(request: &Request<B>) -> RequestHead<'_> {
    let (uri, connection) = (uri(request), Connection::of(request.extensions()));
    let peer = connection.and_then(|connection| connection.peer).or_else(|| connect_info(request));
    let tls_version = connection.and_then(|connection| connection.tls_version);
    RequestHead {
        method: request.method().as_str(),
        path: uri.path(),
        query: uri.query(),
        route: route(request),
        scheme: uri.scheme_str().or(tls_version.map(|_| "https")),
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
        tls_version,
    }
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

/// Asked where no [`Connection`] says the peer.
fn connect_info<B>(request: &Request<B>) -> Option<SocketAddr> {
    #[cfg(feature = "axum")]
    if let Some(info) = request.extensions().get::<axum::extract::ConnectInfo<SocketAddr>>() {
        return Some(info.0);
    }
    #[cfg(not(feature = "axum"))]
    let _ = request;
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(port: u16) -> SocketAddr {
        SocketAddr::from(([203, 0, 113, 7], port))
    }

    #[test]
    fn a_connection_among_the_extensions_tells_peer_port_and_tls() {
        let mut request = Request::new(());
        let head = of(&request);
        assert_eq!((head.peer, head.peer_port, head.tls_version, head.scheme), (None, None, None, None));
        request.extensions_mut().insert(Connection::new(peer(4711)).tls_version("1.3"));
        let head = of(&request);
        assert_eq!((head.peer, head.peer_port), (Some(peer(0).ip()), Some(4711)));
        assert_eq!((head.tls_version, head.scheme), (Some("1.3"), Some("https")));
    }

    #[cfg(feature = "axum")]
    #[test]
    fn axums_connect_info_tells_the_peer_where_no_connection_does() {
        use axum::extract::ConnectInfo;

        let mut request = Request::new(());
        request.extensions_mut().insert(ConnectInfo(peer(1)));
        assert_eq!(of(&request).peer_port, Some(1));
        request.extensions_mut().insert(Connection::default().tls_version("1.2"));
        assert_eq!((of(&request).peer_port, of(&request).tls_version), (Some(1), Some("1.2")));
        request.extensions_mut().insert(Connection::new(peer(2)));
        assert_eq!(of(&request).peer_port, Some(2));
    }
}
