//! The app under test: what its routes answer. Each framework builds it in its own words.
//!
//! | route | answer |
//! |---|---|
//! | `GET`, `HEAD /users/{id}` | 200, `user {id}`, with a length; other methods 405 |
//! | `POST /echo` | 200, the request's body, with a length |
//! | `GET /unsized` | 200, [`FIRST`] and [`LAST`] as chunks |
//! | `GET /range` | 200 with [`FIRST`] and [`LAST`]; 206 with a part for `range: bytes=6-9`; 416 for any other range |
//! | `POST /refuses` | 413 `too large`, the body unread |
//! | `GET /events` | 200 `text/event-stream`, [`EVENT`], then the gate, then [`EVENT`] |
//! | `GET /trailers` | 200, [`FIRST`], then the trailer `x-checksum: 7`; where the framework has trailers |
//! | `GET /large-inside`, `GET /large-outside` | 200, [`LARGE`], compressed on wish inside or outside of the log layer |
//! | `GET /twice` | 200 `once`, inside a second log layer |
//! | `GET /stream` | 200, [`FIRST`], then the gate, then [`LAST`] |
//! | `GET /empty`, `GET /cached` | 204; 304 with an `etag` of `"v1"` |
//! | `GET /wait` | the gate, then 200 `done` |
//! | `GET /endless` | 200, chunks of [`ENDLESS_CHUNK`] zeros without end |
//! | `GET /breaks` | 200, [`FIRST`], then a body error that says [`BROKEN`] |
//! | `GET /fails` | the handler returns an error, which is answered with 500 and [`BROKEN`] |
//! | `GET /tells` | 500; the handler told [`BROKEN`] and the user `u1` to `hoplog::current()` |
//! | `GET /leaves` | 500, with an `ErrorReport` of [`BROKEN`] among the answer's extensions |
//! | `GET /broken` | a service inside the log layer fails with an error that says [`BROKEN`], answered with 500 |
//! | `GET /panics`, `GET /panics-late` | the handler panics; the body does after [`FIRST`] |
//! | `GET /panics-caught` | the handler panics, which is caught outside of the log layer and answered with 500 |
//! | `GET /slow-inside` | the gate, within a timeout of [`TIMEOUT`] inside the log layer, answered with 504 |
//! | `GET /slow-error` | likewise, the timeout an error that is answered outside of the log layer, with 504 |
//! | `GET /slow-outside` | likewise, the whole timeout outside of the log layer, answered with 504 |
//! | `GET /upgrade` | 101 to the protocol `echo`, which nobody then speaks |
//! | `GET /context` | 200, `hoplog::current()`'s trace id, a blank, its request id |
//!
//! Anything else is answered with 404. Bodies are text, `text/plain`.

use std::fmt;
use std::time::Duration;

/// What streams begin with.
pub const FIRST: &str = "first half, ";
/// What they end with.
pub const LAST: &str = "last half";
/// What errors say.
pub const BROKEN: &str = "the engine is on fire";
/// An event of the event stream.
pub const EVENT: &str = "data: tick\n\n";
/// Bytes of the answer that is worth compressing.
pub const LARGE: usize = 4096;
/// What panics say, at least.
pub const PANIC: &str = "a panic of the test";
/// Bytes per chunk of the endless answer.
pub const ENDLESS_CHUNK: usize = 16 * 1024;
/// Of the slow routes; the handler would wait for ever.
pub const TIMEOUT: Duration = Duration::from_millis(20);
/// `hoplog::current()` as `/context` answers it.
#[must_use]
pub fn current_context() -> String {
    let context = hoplog::current();
    let trace = context.trace_id().map(|id| id.to_string()).unwrap_or_default();
    format!("{trace} {}", context.request_id().unwrap_or_default())
}

/// An error that says [`BROKEN`].
#[derive(Debug, Clone, Copy)]
pub struct Fire;

impl fmt::Display for Fire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(BROKEN)
    }
}

impl std::error::Error for Fire {}
