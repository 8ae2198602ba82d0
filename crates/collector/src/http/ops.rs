//! Routes for those who run the collector: alive, ready, counts.

use super::access::{Access, Scope};
use super::{Answer, App, Problem, json, with_type};
use crate::store::projects::Project;
use axum::Extension;
use axum::extract::State;
use hyper::StatusCode;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// What `GET /` tells a program.
pub(crate) async fn service() -> Answer {
    let version = env!("CARGO_PKG_VERSION");
    json(StatusCode::OK, &serde_json::json!({ "status": "ok", "service": "hoplog", "version": version }))
}

/// Alive; says nothing about the store.
pub(crate) async fn alive() -> Answer {
    json(StatusCode::OK, &serde_json::json!({ "status": "ok" }))
}

/// Whether entries are taken right now.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<Answer, Problem> {
    if app.draining.load(Relaxed) {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "shutting down"));
    }
    app.floor.check()?;
    app.projects.ready().await?;
    if let Some(failing) = app.guard.ring.failing() {
        return Err(failing.into());
    }
    let mut warnings = Vec::new();
    if app.insecure {
        warnings.push("plain HTTP is taken from anywhere (--insecure-listen)".to_owned());
    }
    warnings.extend(app.tls.as_ref().and_then(|tls| tls.failing()));
    Ok(json(StatusCode::OK, &serde_json::json!({ "status": "ok", "warnings": warnings })))
}

/// Counts over all projects: for whoever runs the collector.
pub(crate) async fn metrics(
    State(app): State<Arc<App>>,
    access: Option<Extension<Access>>,
) -> Result<Answer, Problem> {
    let may = |Extension(access): Extension<Access>| {
        access.scopes.has(Scope::Admin)
            || access.scopes.has(Scope::Query) && access.project == Project::DEFAULT
    };
    if !access.is_some_and(may) {
        let detail = "this key may not see the counts of all projects: use one with the scope admin, or query on the \
                      default project";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let own = app.metrics.render();
    // It looks at files.
    let stores = tokio::task::spawn_blocking(move || app.projects.metrics()).await;
    let body = own + &stores.unwrap_or_default();
    Ok(with_type(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", body))
}
