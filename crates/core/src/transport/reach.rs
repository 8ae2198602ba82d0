//! The way to servers, the same for all of them.

use std::fmt;
use std::time::Duration;

#[cfg(feature = "tls")]
use super::pool::root;

/// Through what a server is reached, who is believed to be one, and in which time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    pub(crate) proxying: Proxying,
    pub(crate) timing: Timing,
    #[cfg(feature = "tls")]
    pub(crate) trust: Trust,
}

/// Which proxy requests go through; to this machine they go straight.
#[derive(Clone, Default)]
pub(crate) enum Proxying {
    /// What the system's variables say.
    #[default]
    OfSystem,
    Straight,
    By(Box<reqwest::Proxy>),
}

/// Without the proxy, whose URL may hold a password that reqwest would show.
impl fmt::Debug for Proxying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OfSystem => "OfSystem",
            Self::Straight => "Straight",
            Self::By(_) => "By",
        })
    }
}

/// Certificates beside those of the system.
#[cfg(feature = "tls")]
#[derive(Debug, Clone, Default)]
pub(crate) struct Trust {
    /// Authorities.
    pub(crate) roots: Vec<reqwest::Certificate>,
    /// Who we are, where a server asks.
    pub(crate) identity: Option<reqwest::Identity>,
}

#[cfg(feature = "tls")]
impl Trust {
    /// Whether a client can be made of it: the certificates are looked into only then.
    ///
    /// # Errors
    /// One of them is none.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.roots.is_empty() && self.identity.is_none() {
            return Ok(());
        }
        let mut builder = reqwest::Client::builder().tls_certs_only(self.roots.clone());
        if let Some(identity) = self.identity.clone() {
            builder = builder.identity(identity);
        }
        builder.build().map(drop).map_err(|error| root(&error))
    }
}

/// The times of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// For the server's address.
    pub(crate) dns: Duration,
    /// How long its last good addresses serve where its name is not answered for.
    pub(crate) dns_good_for: Duration,
    /// To connect, TLS included.
    pub(crate) connect: Duration,
    /// From the head of an answer to its end.
    pub(crate) answer: Duration,
    /// Below the keep-alive of common servers, so that they do not close under us.
    pub(crate) idle: Duration,
    /// After this a connection is not used again, so that a changed address is seen.
    pub(crate) max_age: Duration,
    /// Between signs of life on a silent connection.
    pub(crate) keep_alive: Duration,
    /// How long the peer's system may leave bytes unacknowledged. Linux.
    #[cfg_attr(
        not(any(target_os = "android", target_os = "linux")),
        expect(dead_code, reason = "no such option")
    )]
    pub(crate) unacknowledged: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            dns: Duration::from_secs(5),
            dns_good_for: Duration::from_secs(300),
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            idle: Duration::from_secs(45),
            max_age: Duration::from_secs(600),
            keep_alive: Duration::from_secs(15),
            unacknowledged: Duration::from_secs(30),
        }
    }
}
