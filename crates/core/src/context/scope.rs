//! Scopes: what holds for every entry that is logged while a future runs, or until a guard is dropped.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use hoplog_entry::{Field, RecordWriter, SpanId};
use serde::Serialize;

use super::current::{self, ContextGuard, EnteredScope, Frame};
use super::notes::{self, Notes};
use crate::pipeline::Pipeline;

/// Begins a scope: a user, a session, a tenant and fields for every entry that is logged inside of it.
///
/// Scopes nest: what an inner one says goes before what an outer one says, and both before what the request says by
/// [`Context::set_user_id`](super::Context::set_user_id) and its kin. A scope works with and without a request, and
/// says nothing in the request's own entry: that is what [`current()`](super::current) is for. Calls made inside of
/// it, by `hoplog-reqwest`, carry it in their entries.
///
/// A spawned task or thread leaves it behind, unless it takes it along with
/// [`InCurrentContext`](super::InCurrentContext) or [`in_current_context`](super::in_current_context). At most 64
/// fields and 32 KiB of them are kept; the entry counts the others as `fields_left_out`.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let capture = hoplog::testing::capture();
/// let client = capture.client();
/// let import = async { client.info("file read").send() };
/// hoplog::scope().user_id("u-1").tenant("t-1").field("job", "import").enter(import).await;
/// let entry = &capture.entries()[0];
/// assert_eq!((&entry["user_id"], &entry["metadata"]["job"]), (&"u-1".into(), &"import".into()));
/// # });
/// ```
pub fn scope() -> Scope {
    Scope::default()
}

/// A scope under way; made by [`scope`], entered by [`Scope::enter`] or [`Scope::guard`].
#[derive(Debug, Default, Clone)]
#[must_use = "a scope does nothing until it is entered"]
pub struct Scope {
    notes: Notes,
}

impl Scope {
    /// Who it is about.
    pub fn user_id(mut self, id: &str) -> Self {
        self.notes.set_id(Field::UserId, Some(id));
        self
    }

    /// The session it belongs to.
    pub fn session_id(mut self, id: &str) -> Self {
        self.notes.set_id(Field::SessionId, Some(id));
        self
    }

    /// The tenant it belongs to.
    pub fn tenant(mut self, id: &str) -> Self {
        self.notes.set_id(Field::TenantId, Some(id));
        self
    }

    /// A field of your own, of any serializable value; masked by each client's rules as
    /// [`EntryBuilder::field`](crate::EntryBuilder::field) says.
    pub fn field(mut self, name: &str, value: impl Serialize) -> Self {
        self.notes.set_field(name, &notes::json(value));
        self
    }

    /// The scope around a future: current in every poll of it and while it is dropped, on whatever thread that is.
    pub fn enter<F: Future>(self, future: F) -> WithScope<F> {
        WithScope { future: Some(future), own: Arc::new(self.notes), entered: None }
    }

    /// The scope until the guard is dropped, for synchronous code. In async code use [`Scope::enter`]: a guard that is
    /// kept across an await ends at the await.
    pub fn guard(self) -> ContextGuard {
        ContextGuard::scope(Nested::inside(&Arc::new(self.notes), current::scope(), current::span()))
    }
}

/// A scope in its place: all that holds inside of it.
#[derive(Debug)]
pub(crate) struct Nested {
    /// What was entered outside of the request, or in another one around it.
    outer: Option<Arc<Self>>,
    /// The request that it was entered in.
    within: Option<SpanId>,
    /// Of all scopes in this request, one laid over the other.
    notes: Arc<Notes>,
}

impl Nested {
    fn inside(own: &Arc<Notes>, parent: Option<Arc<Self>>, within: Option<SpanId>) -> Arc<Self> {
        let (outer, notes) = match parent {
            Some(parent) if parent.within == within => {
                let mut notes = Notes::clone(&parent.notes);
                notes.overlay(own);
                (parent.outer.clone(), Arc::new(notes))
            }
            parent => (parent, Arc::clone(own)),
        };
        Arc::new(Self { outer, within, notes })
    }

    /// Writes what holds here, from the outside inwards: scopes around the request, the request's own notes, scopes in
    /// it. What is written last counts.
    fn write(
        &self,
        record: &mut RecordWriter,
        pipeline: &Arc<Pipeline>,
        span: Option<SpanId>,
        request: Option<&Notes>,
    ) {
        let is_in_request = span.is_some() && self.within == span;
        if let Some(outer) = &self.outer {
            outer.write(record, pipeline, None, None);
        }
        if let Some(notes) = request.filter(|_| is_in_request) {
            notes.write(record, pipeline);
        }
        self.notes.write(record, pipeline);
        if let Some(notes) = request.filter(|_| !is_in_request) {
            notes.write(record, pipeline);
        }
    }
}

impl super::Context {
    /// Writes what scopes and the request say of every entry in it.
    pub(crate) fn write_notes(
        &self,
        record: &mut RecordWriter,
        pipeline: &Arc<Pipeline>,
        request: Option<&Notes>,
    ) {
        match (&self.scope, request) {
            (Some(scope), _) => scope.write(record, pipeline, self.span_id(), request),
            (None, Some(notes)) => notes.write(record, pipeline),
            (None, None) => {}
        }
    }
}

pin_project_lite::pin_project! {
    /// A future in a scope; made by [`Scope::enter`].
    #[derive(Debug)]
    pub struct WithScope<F> {
        // `None` once dropped, which happens in the scope.
        #[pin]
        future: Option<F>,
        own: Arc<Notes>,
        entered: Option<Place>,
    }

    impl<F> PinnedDrop for WithScope<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                in_scope(this.own, this.entered, || this.future.set(None));
            }
        }
    }
}

/// What a future was polled in before, and the scope that it had there.
#[derive(Debug)]
struct Place {
    parent: Option<Arc<Nested>>,
    within: Option<SpanId>,
    scope: Option<Arc<Nested>>,
}

fn in_scope<T>(own: &Arc<Notes>, entered: &mut Option<Place>, f: impl FnOnce() -> T) -> T {
    let (parent, within) = (current::scope(), current::span());
    let same = |place: &Place| {
        place.within == within && place.parent.as_ref().map(Arc::as_ptr) == parent.as_ref().map(Arc::as_ptr)
    };
    let place = match entered.take().filter(same) {
        Some(place) => entered.insert(place),
        None => {
            let scope = Some(Nested::inside(own, parent.clone(), within));
            entered.insert(Place { parent, within, scope })
        }
    };
    let _scope = EnteredScope::new(&mut place.scope);
    let _frame = Frame::new();
    f()
}

impl<F: Future> Future for WithScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else { return Poll::Pending };
        in_scope(this.own, this.entered, || future.poll(cx))
    }
}
