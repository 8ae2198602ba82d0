//! Routes for those who run the collector: alive, ready, counts.

use super::{Answer, App, Problem, json, with_type};
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
    Ok(alive().await)
}

pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Answer {
    with_type(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        app.metrics.render() + &app.projects.metrics(),
    )
}
