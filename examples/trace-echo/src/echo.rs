//! The service: whatever the path, it makes the calls that the body lists.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use hoplog_tower::RequestLogLayer;
use reqwest_middleware::ClientWithMiddleware;
use serde::Deserialize;
use serde_json::Value;

/// One call to make.
#[derive(Deserialize)]
struct Call {
    url: String,
    /// The call's body: what the other side is to do, if it is a service like this one.
    arguments: Value,
}

pub(crate) fn service(client: &hoplog::Client) -> Result<Router, reqwest::Error> {
    let calls = reqwest::Client::builder().timeout(Duration::from_secs(4)).no_proxy().build()?;
    Ok(Router::new()
        .route("/", post(echo))
        .route("/{*any}", post(echo))
        .layer(RequestLogLayer::new(client.clone()))
        .with_state(hoplog_reqwest::client(client.clone(), calls)))
}

async fn echo(State(http): State<ClientWithMiddleware>, body: Bytes) -> (StatusCode, String) {
    let calls: Vec<Call> = match serde_json::from_slice(&body) {
        Ok(calls) => calls,
        Err(error) => {
            let form = r#"[{"url": "http://…", "arguments": […]}, …]"#;
            return (StatusCode::BAD_REQUEST, format!("{error}; send {form}\n"));
        }
    };
    for Call { url, arguments } in calls {
        // No header is passed along by hand: the call knows in which request it is made.
        let call = http.post(&url).header(CONTENT_TYPE, "application/json").body(arguments.to_string());
        if let Err(error) = call.send().await {
            return (StatusCode::BAD_GATEWAY, format!("{url}: {error}\n"));
        }
    }
    (StatusCode::OK, "done\n".into())
}
