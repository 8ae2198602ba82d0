//! By which names a collector may be called, and which pages may make a browser call it. For what is open without a
//! key: a key is a thing that a foreign page does not have.

use axum::http::uri::Authority;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use hyper::{Method, Uri};
use std::net::IpAddr;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The names beside those of loopback.
#[derive(Debug, Default)]
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    pub(super) fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect())
    }

    /// Whether a request calls the collector by a name that is its own. A web page could reach it by one that it made
    /// resolve to the collector's address (DNS rebinding): that name gives it away. `to` is the address that was
    /// connected to, which no such name is.
    pub(super) fn are_right(&self, headers: &HeaderMap, to: Option<IpAddr>) -> bool {
        let Some(host) = headers.get(HOST) else { return true }; // no browser leaves it out
        let Ok(host) = host.to_str() else { return false };
        let name = match host.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let address =
            |ip: IpAddr| ip.is_loopback() || to.is_some_and(|to| to.to_canonical() == ip.to_canonical());
        name == "localhost"
            || name.ends_with(".localhost") // RFC 6761 §6.3: loopback by definition
            || name.parse().is_ok_and(address)
            || self.0.contains(&name)
    }
}

/// Whether a request that changes something comes from a page of the collector's own, or from no page at all.
pub(super) fn same_site(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return true;
    }
    if let Some(site) = headers.get(FETCH_SITE) {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(ORIGIN) else { return true }; // no browser leaves it out
    let of = |value: &HeaderValue| value.to_str().ok().map(str::to_ascii_lowercase);
    let host = headers.get(HOST).and_then(of).and_then(|host| host.parse::<Authority>().ok());
    let origin = of(origin).and_then(|origin| origin.parse::<Uri>().ok());
    host.is_some() && origin.and_then(|origin| origin.authority().cloned()) == host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_names_that_no_foreign_page_can_take_are_right() {
        let to = Some("10.0.0.1".parse().unwrap());
        let hosts = Hosts::new(&["logs.example.".to_owned()]);
        for (host, at_loopback, at_ten) in [
            ("localhost", true, true),
            ("LOCALHOST:8000", true, true),
            ("shop.localhost:1", true, true),
            ("127.0.0.1:8000", true, true),
            ("127.9.9.9", true, true),
            ("[::1]:8000", true, true),
            ("10.0.0.1", false, true),
            ("[::ffff:10.0.0.1]:8000", false, true),
            ("Logs.Example:8000", true, true),
            ("evil.example", false, false),
            ("localhost.evil.example", false, false),
            ("10.0.0.2", false, false),
            ("[::2]", false, false),
            ("", false, false),
        ] {
            let headers = headers(&[("host", host)]);
            let loopback = Some("127.0.0.1".parse().unwrap());
            assert_eq!(hosts.are_right(&headers, loopback), at_loopback, "{host}");
            assert_eq!(hosts.are_right(&headers, to), at_ten, "{host}");
        }
        assert!(hosts.are_right(&HeaderMap::new(), None));
    }

    #[test]
    fn only_the_collectors_own_page_changes_something() {
        let post = |pairs: &[(&'static str, &str)]| same_site(&Method::POST, &headers(pairs));
        for site in ["cross-site", "same-site", "x"] {
            assert!(!post(&[("sec-fetch-site", site), ("host", "a"), ("origin", "http://a")]), "{site}");
            assert!(same_site(&Method::GET, &headers(&[("sec-fetch-site", site)])));
        }
        assert!(post(&[("sec-fetch-site", "same-origin")]) && post(&[("sec-fetch-site", "none")]));
        for (host, origin, right) in [
            ("localhost:8000", "http://localhost:8000", true),
            ("Localhost:8000", "https://localhost:8000", true),
            ("localhost:8000", "http://localhost:8001", false),
            ("localhost:8000", "http://evil.example", false),
            ("localhost:8000", "null", false),
            ("localhost", "http://x@localhost", false),
        ] {
            assert_eq!(post(&[("host", host), ("origin", origin)]), right, "{host} {origin}");
        }
        assert!(post(&[]), "no browser");
        assert!(!post(&[("origin", "http://localhost")]), "no name to compare with");
    }
}
