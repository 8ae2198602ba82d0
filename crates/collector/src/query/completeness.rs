//! `GET /api/v1/completeness?service=&from=&to=`: whether what was sent is here.

use super::parameters::COMPLETENESS;
use super::params::Params;
use crate::http::access::{Granted, Query};
use crate::http::{Answer, App, Problem, json};
use crate::store::completeness::{Completeness, Question};
use crate::time::DAY;
use axum::extract::State;
use hyper::StatusCode;
use std::sync::Arc;

pub(crate) async fn completeness(
    State(app): State<Arc<App>>,
    granted: Granted<Query>,
    params: Params,
) -> Result<Answer, Problem> {
    let now = app.clock.now();
    let mut asked = params.read(COMPLETENESS, now)?;
    let (from, to) = asked.bounded(now, DAY);
    let question = Question { from, to, service: asked.filter.service };
    let accounts = granted.store.senders(question.clone()).await?;
    Ok(json(StatusCode::OK, &Completeness::new(&question, accounts, now)))
}
