//! From the connection's other end to the client, proxy by proxy.

use std::borrow::Cow;
use std::net::IpAddr;

use super::element::{self, Element};
use super::list::Lines;
use super::{MAX_HOPS, Proxies, node};

/// Which headers the proxies write. One kind alone is read, for a proxy passes on the others as its client sent them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedBy {
    /// `X-Forwarded-For`, where each proxy adds the address of who connected to it. Scheme and host are the last value
    /// of `X-Forwarded-Proto` and `-Host`: those lists need not be as long as that of the addresses, so that no other
    /// value is sure to come from a proxy.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239). Scheme and host are those of the proxy nearest to the client that says them.
    Forwarded,
    /// A header that holds the client's address alone, as `X-Real-IP` or `CF-Connecting-IP`; its name in lower case.
    /// It says nothing of scheme and host.
    Header(String),
}

/// Who sent a request, as far as it can be believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client<'h> {
    /// The client's address; `None` where the connection has none and no proxy told one. IPv4 in its own form.
    pub ip: Option<IpAddr>,
    /// The client's port, where a proxy told it.
    pub port: Option<u16>,
    /// `http` or `https`, where a proxy told it.
    pub scheme: Option<&'static str>,
    /// The host that the client asked for, where a proxy told it.
    pub host: Option<Cow<'h, str>>,
    /// Whether the address comes from a proxy, not from the connection.
    pub forwarded: bool,
}

impl ForwardedBy {
    /// Walks from the peer to the client. A proxy's word counts only if it is among `proxies`; an address that is
    /// hidden or cannot be read ends the walk at the one before, and so do [`MAX_HOPS`]. Names of headers are in lower
    /// case; the lines of one name come in their order.
    #[must_use]
    pub fn client<'h>(
        &self,
        peer: Option<IpAddr>,
        proxies: &Proxies,
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    ) -> Client<'h> {
        let client = Client { ip: peer.map(|ip| ip.to_canonical()), ..Client::default() };
        if !proxies.trust(peer) {
            return client;
        }
        match self {
            Self::Forwarded => {
                let lines = lines(headers, "forwarded");
                walk(client, proxies, lines.members().map_while(Element::parse))
            }
            Self::XForwarded => x_forwarded(client, proxies, headers),
            Self::Header(name) => {
                let only = lines(headers, name).only();
                let told = only.and_then(|text| node::parse(text.trim_ascii()));
                walk(
                    client,
                    &Proxies::default(),
                    told.map(|node| Element { node: Some(node), ..Element::default() }),
                )
            }
        }
    }
}

fn x_forwarded<'h>(
    client: Client<'h>,
    proxies: &Proxies,
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
) -> Client<'h> {
    let (mut addresses, mut proto, mut host) = (Lines::default(), None, None);
    for (name, value) in headers {
        match name {
            "x-forwarded-for" => addresses.push(value),
            "x-forwarded-proto" => proto = last_member(value),
            "x-forwarded-host" => host = last_member(value),
            _ => {}
        }
    }
    let hops = addresses.members().map(|text| Element { node: node::parse(text), ..Element::default() });
    Client {
        scheme: proto.and_then(element::scheme),
        host: host.and_then(|host| element::host(Cow::Borrowed(host))),
        ..walk(client, proxies, hops)
    }
}

fn walk<'h>(
    mut client: Client<'h>,
    proxies: &Proxies,
    hops: impl IntoIterator<Item = Element<'h>>,
) -> Client<'h> {
    for hop in hops.into_iter().take(MAX_HOPS) {
        client.scheme = hop.scheme.or(client.scheme);
        client.host = hop.host.or(client.host);
        let Some(node) = hop.node else { break };
        (client.ip, client.port, client.forwarded) = (Some(node.ip), node.port, true);
        if !proxies.contain(node.ip) {
            break;
        }
    }
    client
}

fn lines<'h>(headers: impl IntoIterator<Item = (&'h str, &'h [u8])>, wanted: &str) -> Lines<'h> {
    let mut lines = Lines::default();
    headers.into_iter().filter(|(name, _)| *name == wanted).for_each(|(_, line)| lines.push(line));
    lines
}

fn last_member(line: &[u8]) -> Option<&[u8]> {
    line.rsplit(|&b| b == b',').next().map(<[u8]>::trim_ascii)
}
