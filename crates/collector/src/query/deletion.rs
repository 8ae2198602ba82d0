//! Entries out, for good: `DELETE /api/v1/logs` takes them out of the store, `GET /api/v1/export` gives them to whoever
//! they are about. Both take the filters of a search.

use super::parameters::{DELETE, EXPORT};
use super::params::Params;
use crate::http::access::{Admin, Granted};
use crate::http::{Answer, App, Problem, json, with_type};
use crate::store::Store;
use crate::store::deletion::Deletion;
use crate::store::search::{Cursor, Filter, Search};
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::body::Frame;
use serde_json::json;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// `DELETE /api/v1/logs`
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    granted: Granted<Admin>,
    params: Params,
) -> Result<Answer, Problem> {
    let asked = params.read(DELETE, app.clock.now())?;
    if asked.filter == Filter::default() {
        let why = "a filter is needed, such as `user_id` or `to`: without one, everything would go";
        return Err(Problem::bad(why));
    }
    let dry_run = asked.dry_run.unwrap_or(true);
    let deleted = granted.store.delete(Deletion { filter: asked.filter, dry_run }).await?;
    Ok(json(StatusCode::OK, &json!({ "entries": deleted.entries, "deleted": !dry_run })))
}

/// `GET /api/v1/export`: a line of JSON per entry, newest first, as many as there are.
pub(crate) async fn export(
    State(app): State<Arc<App>>,
    granted: Granted<Admin>,
    params: Params,
) -> Result<Answer, Problem> {
    let filter = params.read(EXPORT, app.clock.now())?.filter;
    let first = next(Export { store: granted.store, filter, after: None, done: false }).await?;
    let pages = Pages(Box::pin(async { Ok(first) }));
    Ok(with_type(StatusCode::OK, "application/x-ndjson", Body::new(pages)))
}

/// Entries of a page.
const PAGE: usize = 500;

/// What is still to be exported.
struct Export {
    store: Arc<dyn Store>,
    filter: Filter,
    after: Option<Cursor>,
    done: bool,
}

/// A page, and what comes after it.
type Page = Option<(Bytes, Export)>;

async fn next(mut export: Export) -> Result<Page, Problem> {
    if export.done {
        return Ok(None);
    }
    let search = Search { filter: export.filter.clone(), limit: PAGE, after: export.after };
    let listing = export.store.search(search).await?;
    export.done = listing.next.is_none();
    export.after = listing.next;
    Ok(Some((lines(&listing.json).into(), export)))
}

/// Objects with commas between, as lines.
pub(crate) fn lines(json: &str) -> String {
    let mut lines = String::with_capacity(json.len() + 1);
    for entry in serde_json::Deserializer::from_str(&format!("[{json}]"))
        .into_iter::<Vec<&serde_json::value::RawValue>>()
        .flatten()
        .flatten()
    {
        // Line breaks stand between the tokens of metadata only, kept as it came.
        lines.extend(entry.get().chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }));
        lines.push('\n');
    }
    lines
}

/// The body: a page is asked for when the one before has been taken. A failure on the way breaks it off, so that what
/// came is not taken for all there is.
struct Pages(Pin<Box<dyn Future<Output = Result<Page, Problem>> + Send>>);

impl hyper::body::Body for Pages {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(match ready!(self.0.as_mut().poll(cx)) {
            Ok(Some((bytes, export))) => {
                self.0 = Box::pin(next(export));
                Some(Ok(Frame::data(bytes)))
            }
            Ok(None) => {
                self.0 = Box::pin(std::future::pending());
                None
            }
            Err(problem) => {
                self.0 = Box::pin(async { Ok(None) });
                Some(Err(io::Error::other(problem.detail)))
            }
        })
    }
}
