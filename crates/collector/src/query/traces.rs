//! Traces: a page of them, or one as a tree.

use super::parameters::TRACES;
use super::params::Params;
use super::tree::tree;
use crate::http::access::{Granted, Query};
use crate::http::{Answer, App, Problem, json, json_text};
use crate::json::quote;
use crate::store::search::TraceKey;
use crate::store::traces::{TraceCursor, TraceSearch};
use axum::extract::{Path, State};
use hyper::StatusCode;
use serde_json::json;
use std::sync::Arc;

/// `GET /api/v1/traces`
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    granted: Granted<Query>,
    params: Params,
) -> Result<Answer, Problem> {
    let asked = params.read(TRACES, app.clock.now())?;
    let after = asked.cursor(TraceCursor::parse)?;
    let search = TraceSearch { filter: asked.filter, limit: asked.limit, after };
    let page = granted.store.traces(search).await?;
    let next = page.next.map(TraceCursor::to_text);
    Ok(json(StatusCode::OK, &json!({ "traces": page.traces, "next_cursor": next })))
}

/// `GET /api/v1/traces/{trace_id}`: the entries, oldest first, and the spans that they make.
pub(crate) async fn one(
    granted: Granted<Query>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Answer, Problem> {
    params.none()?;
    let key = TraceKey::new(&id);
    let shown = key.id.map_or(id, |id| id.to_string());
    let listing = granted.store.trace(key).await?;
    if listing.json.is_empty() {
        return Err(Problem::not_found("there is no entry with this trace id"));
    }
    let logs = format!("[{}]", listing.json);
    let mut body = String::with_capacity(logs.len() * 2);
    body.push_str("{\"trace_id\":");
    quote(&shown, &mut body);
    body.push_str(if listing.next.is_some() { ",\"truncated\":true," } else { ",\"truncated\":false," });
    // A member each: started_at, duration_ms, services, spans, events.
    if let Some(members) = tree(&logs) {
        body.push_str(&members);
        body.push(',');
    }
    body.push_str("\"logs\":");
    body.push_str(&logs);
    body.push('}');
    Ok(json_text(StatusCode::OK, body))
}
