//! What the destinations over HTTP have in common in their configuration.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};

use crate::transport::{REQUEST_TIMEOUT, is_loopback};

const OURS: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING];

/// Headers as they were given; a value may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Headers(Vec<(String, String)>);

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Headers {
    pub(super) fn push(&mut self, name: String, value: String) {
        self.0.push((name, value));
    }

    #[cfg(feature = "otlp")]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With the type of the body. `whose` is what complaints begin with: `` `LogCollector::header` ``.
    pub(super) fn build(
        &self,
        content_type: &'static str,
        whose: &str,
        complaints: &mut Vec<String>,
    ) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        for (name, value) in &self.0 {
            let Ok(name) = HeaderName::from_bytes(name.trim().as_bytes()) else {
                // It is not shown: of `Authorization: Bearer …` it would be the secret.
                complaints.push(format!("{whose} has a name that no header can have"));
                continue;
            };
            match HeaderValue::from_str(value.trim()) {
                // How a body is framed, its type and its coding are not for others to say.
                Ok(_) if OURS.contains(&name) => {
                    complaints.push(format!("{whose}: `{name}` is set by hoplog"));
                }
                Ok(mut value) => {
                    value.set_sensitive(true);
                    headers.insert(name, value);
                }
                Err(_) => {
                    complaints.push(format!(
                        "{whose}: the value of `{name}` has characters that a header cannot carry"
                    ));
                }
            }
        }
        headers
    }

    /// Whether they would travel in the clear to another machine.
    pub(super) fn exposed_by(&self, url: &Url) -> bool {
        !self.0.is_empty() && url.scheme() == "http" && !is_loopback(url)
    }
}

/// The URL of a server; `whose` is its setter, `example` what it looks like.
pub(super) fn url(whose: &str, text: &str, example: &str, complaints: &mut Vec<String>) -> Option<Url> {
    let mut complain = |what: &str| {
        // The text itself may hold credentials.
        complaints.push(format!("{whose} {what}; it looks like `{example}`"));
        None
    };
    let url = match Url::parse(text.trim()) {
        Ok(url) => url,
        Err(error) => return complain(&format!("is not a URL ({error})")),
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return complain("is neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return complain("has credentials in it, which end up in logs: use a header");
    }
    if url.scheme() == "https" && !cfg!(feature = "tls") {
        return complain("is https, but hoplog was built without its `tls` feature");
    }
    Some(url)
}

/// `url` with `path` behind its own, unless it ends with that.
pub(super) fn with_path(mut url: Url, path: &str) -> Url {
    let own = url.path().trim_end_matches('/');
    let own = own.strip_suffix(path).and_then(|own| own.strip_suffix('/')).unwrap_or(own);
    let whole = format!("{}/{path}", own.trim_end_matches('/'));
    url.set_path(&whole);
    url
}

/// A time limit, checked.
pub(super) fn timeout(whose: &str, timeout: Option<Duration>, complaints: &mut Vec<String>) -> Duration {
    let timeout = timeout.unwrap_or(REQUEST_TIMEOUT);
    if !(Duration::from_millis(1)..=Duration::from_secs(600)).contains(&timeout) {
        complaints.push(format!("{whose} is {timeout:?}; it must be from 1 ms to 10 min"));
    }
    timeout
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_added_once_and_no_other_path_loses_its_end() {
        for (url, expected) in [
            ("http://h", "http://h/logs"),
            ("http://h/", "http://h/logs"),
            ("http://h/logs", "http://h/logs"),
            ("http://h/logs/", "http://h/logs"),
            ("http://h/a/logs", "http://h/a/logs"),
            ("http://h/a//", "http://h/a/logs"),
            ("http://h/app-logs", "http://h/app-logs/logs"),
            ("http://[::1]:8000/applogs/?k=v", "http://[::1]:8000/applogs/logs?k=v"),
        ] {
            assert_eq!(with_path(url.parse().unwrap(), "logs").as_str(), expected, "{url}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_one_is_complained_about_and_not_shown() {
        let mut headers = Headers::default();
        for (name, value) in [
            // `Authorization: Bearer c2VjcmV0==` in a variable that wants `name=value`.
            ("Authorization: Bearer secret", "="),
            ("x-key", "secret\n"),
            ("x-other", "secr\u{1}et"),
            ("content-length", "7"),
            ("Transfer-Encoding", "chunked"),
            ("x-good", "secret"),
        ] {
            headers.push(name.into(), value.into());
        }
        let mut complaints = Vec::new();
        let map = headers.build("text/plain", "`header`", &mut complaints);
        assert_eq!(complaints.len(), 4, "{complaints:?}");
        assert!(!complaints.iter().any(|c| c.to_lowercase().contains("secr")), "{complaints:?}");
        assert_eq!(map.len(), 3, "the type, and two that are good: {map:?}");
        assert!(!format!("{map:?}").contains("secr"));
    }
}
