//! The current request: set while a request's future or its response body is polled, read by the logger, by outgoing
//! clients and by anyone who asks [`current`].
//!
//! ```text
//! poll of the request's future ── enter ──► CURRENT = this request ── poll inner ── leave ──► CURRENT as before
//! ```
//!
//! Nothing is shared between tasks by accident: a context is visible only inside a poll that entered it. A spawned
//! task takes it along with [`InCurrentContext::in_current_context`].

mod current;
mod future;
mod json;
mod notes;
mod scope;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use hoplog_entry::trace_headers::{TRACEPARENT, TRACESTATE, X_REQUEST_ID, X_TRACE_ID};
use hoplog_entry::{Field, Level, SpanId, TraceId};
use serde::Serialize;

use crate::capture::{KeepOpen, Live, RequestTap, Told};
use crate::error_chain::{error_sources, error_text, of_values};
pub use current::{ContextGuard, current};
pub(crate) use current::{enter, inside_open_request, leave, tell_panic};
pub use future::{InCurrentContext, WithContext, in_current_context};
pub(crate) use json::{append_json, json};
pub(crate) use notes::Notes;
pub use scope::{Scope, WithScope, scope};

/// A handle to a request's context, and to the scopes that it was taken in. Keeping it after the request's end does no
/// harm.
///
/// What is said by `set_…` is for the request's own entry and for every entry that is logged in it later; a
/// [`scope`](crate::scope) is for the entries inside of it alone. Without effect outside of an open request.
///
/// ```
/// async fn handler() -> &'static str {
///     let request = hoplog::current();
///     request.set_user_id("u-1");
///     request.set_field("cart", ["tea", "cake"]);
///     "thanks"
/// }
/// # let _ = handler();
/// ```
#[derive(Clone, Default)]
pub struct Context {
    live: Option<Arc<Live>>,
    /// What scopes say, one laid over the other.
    notes: Option<Arc<Notes>>,
}

impl Context {
    pub(crate) fn live(&self) -> Option<&Live> {
        self.live.as_deref()
    }

    pub(crate) fn of(live: Arc<Live>) -> Self {
        Self { live: Some(live), notes: None }
    }

