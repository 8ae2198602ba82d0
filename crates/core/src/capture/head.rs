//! What glue crates hand over: a request head as plain borrowed values, of no framework's types.

use std::net::IpAddr;

use hoplog_entry::{Field, RecordWriter};

use super::trust::Caller;
use crate::pipeline::Pipeline;
use crate::redact::{REDACTED, Verdict, WrittenIp};

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

/// The host that the client asked for, but for the `host` header.
pub(super) fn host<'a>(head: &RequestHead<'a>, caller: &'a Caller<'_>) -> Option<&'a str> {
    caller.client.as_ref().and_then(|client| client.host.as_deref()).or(head.host)
}

/// The size of a request's body where no header says it. In HTTP/1 there is none then (RFC 9112 §6.3); in HTTP/2 and
/// HTTP/3 it may come without a word, where the method has one at all.
pub(super) fn size_unsaid(head: &RequestHead<'_>) -> Option<u64> {
    let none = matches!(head.method, "GET" | "HEAD") || !matches!(head.http_version, "2" | "3");
    none.then_some(0)
}

pub(super) fn write_head(
    record: &mut RecordWriter,
    pipeline: &Pipeline,
    head: &RequestHead<'_>,
    caller: &Caller<'_>,
) {
    let client = caller.client.as_ref();
    record.text(Field::Method, head.method);
    match pipeline.redactor.is_plain_path(head.path.as_bytes()) {
        true => record.text(Field::Path, head.path),
        false => masked(record, Field::Path, head.path, |raw, out| pipeline.redactor.path(raw, out)),
    }
    if let Some(query) = head.query.filter(|q| !q.is_empty()) {
        match pipeline.redactor.is_plain_query(query.as_bytes()) {
            true => record.text(Field::Query, query),
            false => masked(record, Field::Query, query, |raw, out| pipeline.redactor.query(raw, out)),
        }
    }
    if let Some(route) = head.route {
        record.text(Field::Route, route);
    }
    if let Some(scheme) = client.and_then(|client| client.scheme).or(head.scheme) {
        record.text(Field::Scheme, scheme);
    }
    if let Some(host) = host(head, caller) {
        record.text(Field::HostHeader, host);
    }
    record.text(Field::HttpVersion, head.http_version);
    let ip = match client {
        Some(client) => client.ip,
        None => head.peer.map(|peer| peer.to_canonical()),
    };
    match ip.map(|ip| pipeline.redactor.ip(ip)) {
        Some(WrittenIp::Address(ip)) => record.ip(Field::Ip, ip),
        Some(WrittenIp::Hash(hash)) => record.text(Field::IpHash, &hash),
        Some(WrittenIp::Nothing) | None => {}
    }
    if let Some(peer) = head.peer.and_then(|peer| pipeline.redactor.peer(peer.to_canonical())) {
        record.ip(Field::Peer, peer);
    }
    let port = match client {
        Some(client) if client.forwarded => client.port,
        _ => head.peer_port,
    };
    if let Some(port) = port {
        record.uint(Field::ClientPort, port.into());
    }
    if let Some(version) = head.tls_version {
        record.text(Field::TlsVersion, version);
    }
}

/// Writes what masking leaves of a text; allocates only where something is masked.
#[cold]
fn masked(
    record: &mut RecordWriter,
    field: Field,
    raw: &str,
    mask: impl FnOnce(&[u8], &mut Vec<u8>) -> Verdict,
) {
    let mut out = Vec::new();
    match mask(raw.as_bytes(), &mut out) {
        Verdict::Unchanged => record.text(field, raw),
        Verdict::Masked => record.text(field, std::str::from_utf8(&out).unwrap_or(REDACTED)),
        Verdict::Dropped => {}
    }
}
