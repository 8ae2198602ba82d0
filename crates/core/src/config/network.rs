//! How servers are reached: through which proxy, by whose certificates, within which time.

#[cfg(feature = "tls")]
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use super::settings::Secret;
use super::{ClientBuilder, remote};
use crate::transport::{Proxying, Reach, Timing};

/// How the destinations over HTTP are reached, all of them; for [`ClientBuilder::network`].
///
/// | setter | variable | default |
/// |---|---|---|
/// | `proxy`, `without_proxy` | `HOPLOG_PROXY`: a URL, or `off` | that of the system (feature `proxy`): `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` |
/// | `root_certificates` | `HOPLOG_ROOT_CERTIFICATES`: a path | the system's authorities alone |
/// | `client_certificate` | `HOPLOG_CLIENT_CERTIFICATE`: a path | none |
/// | `connect_timeout` | – | 5 s |
/// | `timeout` | – | 30 s |
///
/// A server's certificate is always checked. Files are read at [`ClientBuilder::build`].
///
/// ```
/// let network = hoplog::Network::new().proxy("http://proxy.internal:3128");
/// let client = hoplog::Client::builder().without_variables().network(network).build()?;
/// # client.flush_blocking(std::time::Duration::ZERO)?;
/// # Ok::<(), hoplog::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "it does nothing until it is given to `ClientBuilder::network`"]
pub struct Network {
    /// It may hold credentials.
    proxy: Option<Secret>,
    root_certificates: Option<PathBuf>,
    client_certificate: Option<PathBuf>,
    connect_timeout: Option<Duration>,
    timeout: Option<Duration>,
}

/// The word for no proxy at all.
const OFF: &str = "off";

impl Network {
    /// With every default.
    pub fn new() -> Self {
        Self::default()
    }

    /// The proxy for requests to other machines, `http://user:password@proxy.internal:3128`. What it is asked for over
    /// https is a tunnel: it sees nothing of what travels. Default: the system's.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(Into::<String>::into(url).into());
        self
    }

    /// Uses no proxy, whatever the system says.
    pub fn without_proxy(mut self) -> Self {
        self.proxy = Some(OFF.to_owned().into());
        self
    }

    /// A PEM file of authorities that are believed beside the system's: of a company's own, or of a certificate that signed
    /// itself. Default: none. Feature `tls`.
    pub fn root_certificates(mut self, pem: impl Into<PathBuf>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// A PEM file with a certificate, those of its chain, and its private key: shown to servers that ask who calls. Default:
    /// none. Feature `tls`.
    pub fn client_certificate(mut self, pem: impl Into<PathBuf>) -> Self {
        self.client_certificate = Some(pem.into());
        self
    }

    /// How long a connection may take, TLS included, 1 ms to 10 min; for the server's name 5 s come on top. Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// How long the collector's answer is waited for, 1 ms to 10 min. Other servers have a timeout of their own. Default:
    /// 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Fills what is unset from variables.
    pub(super) fn fill_from(&mut self, variable: impl Fn(&str) -> Option<String>) {
        let said = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        if self.proxy.is_none() {
            self.proxy = said("HOPLOG_PROXY").map(Into::into);
        }
        let path = |slot: &mut Option<PathBuf>, name: &str| {
            if slot.is_none() {
                *slot = said(name).map(Into::into);
            }
        };
        path(&mut self.root_certificates, "HOPLOG_ROOT_CERTIFICATES");
        path(&mut self.client_certificate, "HOPLOG_CLIENT_CERTIFICATE");
    }

    /// Fills what is still unset from what a file says.
    #[cfg(feature = "toml")]
    pub(super) fn lay_under(&mut self, file: Self) {
        self.proxy = self.proxy.take().or(file.proxy);
        self.root_certificates = self.root_certificates.take().or(file.root_certificates);
        self.client_certificate = self.client_certificate.take().or(file.client_certificate);
        self.connect_timeout = self.connect_timeout.or(file.connect_timeout);
        self.timeout = self.timeout.or(file.timeout);
    }

    pub(super) fn answered_within(&self) -> Option<Duration> {
        self.timeout
    }

    /// What the transport needs to know. What is wrong is in the complaints.
    pub(super) fn reach(&self, complaints: &mut Vec<String>) -> Reach {
        let mut timing = Timing::default();
        if self.connect_timeout.is_some() {
            timing.connect = remote::timeout("`Network::connect_timeout`", self.connect_timeout, complaints);
        }
        #[cfg(not(feature = "tls"))]
        if self.root_certificates.is_some() || self.client_certificate.is_some() {
            complaints
                .push("`Network` has certificates, but hoplog was built without its `tls` feature".into());
        }
        Reach {
            proxying: self.proxying(complaints),
            timing,
            #[cfg(feature = "tls")]
            trust: self.trust(complaints),
        }
    }

    fn proxying(&self, complaints: &mut Vec<String>) -> Proxying {
        let Some(text) = self.proxy.as_deref().map(str::trim) else { return Proxying::OfSystem };
        if text == OFF {
            return Proxying::Straight;
        }
        let url = reqwest::Url::parse(text).ok();
        let is_good =
            |url: &reqwest::Url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        match url.filter(is_good).map(reqwest::Proxy::all) {
            Some(Ok(proxy)) => Proxying::By(Box::new(proxy)),
            // The text itself may hold credentials.
            _ => {
                complaints.push(
                    "`Network::proxy` is not a URL of http or https; it looks like `http://proxy.internal:3128`, or is `off`"
                        .into(),
                );
                Proxying::OfSystem
            }
        }
    }

    #[cfg(feature = "tls")]
    fn trust(&self, complaints: &mut Vec<String>) -> crate::transport::Trust {
        let mut read = |whose: &str, path: Option<&Path>| match std::fs::read(path?) {
            Ok(pem) => Some(pem),
            Err(error) => {
                let shown = path?.display();
                complaints.push(format!("`Network::{whose}` {shown} cannot be read: {error}"));
                None
            }
        };
        let roots = read("root_certificates", self.root_certificates.as_deref());
        let identity = read("client_certificate", self.client_certificate.as_deref());
        let roots = roots.map(|pem| reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default());
        if roots.as_ref().is_some_and(Vec::is_empty) {
            complaints.push(
                "`Network::root_certificates` has no certificate in PEM: `-----BEGIN CERTIFICATE-----`"
                    .into(),
            );
        }
        let identity = identity.and_then(|pem| match reqwest::Identity::from_pem(&pem) {
            Ok(identity) => Some(identity),
            Err(_) => {
                complaints.push(
                    "`Network::client_certificate` must have a certificate and its private key, both in PEM"
                        .into(),
                );
                None
            }
        });
        let trust = crate::transport::Trust { roots: roots.unwrap_or_default(), identity };
        if let Err(error) = trust.check() {
            complaints.push(format!(
                "`Network::root_certificates` or `client_certificate` cannot be used: {error}"
            ));
        }
        trust
    }
}

