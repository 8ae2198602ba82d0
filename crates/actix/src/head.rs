//! actix-web's types as the plain values that core takes.

use actix_web::HttpRequest;
use actix_web::http::Version;
use hoplog::RequestHead;

use crate::Connection;

/// The route is not known before routing.
#[inline(always)] // at its one place
pub(crate) fn of(request: &HttpRequest) -> RequestHead<'_> {
    let (uri, peer) = (request.uri(), request.peer_addr());
    RequestHead {
        method: request.method().as_str(),
        path: uri.path(),
        query: uri.query(),
        route: None,
        scheme: Some(if request.app_config().secure() { "https" } else { "http" }),
        host: uri.host(),
        http_version: match request.version() {
            Version::HTTP_09 => "0.9",
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            Version::HTTP_3 => "3",
            _ => "1.1",
        },
        peer: peer.map(|peer| peer.ip()),
        peer_port: peer.map(|peer| peer.port()),
        tls_version: request.conn_data::<Connection>().map(|connection| connection.tls_version),
    }
}
