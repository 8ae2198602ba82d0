//! Browsers on pages of named origins may send entries (the Fetch standard's CORS protocol). None may by default, none
//! may ask questions, and cookies or other credentials of the browser's are no part of it.

use super::{Answer, App};
use crate::error::StartError;
use crate::ingest;
use axum::body::Body;
use axum::extract::State;
use axum::http::Uri;
use axum::middleware::Next;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};
use hyper::{Method, Request, Response, StatusCode};
use std::sync::Arc;

/// What senders use.
const HEADERS: &str = "authorization, content-encoding, content-type, x-api-key, x-api-secret, x-sdk-hash, x-sdk-type, x-sdk-version";
/// How long a browser need not ask again, in seconds: shorter than anybody waits for a change to act.
const MAX_AGE: &str = "600";

/// The origins whose pages may send.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins(Vec<HeaderValue>);

/// The page behind a request may send, in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed;

impl Origins {
    /// Takes each as a browser writes it: `https://shop.example`, with a port where it is not the usual one.
    pub(crate) fn new(origins: &[String]) -> Result<Self, StartError> {
        origins.iter().map(|origin| exact(origin)).collect::<Result<_, _>>().map(Self)
    }

    /// The origin of a request, if it is one of them: of ours the text, never the request's own.
    fn of(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut said = headers.get_all(ORIGIN).iter();
        let (origin, None) = (said.next()?, said.next()) else { return None };
        self.0.iter().find(|allowed| *allowed == origin).cloned()
    }
}

fn exact(origin: &str) -> Result<HeaderValue, StartError> {
    let wrong = || {
        StartError::new(format!(
            "`{origin}` is not an origin: pass --allow-origin as a browser writes it, such as https://shop.example or http://localhost:3000"
        ))
    };
    let uri: Uri = origin.parse().map_err(|_| wrong())?;
    let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong());
    };
    let usual = if scheme == "https" { 443 } else { 80 };
    let port = authority.port_u16().filter(|port| *port != usual);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let written = format!("{scheme}://{}{port}", authority.host());
    if written != origin || origin != origin.to_ascii_lowercase() || origin.contains('*') {
        return Err(wrong());
    }
    HeaderValue::try_from(written).map_err(|_| wrong())
}

/// Answers a browser that asks whether it may send, and lets it read what its page is answered.
pub(crate) async fn allow(State(app): State<Arc<App>>, mut request: Request<Body>, next: Next) -> Answer {
    if app.origins.0.is_empty() || !ingest::routes::PATHS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let origin = app.origins.of(request.headers());
    let asks = request.headers().get(ACCESS_CONTROL_REQUEST_METHOD);
    let mut answer = match (&origin, request.method()) {
        (Some(_), &Method::OPTIONS) if asks.is_some_and(|method| method == "POST") => preflight(),
        (Some(_), &Method::POST) => {
            request.extensions_mut().insert(Allowed);
            next.run(request).await
        }
        _ => return with_vary(next.run(request).await),
    };
    if let Some(origin) = origin {
        answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        answer.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
    with_vary(answer)
}

fn preflight() -> Answer {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// Caches must not hand one origin's answer to another.
fn with_vary(mut answer: Answer) -> Answer {
    answer.headers_mut().append(VARY, HeaderValue::from_static("origin"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_taken_as_browsers_write_them_and_in_no_other_form() {
        for (origin, right) in [
            ("https://shop.example", true),
            ("http://localhost:3000", true),
            ("https://[::1]:8443", true),
            ("http://10.0.0.1", true),
            ("*", false),
            ("https://*.example", false),
            ("null", false),
            ("", false),
            ("shop.example", false),
            ("https://shop.example/", false),
            ("https://shop.example:443", false),
            ("https://Shop.example", false),
            ("https://a@shop.example", false),
            ("https://shop.example/a", false),
            ("ftp://shop.example", false),
            ("https://shop.example https://b.example", false),
        ] {
            assert_eq!(Origins::new(&[origin.to_owned()]).is_ok(), right, "{origin}");
        }
    }

    #[test]
    fn only_the_whole_origin_counts() {
        let origins = Origins::new(&["https://shop.example".to_owned()]).unwrap();
        for (said, found) in [
            (&["https://shop.example"][..], true),
            (&["https://shop.example.evil"], false),
            (&["https://shop.example:8443"], false),
            (&["http://shop.example"], false),
            (&["HTTPS://shop.example"], false),
            (&["null"], false),
            (&[], false),
            (&["https://shop.example", "https://shop.example"], false),
        ] {
            let mut headers = HeaderMap::new();
            for origin in said {
                headers.append(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(origins.of(&headers).is_some(), found, "{said:?}");
        }
    }
}
