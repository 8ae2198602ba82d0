//! A real application: axum under hoplog's middleware.

use std::net::SocketAddr;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use hoplog::Client;
use hoplog_tower::RequestLogLayer;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::plan::{Plan, entry};
use crate::report;

/// Serves until SIGTERM.
pub(crate) async fn run(plan: &Plan) {
    let client = plan.client();
    let promise = if plan.promises_early { post(note) } else { post(promise) };
    let app = Router::new()
        .route("/promise/{order}", promise)
        .route("/note/{order}", post(note))
        .layer(RequestLogLayer::new(client.clone()))
        .route("/stats", get(stats))
        .with_state(client.clone());
    let mut end = signal(SignalKind::terminate()).expect("a handler of SIGTERM");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("its address"));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        served = axum::serve(listener, app) => served.expect("a server"),
        _ = end.recv() => {}
    }
    report::shut_down(&client, plan.deadline()).await;
}

async fn promise(State(client): State<Client>, Path(order): Path<u64>) -> Result<(), (StatusCode, String)> {
    match entry(&client, order).durable().await {
        Ok(_) => Ok(()),
        Err(why) => Err((StatusCode::INTERNAL_SERVER_ERROR, why.to_string())),
    }
}

async fn note(State(client): State<Client>, Path(order): Path<u64>) {
    entry(&client, order).send();
}

async fn stats(State(client): State<Client>) -> Json<Value> {
    Json(report::stats(&client.stats()))
}
