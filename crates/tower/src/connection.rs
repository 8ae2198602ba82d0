//! What a server tells of a connection.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Extensions;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) tls_version: Option<&'static str>,
}

/// Whether one was ever made: few servers do, and the others need not look for it. Who gets one was told of it in the
/// same way, so no order is asked for.
static ANY: AtomicBool = AtomicBool::new(false);

impl Default for Connection {
    fn default() -> Self {
        ANY.store(true, Ordering::Relaxed);
        Self { peer: None, tls_version: None }
    }
}

impl Connection {
    /// That of a request, where a server put one there.
    #[inline]
    pub(crate) fn of(extensions: &Extensions) -> Option<&Self> {
        if ANY.load(Ordering::Relaxed) { extensions.get() } else { None }
    }

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
