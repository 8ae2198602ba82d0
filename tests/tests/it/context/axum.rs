//! The scenarios in axum.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use hoplog::Client;
use hoplog_testkit::scenarios::Subject;
use hoplog_tower::{CurrentRequest, RequestLogLayer};

use super::{Answer, act};

async fn handle(
    State(client): State<Client>,
    Path(number): Path<usize>,
    request: CurrentRequest,
) -> Response {
    match act(number, client, request.0).await {
        Answer::Done => "done".into_response(),
        Answer::Stream(stream) => Body::from_stream(stream).into_response(),
    }
}

pub(super) async fn serve(client: Client) -> Subject {
    let app =
        Router::new().route("/scenarios/{number}", get(handle)).layer(RequestLogLayer::new(client.clone()));
    crate::scenarios_tower::serve(app.with_state(client)).await
}
