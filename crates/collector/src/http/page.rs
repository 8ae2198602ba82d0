//! The page for browsers: embedded files, nothing from elsewhere.

use super::{Answer, Problem, ops};
use axum::extract::Path;
use axum::response::IntoResponse as _;
use hoplog_dashboard::{Asset, CONTENT_SECURITY_POLICY, asset};
use hyper::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY as CSP, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_NONE_MATCH, VARY,
};
use hyper::{Response, StatusCode};

/// `GET /`: the page for those who ask for HTML, a word for programs.
pub(crate) async fn index(headers: HeaderMap) -> Answer {
    let accept = headers.get_all(ACCEPT).iter().filter_map(|v| v.to_str().ok());
    let wants_html = accept.flat_map(|v| v.split(',')).any(|part| part.trim().starts_with("text/html"));
    let mut answer = match asset("index.html").filter(|_| wants_html) {
        Some(page) => send(page, &headers),
        None => ops::service().await,
    };
    answer.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    answer
}

/// `GET /reference`: the interface, for people.
pub(crate) async fn reference(headers: HeaderMap) -> Answer {
    file(Path("reference.html".to_owned()), headers).await
}

/// `GET /assets/{file}`
pub(crate) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Answer {
    match asset(&name) {
        Some(asset) => send(asset, &headers),
        None => Problem::not_found("there is no such file").into_response(),
    }
}

fn send(asset: Asset, headers: &HeaderMap) -> Answer {
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    // A weak comparison (RFC 9110 §13.1.2).
    let mut known = known.flat_map(|v| v.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    let mut answer = if known.any(|tag| tag == "*" || tag == asset.etag) {
        let mut answer = Response::default();
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        answer
    } else {
        asset.bytes.into_response()
    };
    let head = answer.headers_mut();
    head.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    head.insert(CSP, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    // The names bear no version: a browser asks whether its copy still holds.
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::try_from(asset.etag) {
        head.insert(ETAG, tag);
    }
    answer
}
