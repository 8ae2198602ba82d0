//! An axum service with the request log.
//!
//! ```console
//! $ hoplog serve                               # the collector; without one: HOPLOG_CONSOLE=text shows the entries
//! $ cargo run -p axum-app
//! $ curl -i http://127.0.0.1:3000/users/7      # the answer carries x-trace-id and x-request-id
//! $ curl -N http://127.0.0.1:3000/countdown    # one entry, at the end; Ctrl-C makes it `body_aborted`
//! $ curl -i http://127.0.0.1:3000/fail         # level ERROR
//! ```
//!
//! Everything but the service's name is taken from the environment: `HOPLOG_ENDPOINT`, `HOPLOG_API_KEY`, …

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use futures_util::stream;
use hoplog_tower::RequestLogLayer;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = hoplog::Client::builder().service("axum-app").build()?;
    let app = Router::new()
        .route("/users/{id}", get(user))
        .route("/countdown", get(countdown))
        .route("/fail", get(fail))
        // Inside the router, where the route is known; after the routes, which it wraps.
        .layer(RequestLogLayer::new(client.clone()))
        .with_state(client.clone());

    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    eprintln!("axum-app listens on http://{}", listener.local_addr()?);
    // With connect info the entry has the client's address.
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(hoplog::shutdown_signal())
        .await?;

    // After the last request: what is queued still goes out.
    let report = client.shutdown(Duration::from_secs(5)).await;
    eprintln!("{} entries delivered on the way out, {} lost", report.delivered, report.dropped);
    Ok(())
}

async fn user(State(client): State<hoplog::Client>, Path(id): Path<u32>) -> String {
    // Tied to the request: the same trace, under its span.
    client.info("user looked up").field("id", id).send();
    format!("user {id}\n")
}

/// Ten lines, one every 200 ms. The entry's time to first byte is short, its duration two seconds.
async fn countdown() -> Body {
    Body::from_stream(stream::unfold(10, async |left| {
        if left == 0 {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        Some((Ok::<_, Infallible>(format!("{left}\n")), left - 1))
    }))
}

async fn fail() -> (StatusCode, &'static str) {
    (StatusCode::INTERNAL_SERVER_ERROR, "something is wrong\n")
}
