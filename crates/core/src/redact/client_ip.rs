//! Addresses of clients: how much of them is kept.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::keyed::HashKey;
use super::rewrite::Rewrite;
use super::treatment::{ClientIp, Fate, Treatment};
use super::{REDACTED, Redactor, Verdict};

/// What is written of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WrittenIp {
    /// The address, or its network.
    Address(IpAddr),
    /// Its keyed hash.
    Hash(String),
    /// Nothing.
    Nothing,
}

impl ClientIp {
    pub(super) fn apply(self, key: &HashKey, ip: IpAddr) -> WrittenIp {
        match self {
            Self::Full => WrittenIp::Address(ip),
            Self::Truncate => WrittenIp::Address(network(ip)),
            Self::Hash => WrittenIp::Hash(hash(key, ip)),
            Self::Drop => WrittenIp::Nothing,
        }
    }
}

/// The first 24 bits of IPv4, also where it stands in IPv6 (in 6to4, RFC 3056, behind the first 16); 48 of IPv6.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & !0xff).into(),
        IpAddr::V6(v6) => {
            let bits = if v6.segments()[0] == 0x2002 { 16 + 24 } else { 48 };
            Ipv6Addr::from_bits(v6.to_bits() & (!0 << (128 - bits))).into()
        }
    }
}

/// One address has one hash, however it is written.
fn hash(key: &HashKey, ip: IpAddr) -> String {
    let mut out = Vec::new();
    key.write(ip.to_canonical().to_string().as_bytes(), &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Masks the addresses in a forwarding header: a list of them, or the pairs of `forwarded` (RFC 7239 §4). What is
/// neither an address nor known not to be one goes whole.
pub(super) fn mask_list(rules: &Redactor, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
    if rules.client_ip == ClientIp::Drop {
        return Verdict::Dropped;
    }
    let mut rewrite = Rewrite::new(raw, out);
    let mut start = 0;
    for element in raw.split(|b| matches!(b, b',' | b';')) {
        let (from, to) = node(element);
        let text = std::str::from_utf8(&element[from..to]).unwrap_or(REDACTED);
        match address(text) {
            Some(ip) => rewrite.replace(start + from, start + to, |_, out| {
                let written = match rules.client_ip.apply(&rules.key, ip) {
                    WrittenIp::Address(ip) => ip.to_string(),
                    WrittenIp::Hash(hash) => hash,
                    WrittenIp::Nothing => String::new(),
                };
                out.extend_from_slice(written.as_bytes());
            }),
            None if is_no_address(&element[..from], text) => {}
            None => rewrite.treat(&rules.key, Fate::Treat(Treatment::Mask), start + from, start + to),
        }
        start += element.len() + 1;
    }
    rewrite.finish()
}

/// Whether a header of any name holds addresses and nothing else.
pub(super) fn is_list(raw: &[u8]) -> bool {
    let is_address = |text: &str| address(text.trim_matches([' ', '\t', '"'])).is_some();
    std::str::from_utf8(raw).is_ok_and(|text| text.split(',').all(is_address))
}

/// Where in an element the address stands: without blanks, the name of a pair, quotes.
fn node(element: &[u8]) -> (usize, usize) {
    let from = element.iter().position(|&b| b == b'=').map_or(0, |at| at + 1);
    let of_node = |b: &u8| !b" \t\"".contains(b);
    let first = element[from..].iter().position(of_node).map_or(element.len(), |n| from + n);
    let end = element.iter().rposition(of_node).map_or(first, |n| n + 1);
    (first, end.max(first))
}

/// An address, also with a port or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let plain = bracketed.unwrap_or(text).split('%').next().unwrap_or_default();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let port_is_hidden = || text.split_once(":_").and_then(|(ip, _)| ip.parse().ok());
    plain.parse().ok().or_else(with_port).or_else(port_is_hidden)
}

/// `unknown` and hidden names (RFC 7239 §6.2, §6.3), and the pairs that tell of something else.
fn is_no_address(before: &[u8], text: &str) -> bool {
    let name = before.split(|&b| b == b'=').next().unwrap_or_default().trim_ascii();
    let other =
        before.contains(&b'=') && (name.eq_ignore_ascii_case(b"proto") || name.eq_ignore_ascii_case(b"host"));
    other || text.is_empty() || text.starts_with('_') || text.eq_ignore_ascii_case("unknown")
}
