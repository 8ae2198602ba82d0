//! Figures: totals, services, routes.

use super::parameters::ROUTES;
use super::params::Params;
use crate::http::access::{Granted, Query};
use crate::http::{Answer, App, Problem, json};
use crate::store::figures::Totals;
use crate::time::SECOND;
use axum::extract::State;
use hyper::StatusCode;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

/// Said with every answer that counts.
pub(super) const COUNTING: &str = "an entry counts as often as its weight says (once without one), in counts, bytes and \
     percentiles; stored is the number of entries";

/// `GET /stats` (protocols §1)
pub(crate) async fn stats(
    State(app): State<Arc<App>>,
    granted: Granted<Query>,
    params: Params,
) -> Result<Answer, Problem> {
    params.none()?;
    let an_hour_ago = app.clock.now().saturating_sub(3_600 * SECOND);
    Ok(json(
        StatusCode::OK,
        &Counted { totals: granted.store.totals(an_hour_ago).await?, counting: COUNTING },
    ))
}

#[derive(Serialize)]
struct Counted {
    #[serde(flatten)]
    totals: Totals,
    counting: &'static str,
}

/// `GET /api/v1/services`
pub(crate) async fn services(granted: Granted<Query>, params: Params) -> Result<Answer, Problem> {
    params.none()?;
    Ok(json(StatusCode::OK, &json!({ "services": granted.store.services().await?, "counting": COUNTING })))
}

/// `GET /api/v1/routes`
pub(crate) async fn routes(
    State(app): State<Arc<App>>,
    granted: Granted<Query>,
    params: Params,
) -> Result<Answer, Problem> {
    let asked = params.read(ROUTES, app.clock.now())?;
    let routes = granted.store.routes(asked.filter.period).await?;
    Ok(json(StatusCode::OK, &json!({ "routes": routes, "counting": COUNTING })))
}
