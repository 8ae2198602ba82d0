//! The current request: set while a request's future or its response body is polled, read by the logger, by outgoing
//! clients and by anyone who asks [`current`].
//!
//! ```text
//! poll of the request's future ── enter ──► CURRENT = this request ── poll inner ── leave ──► CURRENT as before
//! ```
//!
//! Nothing is shared between tasks by accident: a context is visible only inside a poll that entered it. A spawned
//! task takes it along with [`InCurrentContext::in_current_context`].

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use hoplog_entry::trace_headers::{TRACEPARENT, TRACESTATE, X_REQUEST_ID, X_TRACE_ID};
use hoplog_entry::{Field, SpanId, TraceId};

use crate::capture::{KeepOpen, Live, Panic, RequestTap};
use crate::error_chain::{error_sources, error_text, harmless};
use crate::pipeline::Pipeline;

thread_local! {
    static CURRENT: Cell<Current> = const { Cell::new(Current { live: None, is_request: false, entered: None }) };
}

/// What this thread runs in.
#[derive(Debug, Default)]
struct Current {
    live: Option<Arc<Live>>,
    /// The request itself is polled, not a task that it spawned: a panic in here is its end.
    is_request: bool,
    /// What a guard put over it. It ends with the poll, and what is polled stays where it is: a guard that is held
    /// across an await, or dropped out of turn, must not hand one request's record to another.
    entered: Option<Context>,
}

impl Current {
    fn live(&self) -> Option<&Arc<Live>> {
        self.entered.as_ref().map_or(&self.live, |context| &context.live).as_ref()
    }
}

/// The context in which this code runs: that of the request being handled, or an empty one.
///
/// Cheap: one reference count. Never fails, also late in a thread's exit.
#[must_use]
pub fn current() -> Context {
    Context { live: CURRENT.try_with(peek).ok().flatten() }
}

fn peek(cell: &Cell<Current>) -> Option<Arc<Live>> {
    look(cell, |current| current.live().cloned())
}

/// A look at what is current, without counting a reference.
fn look<T>(cell: &Cell<Current>, f: impl FnOnce(&Current) -> T) -> T {
    let current = cell.take();
    let seen = f(&current);
    cell.set(current);
    seen
}

/// Whether this runs inside a request that is being recorded. A guard does not count: one that is forgotten on a
/// thread would hide that thread's requests.
#[inline]
pub(crate) fn inside_open_request() -> bool {
    CURRENT
        .try_with(|cell| look(cell, |current| current.live.as_deref().is_some_and(Live::is_open)))
        .unwrap_or(false)
}

/// The panic hook saw one: if it ends a request of this client, that request's entry tells it. False if it does not.
pub(crate) fn tell_panic(pipeline: &Arc<Pipeline>, panic: &Panic<'_>) -> bool {
    CURRENT
        .try_with(|cell| {
            look(cell, |current| {
                let live = current.live.as_deref().filter(|_| current.is_request);
                live.is_some_and(|live| live.tell_panic(pipeline, panic))
            })
        })
        .unwrap_or(false)
}

/// A handle to a request's context. Keeping it after the request's end does no harm.
#[derive(Clone, Default)]
pub struct Context {
    live: Option<Arc<Live>>,
}

impl Context {
    pub(crate) fn live(&self) -> Option<&Live> {
        self.live.as_deref()
    }

    pub(crate) fn of(live: Arc<Live>) -> Self {
        Self { live: Some(live) }
    }

    /// Whether this is no request's context.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live.is_none()
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
                (error_text(error), error_sources(harmless(|| error.source()).flatten()));
            live.write(|record| {
                record.error(std::any::type_name::<E>(), &message, sources.as_deref());
            });
        }
    }

    /// Says in the request's entry who it is for. Without effect outside of an open request.
    pub fn set_user_id(&self, id: &str) {
        self.set(Field::UserId, id);
    }

    /// Says in the request's entry to which session it belongs.
    pub fn set_session_id(&self, id: &str) {
        self.set(Field::SessionId, id);
    }

    /// Says in the request's entry to which tenant it belongs.
    pub fn set_tenant_id(&self, id: &str) {
        self.set(Field::TenantId, id);
    }

    fn set(&self, field: Field, value: &str) {
        if let Some(live) = self.live() {
            live.write(|record| record.text(field, value));
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

    /// Makes this the current context of `future`, in every poll.
    pub fn scope<F: Future>(self, future: F) -> WithContext<F> {
        WithContext { future, live: self.live }
    }

    /// Makes this the current context of this thread until the guard is dropped. For synchronous code; in async code
    /// use [`Context::scope`], as a guard ends with the poll in which it was made, if not before.
    #[must_use = "the context is left when the guard is dropped"]
    pub fn enter(&self) -> ContextGuard {
        ContextGuard { previous: put(Some(self.clone())), not_send: PhantomData }
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

/// Runs a future in the context in which it is made: for `tokio::spawn` and the like.
///
/// ```
/// use hoplog::InCurrentContext as _;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// tokio::spawn(async { /* logs under the same request */ }.in_current_context());
/// # });
/// ```
pub trait InCurrentContext: Future + Sized {
    /// Takes the current context along.
    fn in_current_context(self) -> WithContext<Self> {
        current().scope(self)
    }
}

impl<F: Future> InCurrentContext for F {}

pin_project_lite::pin_project! {
    /// A future with a context; made by [`Context::scope`] and [`InCurrentContext::in_current_context`].
    #[derive(Debug)]
    pub struct WithContext<F> {
        #[pin]
        future: F,
        live: Option<Arc<Live>>,
    }
}

impl<F: Future> Future for WithContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = Entered::new(this.live, false);
        this.future.poll(cx)
    }
}

/// Leaves the context when dropped; see [`Context::enter`].
#[derive(Debug)]
pub struct ContextGuard {
    previous: Option<Context>,
    not_send: PhantomData<*const ()>,
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        put(self.previous.take());
    }
}

/// Puts a context over what is current; returns the one that was there before.
fn put(context: Option<Context>) -> Option<Context> {
    let mut current = CURRENT.try_with(Cell::take).ok()?;
    let previous = std::mem::replace(&mut current.entered, context);
    let _ = CURRENT.try_with(|cell| cell.set(current));
    previous
}

/// Puts a context in place for one poll. It is moved into the thread-local and back, so a poll costs no reference
/// count.
#[must_use = "the context is left when the guard is dropped"]
pub(crate) struct Entered<'a> {
    slot: &'a mut Option<Arc<Live>>,
    previous: Current,
}

impl<'a> Entered<'a> {
    #[inline]
    pub(crate) fn new(slot: &'a mut Option<Arc<Live>>, is_request: bool) -> Self {
        let previous = swap(Current { live: slot.take(), is_request, entered: None });
        Self { slot, previous }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.slot = swap(std::mem::take(&mut self.previous)).live;
    }
}

#[inline]
fn swap(current: Current) -> Current {
    let mut current = current;
    // Where thread-locals are gone the context stays with its owner.
    let _ = CURRENT.try_with(|cell| current = cell.replace(std::mem::take(&mut current)));
    current
}
