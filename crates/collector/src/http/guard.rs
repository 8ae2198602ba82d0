//! Who may pass: the key where there is one, and the name by which a keyless collector may be called. Both are
//! looked at before a byte of any body is read.

use super::access::{Access, Scopes};
use super::{Answer, App, problem};
use crate::config::Secret;
use crate::store::projects::Project;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Request, StatusCode};
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// The rules of entry.
#[derive(Debug)]
pub(crate) struct Guard {
    key: Option<Secret>,
}

/// Paths that need no key: they say nothing about entries.
const OPEN: [&str; 4] = ["/", "/health", "/healthz", "/readyz"];

impl Guard {
    pub(crate) fn new(key: Option<Secret>) -> Self {
        Self { key }
    }

    fn key_is_right(&self, headers: &HeaderMap) -> bool {
        let Some(key) = &self.key else { return true };
        let bearer = headers.get(AUTHORIZATION).and_then(|v| {
            let (scheme, token) = v.as_bytes().split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
        });
        let shown = bearer.or_else(|| headers.get("x-api-key").map(HeaderValue::as_bytes));
        shown.is_some_and(|shown| shown.ct_eq(key.0.as_bytes()).into())
    }

    /// Without a key only loopback listens, and a web page could reach it by a name of its own that resolves to
    /// 127.0.0.1 (DNS rebinding). Its name gives it away.
    fn host_is_right(&self, headers: &HeaderMap) -> bool {
        if self.key.is_some() {
            return true;
        }
        let Some(host) = headers.get(HOST) else { return true }; // no browser leaves it out
        let Ok(host) = host.to_str() else { return false };
        let name = match host.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        name == "localhost"
            || name.ends_with(".localhost") // RFC 6761 §6.3: loopback by definition
            || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// Answers in place of the route where a rule is broken.
pub(crate) async fn check(State(app): State<Arc<App>>, mut request: Request<Body>, next: Next) -> Answer {
    let path = request.uri().path();
    if !app.guard.host_is_right(request.headers()) {
        return problem(
            StatusCode::MISDIRECTED_REQUEST,
            "a collector without a key answers to localhost only: call it so, or set HOPLOG_API_KEY",
        );
    }
    let open = OPEN.contains(&path) || path.starts_with("/assets/");
    if app.guard.key_is_right(request.headers()) {
        request.extensions_mut().insert(Access { project: Project::DEFAULT, scopes: Scopes::EVERY });
        return next.run(request).await;
    }
    if open {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    crate::ingest::wire::discard(&head.headers, body).await;
    let why = "a key is needed: send it as Authorization: Bearer <key>";
    let mut answer = problem(StatusCode::UNAUTHORIZED, why);
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyless_collector_answers_to_loopback_names_only() {
        let guard = Guard::new(None);
        for (host, right) in [
            ("localhost", true),
            ("LOCALHOST:8000", true),
            ("shop.localhost:1", true),
            ("127.0.0.1:8000", true),
            ("127.9.9.9", true),
            ("[::1]:8000", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("10.0.0.1", false),
            ("[::2]", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
            assert_eq!(guard.host_is_right(&headers), right, "{host}");
        }
        assert!(guard.host_is_right(&HeaderMap::new()));
        let keyed = Guard::new(Some(Secret("k".into())));
        assert!(keyed.host_is_right(&HeaderMap::from_iter([(HOST, HeaderValue::from_static("a.example"))])));
    }

    #[test]
    fn a_key_passes_in_either_header_and_nothing_else_does() {
        let guard = Guard::new(Some(Secret("hl_key".into())));
        for (name, value, right) in [
            ("authorization", "Bearer hl_key", true),
            ("authorization", "bearer  hl_key ", true),
            ("x-api-key", "hl_key", true),
            ("authorization", "hl_key", false),
            ("authorization", "Bearer hl_keyy", false),
            ("authorization", "Bearer ", false),
            ("authorization", "Basic hl_key", false),
            ("x-api-key", "", false),
            ("cookie", "hl_key", false),
        ] {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))]);
            assert_eq!(guard.key_is_right(&headers), right, "{name}: {value}");
        }
        assert!(!guard.key_is_right(&HeaderMap::new()));
        assert!(Guard::new(None).key_is_right(&HeaderMap::new()));
    }
}
