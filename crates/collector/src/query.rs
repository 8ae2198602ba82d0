//! Questions over HTTP: parameters become a typed search, the store answers.

use crate::http::App;
use axum::Router;
use axum::routing::get;
use std::sync::Arc;

mod completeness;
mod figures;
pub(crate) mod logs;
mod params;
mod tail;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/stats", get(figures::stats))
        .route("/api/v1/completeness", get(completeness::completeness))
        .route("/api/v1/services", get(figures::services))
        .route("/api/v1/routes", get(figures::routes))
        .route("/api/v1/tail", get(tail::tail))
        .route("/api/v1/logs/{id}", get(logs::one))
        .route("/api/v1/traces/{trace_id}", get(logs::trace))
}
