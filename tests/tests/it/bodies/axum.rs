use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::stream::{self, StreamExt as _};
use hoplog_tower::RequestLogLayer;

use super::PIECE;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_kept_break_nothing_in_axum() {
    super::bodies_break_nothing("axum", async |client| {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/count", post(count))
            .route("/early", post(|| async { StatusCode::PAYLOAD_TOO_LARGE }))
            .route("/flood/{n}", get(flood))
            .route("/json", post(json))
            .route("/events", get(|| async { answer("text/event-stream", "data: 1\n\n") }))
            .layer(RequestLogLayer::new(client));
        tokio::spawn(async { axum::serve(listener, app).await });
        address
    })
    .await;
}

async fn count(body: Body) -> String {
    let mut pieces = body.into_data_stream();
    let (mut size, mut sum) = (0, 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.unwrap();
        size += piece.len() as u64;
        sum += piece.iter().map(|&b| u64::from(b)).sum::<u64>();
    }
    format!("{size} {sum}")
}

async fn flood(Path(n): Path<u64>) -> Response {
    let piece = Bytes::from(vec![b'y'; PIECE]);
    let pieces = stream::iter(0..n / PIECE as u64).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
    answer("text/plain", Body::from_stream(pieces))
}

async fn json(sent: String) -> Response {
    answer("application/json", format!("{{\"token\":\"t0ps3cret\",\"sent\":{sent}}}"))
}

fn answer(content_type: &str, body: impl Into<Body>) -> Response {
    Response::builder().header(header::CONTENT_TYPE, content_type).body(body.into()).unwrap()
}
