//! One address as proxies write it down (RFC 7239 §6, and what `X-Forwarded-For` is seen to hold).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who connected to a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    /// IPv4 in its own form.
    pub(super) ip: IpAddr,
    pub(super) port: Option<u16>,
}

/// Reads `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80` and, without a port, `2001:db8::1`. `None`
/// for an address that is not told (`unknown`, `_hidden`) as for anything else.
pub(super) fn parse(text: &[u8]) -> Option<Node> {
    let text = std::str::from_utf8(text).ok()?;
    let (ip, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (ip, rest) = bracketed.split_once(']')?;
        let port = if rest.is_empty() { None } else { port(rest.strip_prefix(':')?)? };
        (IpAddr::V6(ip.parse::<Ipv6Addr>().ok()?), port)
    } else if let Ok(ip) = text.parse() {
        (ip, None)
    } else {
        let (ip, rest) = text.split_once(':')?;
        (IpAddr::V4(ip.parse::<Ipv4Addr>().ok()?), port(rest)?)
    };
    Some(Node { ip: ip.to_canonical(), port })
}

/// `Some(None)` for a port that is not told (`_hidden`), `None` for what is no port.
fn port(text: &str) -> Option<Option<u16>> {
    if let Some(hidden) = text.strip_prefix('_') {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        return (!hidden.is_empty() && hidden.bytes().all(fits)).then_some(None);
    }
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?.map(Some)
}
