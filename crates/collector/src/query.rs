//! Questions over HTTP: parameters become a typed search, the store answers.

use crate::http::App;
use axum::Router;
use axum::routing::get;
use std::sync::Arc;

mod completeness;
pub(crate) mod deletion;
mod errors;
mod figures;
mod histogram;
pub(crate) mod logs;
pub(crate) mod offline;
pub(crate) mod parameters;
mod params;
mod tail;
mod traces;
mod tree;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/stats", get(figures::stats))
        .route("/api/v1/completeness", get(completeness::completeness))
        .route("/api/v1/errors", get(errors::errors))
        .route("/api/v1/histogram", get(histogram::histogram))
        .route("/api/v1/services", get(figures::services))
        .route("/api/v1/routes", get(figures::routes))
        .route("/api/v1/tail", get(tail::tail))
        .route("/api/v1/export", get(deletion::export))
        .route("/api/v1/logs/{id}", get(logs::one))
        .route("/api/v1/traces", get(traces::list))
        .route("/api/v1/traces/{trace_id}", get(traces::one))
}
