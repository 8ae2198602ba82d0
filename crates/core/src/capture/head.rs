//! What glue crates hand over: a request head as plain borrowed values, of no framework's types.

use std::net::IpAddr;

/// The head of a request, borrowed. Names follow the HTTP semantic conventions of OpenTelemetry.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestHead<'a> {
    /// As it came, `GET`.
    pub method: &'a str,
    /// Without the query.
    pub path: &'a str,
    /// Without the question mark; secrets are masked here, not by the caller.
    pub query: Option<&'a str>,
    /// The route template, where one is known yet; see also [`Exchange::set_route`](super::Exchange::set_route).
    pub route: Option<&'a str>,
    /// `http` or `https`, where the server knows it.
    pub scheme: Option<&'a str>,
    /// The host from the request line (HTTP/2's `:authority`); else the `host` header counts.
    pub host: Option<&'a str>,
    /// `1.0`, `1.1`, `2` or `3`.
    pub http_version: &'a str,
    /// The other end of the connection.
    pub peer: Option<IpAddr>,
    /// The port at the other end of the connection.
    pub peer_port: Option<u16>,
    /// `1.2` or `1.3`, where the server says which TLS the connection speaks.
    pub tls_version: Option<&'a str>,
}
