//! Entries: a page of them, one, or those of a trace.

use super::params::Params;
use crate::http::access::{Granted, Query};
use crate::http::{Answer, Problem, json_text};
use crate::json::quote;
use crate::store::search::{Listing, TraceKey};
use axum::extract::Path;
use hoplog_entry::EntryId;
use hyper::StatusCode;

/// `GET /api/v1/logs`
pub(crate) async fn list(granted: Granted<Query>, params: Params) -> Result<Answer, Problem> {
    Ok(page(granted.store.search(params.search()?).await?, None))
}

/// `GET /api/v1/logs/{id}`
pub(crate) async fn one(
    granted: Granted<Query>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Answer, Problem> {
    params.none()?;
    let not_found = || Problem::not_found("there is no entry with this id");
    let id: EntryId = id.parse().map_err(|_| not_found())?;
    let entry = granted.store.entry(id).await?.ok_or_else(not_found)?;
    Ok(json_text(StatusCode::OK, entry))
}

/// `GET /api/v1/traces/{trace_id}`
pub(crate) async fn trace(
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
    Ok(page(listing, Some(&shown)))
}

fn page(listing: Listing, trace_id: Option<&str>) -> Answer {
    let mut body = String::with_capacity(listing.json.len() + 128);
    body.push('{');
    if let Some(id) = trace_id {
        body.push_str("\"trace_id\":");
        quote(id, &mut body);
        body.push_str(",\"truncated\":");
        body.push_str(if listing.next.is_some() { "true," } else { "false," });
    }
    body.push_str("\"logs\":[");
    body.push_str(&listing.json);
    body.push(']');
    if trace_id.is_none() {
        body.push_str(",\"next_cursor\":");
        match listing.next {
            Some(cursor) => quote(&cursor.to_text(), &mut body),
            None => body.push_str("null"),
        }
    }
    body.push('}');
    json_text(StatusCode::OK, body)
}