    /// Whether this is no request's context.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live.is_none()
    }

    /// This context; what it has none of, a request or scopes, from another one. For glue crates that carry one along.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        self.live = self.live.or_else(|| other.live.clone());
        self.notes = self.notes.or_else(|| other.notes.clone());
        self
    }

    /// The id that all hops of the call share.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.live().map(|l| l.trace_id)
    }

    /// The id of this hop.
    #[must_use]
    pub fn span_id(&self) -> Option<SpanId> {
        self.live().map(|l| l.span_id)
    }

    /// The id of this request, as it is returned in `x-request-id`.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.live().map(|live| live.request_id())
    }

    /// Says in the request's entry what went wrong: the error's type, what it says, its chain of sources. The first
    /// error that is told counts, but for a panic. Without effect outside of an open request.
    ///
    /// The level stays that of the status.
    pub fn set_error<E: Error + ?Sized>(&self, error: &E) {
        if let Some(live) = self.live() {
            let (message, sources) =
                (error_text(error), error_sources(of_values(|| error.source()).flatten()));
            live.write(|record| {
                record.error(std::any::type_name::<E>(), &message, sources.as_deref());
            });
        }
    }

    /// A field of your own, of any serializable value; masked as
    /// [`EntryBuilder::field`](crate::EntryBuilder::field) says. A later one of the same name takes its place. At most
    /// 64 fields and 32 KiB of them are kept; the entry counts the others as `fields_left_out`.
    pub fn set_field(&self, name: &str, value: impl Serialize) {
        // Before the lock is taken: the value's own code may come by here.
        let value = self.live.as_ref().map(|_| json(value));
        self.tell(|told| told.notes().set_field(name, &value.unwrap_or_default()));
    }

    /// Takes a field back that [`set_field`](Self::set_field) set.
    pub fn remove_field(&self, name: &str) {
        self.tell(|told| told.notes().remove_field(name));
    }

    /// Who the request is for.
    pub fn set_user_id(&self, id: &str) {
        self.tell(|told| told.notes().set_id(Field::UserId, Some(id)));
    }

    /// Takes back who it is for, also where a trusted proxy's header said so.
    pub fn clear_user_id(&self) {
        self.tell(|told| told.notes().set_id(Field::UserId, None));
    }

    /// The session that the request belongs to.
    pub fn set_session_id(&self, id: &str) {
        self.tell(|told| told.notes().set_id(Field::SessionId, Some(id)));
    }

    /// Takes back what session it belongs to.
    pub fn clear_session_id(&self) {
        self.tell(|told| told.notes().set_id(Field::SessionId, None));
    }

    /// The tenant that the request belongs to.
    pub fn set_tenant_id(&self, id: &str) {
        self.tell(|told| told.notes().set_id(Field::TenantId, Some(id)));
    }

    /// Takes back what tenant it belongs to.
    pub fn clear_tenant_id(&self) {
        self.tell(|told| told.notes().set_id(Field::TenantId, None));
    }

    /// The level of the request's entry, in the place of that of its status: `Level::Error` marks a request that went
    /// wrong behind a 200. A request that panics or fails after all is an error at least. Errors are kept where
    /// [`Requests::sample_at_end`](crate::Requests::sample_at_end) leaves others out.
    pub fn set_level(&self, level: Level) {
        self.tell(|told| told.level = Some(level));
    }

    /// The message of the request's entry, in the place of its method, route and status. Masked as texts are.
    pub fn set_message(&self, message: &str) {
        self.tell(|told| told.set_message(message));
    }

    /// Leaves the request without an entry: it is not counted as lost. What is logged in it stays. One that panics has
    /// its entry all the same, and so has one of which a `running` entry has told.
    pub fn skip(&self) {
        self.tell(|told| told.skip = true);
    }

    fn tell(&self, f: impl FnOnce(&mut Told)) {
        if let Some(live) = self.live() {
            live.tell(f);
        }
    }

    /// Keeps the entry of a request that is upgraded (101, or CONNECT answered with 2xx: WebSockets over HTTP/1 and
    /// HTTP/2) open until the guard is dropped: move it into
    /// the task that speaks on the connection, and the entry's duration is that of the connection. Without one the
    /// entry is written with the answer. A request that is not upgraded ends as always.
    ///
    /// `None` outside of an open request.
    #[must_use]
    pub fn keep(&self) -> Option<KeepOpen> {
        self.live.as_ref().and_then(KeepOpen::new)
    }

    /// What is to see the body of the request that is being handled; for glue crates. See
    /// [`Exchange::request_tap`](crate::Exchange::request_tap).
    #[must_use]
    pub fn request_tap(&self) -> Option<RequestTap> {
        self.live.as_ref().and_then(RequestTap::new)
    }

    /// Calls `set` with each header that an outgoing call should carry: `traceparent` (this hop as the parent),
    /// `tracestate`, `x-trace-id`, `x-request-id`. For clients other than `hoplog-reqwest`, which gives each call a
    /// span and an entry of its own.
    ///
    /// ```
    /// let mut headers = std::collections::HashMap::new();
    /// hoplog::current().inject(|name, value| {
    ///     headers.insert(name, value.to_owned());
    /// });
    /// assert!(headers.is_empty(), "no request is being handled here");
    /// ```
    pub fn inject(&self, set: impl FnMut(&'static str, &str)) {
        if let Some(live) = self.live() {
            inject(live, set);
        }
    }

    /// Makes this the current context of `future`, in every poll and while it is dropped.
    pub fn scope<F: Future>(self, future: F) -> WithContext<F> {
        WithContext::new(future, self.live, self.notes)
    }

    /// Makes this the current context of this thread until the guard is dropped. For synchronous code; in async code
    /// use [`Context::scope`], as a guard ends with the poll in which it was made, if not before.
    pub fn enter(&self) -> ContextGuard {
        ContextGuard::over(self.clone())
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("trace_id", &self.trace_id())
            .field("span_id", &self.span_id())
            .finish()
    }
}

/// The headers of an outgoing call made in this context.
pub(crate) fn inject(live: &Live, mut set: impl FnMut(&'static str, &str)) {
    let parent = live.trace_parent().to_ascii();
    set(TRACEPARENT, ascii(&parent));
    if !live.tracestate.is_empty() {
        set(TRACESTATE, &live.tracestate);
    }
    set(X_TRACE_ID, live.x_trace_id());
    set(X_REQUEST_ID, live.request_id());
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
