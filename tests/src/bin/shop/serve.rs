//! A real application: axum under hoplog's middleware.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use hoplog::{Client, Level};
use hoplog_tower::RequestLogLayer;
use serde_json::Value;

use crate::plan::{Plan, entry};
use crate::report;

/// Serves until SIGTERM.
pub(crate) async fn run(plan: &Plan) {
    let client = plan.client();
    let promise = if plan.promises_early { post(note) } else { post(promise) };
    let held = Duration::from_micros(plan.holds_us);
    let noted = post(async move |client, order| {
        let begun = Instant::now();
        while begun.elapsed() < held {}
        note(client, order).await;
    });
    let app = Router::new()
        .route("/promise/{order}", promise)
        .route("/note/{order}", noted)
        .layer(RequestLogLayer::new(client.clone()))
        .route("/make/{first}/{orders}/{per_second}/{bytes}", post(make))
        .route("/stats", get(stats))
        .with_state(client.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("its address"));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        served = axum::serve(listener, app) => served.expect("a server"),
        () = hoplog::shutdown_signal() => {}
    }
    report::shut_down(&client, plan.deadline()).await;
}

async fn promise(State(client): State<Client>, Path(order): Path<u64>) -> Result<(), (StatusCode, String)> {
    match entry(&client, Level::Info, order).durable().await {
        Ok(_) => Ok(()),
        Err(why) => Err((StatusCode::INTERNAL_SERVER_ERROR, why.to_string())),
    }
}

async fn note(State(client): State<Client>, Path(order): Path<u64>) {
    entry(&client, Level::Info, order).send();
}

/// Entries that no request makes, at a steady rate, with so many bytes more in each; every hundredth is an error.
async fn make(
    State(client): State<Client>,
    Path((first, orders, rate, bytes)): Path<(u64, u64, u64, usize)>,
) {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        let (begun, mut made) = (tokio::time::Instant::now(), 0);
        while made < orders {
            let now = ticks.tick().await;
            let due = ((now - begun).as_millis() as u64 * rate / 1_000).min(orders);
            for order in first + made..first + due {
                let level = if order % 100 == 0 { Level::Error } else { Level::Info };
                entry(&client, level, order).field("more", "z".repeat(bytes)).send();
            }
            made = due;
        }
    });
}

async fn stats(State(client): State<Client>) -> Json<Value> {
    Json(report::stats(&client.stats()))
}
