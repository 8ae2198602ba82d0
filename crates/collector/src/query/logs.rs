//! Entries: a page of them, or one.

use super::parameters::LOGS;
use super::params::Params;
use crate::http::access::{Granted, Query};
use crate::http::{Answer, App, Problem, json_text};
use crate::json::quote;
use crate::store::search::{Cursor, Listing, Search};
use axum::extract::{Path, State};
use hoplog_entry::EntryId;
use hyper::StatusCode;
use std::sync::Arc;

/// `GET /api/v1/logs`
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    granted: Granted<Query>,
    params: Params,
) -> Result<Answer, Problem> {
    let asked = params.read(LOGS, app.clock.now())?;
    let after = asked.cursor(Cursor::parse)?;
    let search = Search { filter: asked.filter, limit: asked.limit, after };
    Ok(page(granted.store.search(search).await?))
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

fn page(listing: Listing) -> Answer {
    let mut body = String::with_capacity(listing.json.len() + 128);
    body.push_str("{\"logs\":[");
    body.push_str(&listing.json);
    body.push_str("],\"next_cursor\":");
    match listing.next {
        Some(cursor) => quote(&cursor.to_text(), &mut body),
        None => body.push_str("null"),
    }
    body.push('}');
    json_text(StatusCode::OK, body)
}
