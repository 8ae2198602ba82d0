//! Which path goes where.

use super::{Answer, App, cors, guard, ops, page, problem};
use crate::{ingest, openapi, query};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::get;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, StatusCode};
use std::sync::Arc;

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(ingest::routes::routes())
        .merge(query::routes())
        .route(
            "/api/v1/logs",
            get(query::logs::list).post(ingest::routes::one).delete(query::deletion::delete),
        )
        .route("/", get(page::index))
        .route("/assets/{file}", get(page::file))
        .route("/reference", get(page::reference))
        .route("/openapi.json", get(openapi::serve))
        .route("/health", get(ops::alive))
        .route("/healthz", get(ops::alive))
        .route("/livez", get(ops::alive))
        .route("/readyz", get(ops::ready))
        .route("/metrics", get(ops::metrics))
        .fallback(|| async {
            problem(StatusCode::NOT_FOUND, "there is nothing at this path: /openapi.json lists what there is")
        })
        .method_not_allowed_fallback(|| async {
            problem(StatusCode::METHOD_NOT_ALLOWED, "this path takes another method")
        })
        .layer(from_fn_with_state(Arc::clone(&app), guard::check))
        // Around the guard: a browser asks whether it may send without showing a key.
        .layer(from_fn_with_state(Arc::clone(&app), cors::allow))
        .layer(from_fn_with_state(Arc::clone(&app), finish))
        .with_state(app)
}

/// Counts the answer and adds what every answer bears.
async fn finish(State(app): State<Arc<App>>, request: Request<Body>, next: Next) -> Answer {
    let mut answer = next.run(request).await;
    app.metrics.request(answer.status().as_u16());
    let headers = answer.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}
