//! Which addresses are those of proxies that may say who their client is.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Networks whose word is taken. Default: none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    networks: Vec<IpNet>,
    unix: bool,
}

impl Proxies {
    /// Reads networks (`10.0.0.0/8`, `2001:db8::/32`), addresses (`192.0.2.1`), and `unix:`, which stands for every
    /// connection without an address. IPv4 addresses in IPv6 form are the same as in their own.
    ///
    /// # Errors
    /// Each one that is none of these.
    pub fn parse<'t>(list: impl IntoIterator<Item = &'t str>) -> Result<Self, Vec<InvalidProxy>> {
        let (mut proxies, mut invalid) = (Self::default(), Vec::new());
        for text in list {
            match text.trim() {
                "unix:" => proxies.unix = true,
                text => match network(text) {
                    Some(network) => proxies.networks.push(network),
                    None => invalid.push(InvalidProxy(text.into())),
                },
            }
        }
        if invalid.is_empty() { Ok(proxies) } else { Err(invalid) }
    }

    /// Whether nobody is trusted.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.unix
    }

    /// Whether the other end of a connection is a trusted proxy; `None` is a connection without an address.
    #[must_use]
    pub fn trust(&self, peer: Option<IpAddr>) -> bool {
        match peer {
            Some(ip) => self.contain(ip),
            None => self.unix,
        }
    }

    pub(super) fn contain(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.networks.iter().any(|network| network.contains(&ip))
    }
}

fn network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpAddr>() {
        Ok(ip) => IpNet::from(ip),
        Err(_) => text.parse::<IpNet>().ok()?,
    };
    // ::ffff:10.0.0.0/104 is 10.0.0.0/8: addresses are compared in their own form.
    if let IpNet::V6(v6) = network
        && let Some(v4) = v6.addr().to_ipv4_mapped()
        && let Some(bits) = v6.prefix_len().checked_sub(96)
    {
        return Ipv4Net::new(v4, bits).ok().map(IpNet::V4);
    }
    Some(network)
}

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidProxy(String);

impl fmt::Display for InvalidProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no network: write one like `10.0.0.0/8`, an address, or `unix:`",
            self.0.escape_debug()
        )
    }
}

impl std::error::Error for InvalidProxy {}
