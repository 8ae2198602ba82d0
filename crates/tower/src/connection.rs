//! What a server tells of a connection.

use std::net::SocketAddr;

/// What a server knows of the connection that a request came on; put among the request's extensions, outside of the
/// layer, by servers that axum's `ConnectInfo` does not serve. Its peer goes before that of `ConnectInfo`.
///
/// ```
/// use std::net::SocketAddr;
///
/// use hoplog_tower::Connection;
///
/// # let (peer, mut request) = (SocketAddr::from(([203, 0, 113, 7], 4711)), http::Request::new(()));
/// // In the accept loop of a TLS server, for each request of a connection:
/// request.extensions_mut().insert(Connection::new(peer).tls_version("1.3"));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connection {
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) tls_version: Option<&'static str>,
}

impl Connection {
    /// A connection from this address; `None` where it has none, as over a Unix socket.
    #[must_use]
    pub fn new(peer: impl Into<Option<SocketAddr>>) -> Self {
        Self { peer: peer.into(), ..Self::default() }
    }

    /// The TLS that it speaks, `1.2` or `1.3`; then the scheme is `https`. Default: not known.
    #[must_use]
    pub fn tls_version(mut self, version: &'static str) -> Self {
        self.tls_version = Some(version);
        self
    }
}
