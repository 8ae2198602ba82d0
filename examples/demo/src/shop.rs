//! The shop, on axum.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use hoplog_tower::RequestLogLayer;
use reqwest_middleware::ClientWithMiddleware;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::payments::Charge;

/// What the handler that panics says.
pub(crate) const PANIC: &str = "the demo's own panic";

pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Shop {
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

#[derive(Clone)]
struct Shared {
    log: hoplog::Client,
    http: ClientWithMiddleware,
    charges: String,
}

pub(crate) async fn start(log: hoplog::Client, payments: SocketAddr) -> io::Result<Shop> {
    // The line for outgoing calls …
    let http = hoplog_reqwest::client(log.clone(), reqwest::Client::new());
    let shared = Shared { log: log.clone(), http, charges: format!("http://{payments}/charges") };
    let app = Router::new()
        .route("/products", get(products))
        .route("/products/{id}", get(product))
        .route("/orders", post(order))
        .route("/reports/{year}", get(report))
        .route("/exports/orders.csv", get(export))
        .route("/panic", get(panics))
        // … and the line for incoming requests.
        .layer(RequestLogLayer::new(log))
        .with_state(shared);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(async {
                let _ = stopped.await;
            })
            .await
    });
    Ok(Shop { address, stop, task })
}

async fn products() -> Json<Vec<&'static str>> {
    Json(vec!["teapot", "kettle", "cup"])
}

async fn product(Path(id): Path<u32>) -> Response {
    if id > 50 {
        return (StatusCode::NOT_FOUND, "no such product").into_response();
    }
    Json(serde_json::json!({"id": id, "name": "teapot"})).into_response()
}

/// One hop further: the trace goes along.
async fn order(State(shared): State<Shared>, Json(charge): Json<Charge>) -> Response {
    let answer = shared.http.post(&shared.charges).json(&charge).send().await;
    match answer.map(|a| a.status().as_u16()) {
        Ok(201) => {
            shared.log.info("order placed").field("order", charge.order).send();
            (StatusCode::CREATED, Json(serde_json::json!({"order": charge.order}))).into_response()
        }
        Ok(402) => (StatusCode::PAYMENT_REQUIRED, "declined").into_response(),
        Ok(status) => {
            shared.log.error("payment failed").field("order", charge.order).field("status", status).send();
            (StatusCode::BAD_GATEWAY, "payments are down").into_response()
        }
        Err(error) => {
            shared.log.error("payments cannot be reached").error(&error).send();
            (StatusCode::BAD_GATEWAY, "payments are down").into_response()
        }
    }
}

/// Slow on purpose.
async fn report(Path(year): Path<u32>) -> String {
    tokio::time::sleep(Duration::from_millis(40 + u64::from(year % 7) * 10)).await;
    format!("report {year}\n")
}

/// A download in chunks: the entry ends with the last one.
async fn export() -> Body {
    Body::from_stream(stream::unfold(0u32, |row| async move {
        if row == 40 {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        Some((Ok::<_, io::Error>(Bytes::from("4711;teapot;1990;paid\n".repeat(100))), row + 1))
    }))
}

#[expect(clippy::panic, reason = "to show what becomes of a request that panics")]
async fn panics() -> &'static str {
    std::panic::panic_any(PANIC)
}
