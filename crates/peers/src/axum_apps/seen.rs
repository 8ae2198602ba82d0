//! A middleware as one writes it by hand: what is to be logged is kept while the handler runs.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, Method, Uri, Version};
use axum::middleware::{Next, from_fn};
use axum::response::Response;

/// A request that was answered.
pub(super) struct Seen<'a> {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) version: Version,
    pub(super) route: Option<MatchedPath>,
    pub(super) headers: HeaderMap,
    pub(super) response: &'a Response,
    pub(super) ttfb: Duration,
}

impl Seen<'_> {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn response_header(&self, name: &str) -> &str {
        self.response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn route(&self) -> &str {
        self.route.as_ref().map(MatchedPath::as_str).unwrap_or_default()
    }

    pub(super) fn version(&self) -> &'static str {
        if self.version == Version::HTTP_2 { "2" } else { "1.1" }
    }

    pub(super) fn response_size(&self) -> i64 {
        self.response_header("content-length").parse().unwrap_or(0)
    }
}

/// The router with a middleware that tells of each request once it is answered.
pub(super) fn watched(router: Router, tell: impl Fn(&Seen<'_>) + Clone + Send + Sync + 'static) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| {
        let tell = tell.clone();
        async move {
            let start = Instant::now();
            let (method, uri, version) = (request.method().clone(), request.uri().clone(), request.version());
            let (route, headers) = (request.extensions().get().cloned(), request.headers().clone());
            let response = next.run(request).await;
            let ttfb = start.elapsed();
            tell(&Seen { method, uri, version, route, headers, response: &response, ttfb });
            response
        }
    }))
}
