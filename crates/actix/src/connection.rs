//! What the server tells of a connection.

/// What `HttpServer::on_connect` can tell of a connection that actix-web itself does not pass on.
///
/// ```
/// use actix_web::{App, HttpServer};
/// use hoplog_actix::Connection;
///
/// let server = HttpServer::new(App::new).on_connect(|io, data| {
///     // `io` is the stream of the TLS library in use, which knows its version.
///     # struct TlsStream; impl TlsStream { fn version(&self) -> &'static str { "1.3" } }
///     if let Some(tls) = io.downcast_ref::<TlsStream>() {
///         data.insert(Connection::with_tls(tls.version()));
///     }
/// });
/// # let _ = server;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    pub(crate) tls_version: &'static str,
}

impl Connection {
    /// A connection that speaks this version of TLS: `1.2` or `1.3`.
    #[must_use]
    pub fn with_tls(version: &'static str) -> Self {
        Self { tls_version: version }
    }
}
