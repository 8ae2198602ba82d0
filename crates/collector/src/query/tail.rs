//! `GET /api/v1/tail`: what arrives from now on, as server-sent events.
//!
//! A follower reads on in the store, a bounded step at a time and no faster than it takes the answer, so that nothing
//! piles up for one that is slow: it falls behind, is moved on, and is told so. Each event's id is a place in the store:
//! whoever shows it again as `Last-Event-ID`, also to another process, goes on behind it.

use super::parameters::TAIL;
use super::params::Params;
use crate::http::access::{Granted, Query};
use crate::http::{Answer, App, Problem, with_type};
use crate::json::quote;
use crate::store::StoreError;
use crate::store::follow::{Arrival, News, Position};
use crate::store::search::Filter;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::body::Frame;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// How often it is looked whether something arrived.
const LOOK: Duration = Duration::from_millis(200);
/// A line that says nothing, so that nobody on the way takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /api/v1/tail`
pub(crate) async fn tail(
    State(app): State<Arc<App>>,
    granted: Granted<Query>,
    headers: HeaderMap,
    params: Params,
) -> Result<Answer, Problem> {
    params.without(&["from", "to", "limit", "cursor"], "for what is yet to arrive")?;
    let filter = params.read(TAIL, app.clock.now())?.filter;
    let full =
        || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "as many follow already as may: end one of them");
    let place = Arc::clone(&app.followers).try_acquire_owned().map_err(|_| full())?;
    // Before the answer: whoever has that sees all that arrives later.
    let mut position = granted.store.follow(filter.clone(), None).await?.position;
    if let Some(left) = headers.get("last-event-id") {
        let left = left.to_str().ok().and_then(|text| Position::resume(text, position));
        let unknown = "`Last-Event-ID` is none that was given out here: leave it out, and follow from now on";
        position = left.ok_or_else(|| Problem::parameter("Last-Event-ID", unknown))?;
    }
    let follower =
        Follower { app, granted, filter, position, told: Instant::now(), ended: false, _place: place };
    let first = async { Some((Bytes::from_static(b": what arrives from now on\n\n"), follower)) };
    let mut answer = with_type(StatusCode::OK, "text/event-stream", Body::new(Feed(Box::pin(first))));
    // nginx would hold events back.
    answer.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(answer)
}

/// The body. Gone with it is the follower.
struct Feed(Pin<Box<dyn Future<Output = Option<Said>> + Send>>);

/// A piece of the answer, and who goes on with it.
type Said = (Bytes, Follower);

impl hyper::body::Body for Feed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(ready!(self.0.as_mut().poll(cx)).map(|(bytes, follower)| {
            self.0 = Box::pin(follower.next());
            Ok(Frame::data(bytes))
        }))
    }
}

struct Follower {
    app: Arc<App>,
    granted: Granted<Query>,
    filter: Filter,
    position: Position,
    told: Instant,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    /// Waits for something to say; nothing after the end.
    async fn next(mut self) -> Option<Said> {
        if self.ended {
            return None;
        }
        let text = loop {
            if self.app.draining.load(Relaxed) {
                break self.end("the collector shuts down");
            }
            if !self.granted.holds(&self.app) {
                break self.end("the key is not valid any more");
            }
            let more = match self.granted.store.follow(self.filter.clone(), Some(self.position.clone())).await
            {
                Ok(news) => {
                    let text = events(&news, &mut self.position);
                    self.position = news.position;
                    if !text.is_empty() {
                        break text;
                    }
                    news.more
                }
                // Others ask too much of the store; that passes.
                Err(StoreError::TooSlow(_)) => false,
                Err(error) => break self.end(&error.to_string()),
            };
            if self.told.elapsed() >= KEEP_ALIVE {
                // No event, but where to come back to: there may have been many that the filter left out.
                break format!("id: {}\n\n", self.position.to_text(None));
            }
            if !more {
                tokio::time::sleep(LOOK).await;
            }
        };
        self.told = Instant::now();
        Some((text.into(), self))
    }

    fn end(&mut self, detail: &str) -> String {
        self.ended = true;
        let mut text = "event: end\ndata: {\"detail\":".to_owned();
        quote(detail, &mut text);
        text + "}\n\n"
    }
}

/// `position` is where they are seen from, and moves with them.
fn events(news: &News, position: &mut Position) -> String {
    let mut text = String::new();
    if news.skipped > 0 {
        text = format!("event: skipped\ndata: {{\"entries\":{}}}\n\n", news.skipped);
    }
    for Arrival { day, seq, json } in &news.entries {
        position.arrivals.insert(*day, *seq);
        // Writing to a String does not fail.
        let _ = write!(text, "id: {}\ndata: ", position.to_text(Some(*day)));
        // Line breaks stand between the tokens of metadata only, kept as it came; here they would end the event.
        text.extend(json.chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }));
        text.push_str("\n\n");
    }
    text
}
