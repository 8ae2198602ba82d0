//! `GET /api/v1/errors`: errors by what makes them the same one.

use super::figures::COUNTING;
use super::parameters::ERRORS;
use super::params::Params;
use crate::http::access::{Granted, Query};
use crate::http::{Answer, App, Problem, json};
use crate::store::errors::{ErrorListing, ErrorSearch};
use crate::time::DAY;
use axum::extract::State;
use hoplog_entry::Level;
use hyper::StatusCode;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Errors {
    from: f64,
    to: f64,
    #[serde(flatten)]
    listing: ErrorListing,
    counting: &'static str,
}

/// Of the last 24 hours without a period; of ERROR and above without a level.
pub(crate) async fn errors(
    State(app): State<Arc<App>>,
    granted: Granted<Query>,
    params: Params,
) -> Result<Answer, Problem> {
    let now = app.clock.now();
    let mut asked = params.read(ERRORS, now)?;
    let (from, to) = asked.bounded(now, DAY);
    if asked.filter.level.is_none() && asked.filter.min_level.is_none() {
        asked.filter.min_level = Some(Level::Error);
    }
    let listing = granted.store.errors(ErrorSearch { filter: asked.filter, limit: asked.limit }).await?;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit")]
    let seconds = |micros: i64| micros as f64 / 1e6;
    Ok(json(StatusCode::OK, &Errors { from: seconds(from), to: seconds(to), listing, counting: COUNTING }))
}