impl ClientBuilder {
    /// How servers are reached: proxy, certificates, timeouts. Default: [`Network::new`].
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(network: &Network) -> Vec<String> {
        let mut complaints = Vec::new();
        network.reach(&mut complaints);
        complaints
    }

    #[test]
    fn a_proxy_is_a_url_or_off_and_its_password_is_nobodys_business() {
        for good in ["http://proxy:3128", " https://user:secret@proxy ", "off"] {
            let network = Network::new().proxy(good);
            assert!(wrong(&network).is_empty(), "{good}");
            assert!(!format!("{network:?} {:?}", network.reach(&mut Vec::new())).contains("secret"));
        }
        for bad in ["proxy", "socks5://user:secret@proxy", "http://", "user:secret@proxy:3128"] {
            let wrong = wrong(&Network::new().proxy(bad));
            assert!(wrong.len() == 1 && !wrong[0].contains("secret"), "{bad}: {wrong:?}");
        }
    }

    #[test]
    fn code_goes_before_a_variable_and_an_empty_one_says_nothing() {
        let mut network = Network::new().without_proxy();
        network.fill_from(|name| Some(if name == "HOPLOG_PROXY" { "http://other" } else { " " }.into()));
        assert_eq!(network, Network::new().without_proxy());
        let mut network = Network::new();
        network.fill_from(|name| (name == "HOPLOG_ROOT_CERTIFICATES").then(|| "/ca.pem".into()));
        assert_eq!(network, Network::new().root_certificates("/ca.pem"));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn what_is_no_certificate_is_complained_about_with_its_setter() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let junk = file("junk", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        for (network, says) in [
            (Network::new().root_certificates(dir.path().join("gone")), "gone cannot be read"),
            (Network::new().root_certificates(file("empty", "")), "no certificate in PEM"),
            (Network::new().root_certificates(&junk), "cannot be used"),
            (Network::new().client_certificate(&junk), "private key"),
        ] {
            let wrong = wrong(&network);
            assert!(wrong.len() == 1 && wrong[0].contains(says), "{says}: {wrong:?}");
        }
    }
}
