//! Scopes: what holds for every entry that is logged while a future runs, or until a guard is dropped.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use hoplog_entry::{Field, RecordWriter};
use serde::Serialize;

use super::Context;
use super::current::{ContextGuard, Covered, current};
use super::json::json;
use super::notes::Notes;
use crate::pipeline::Pipeline;

/// Begins a scope: a user, a session, a tenant and fields for every entry that is logged inside of it.
///
/// Scopes nest: what an inner one says goes before what an outer one says, and both before what the request says by
/// [`Context::set_user_id`] and its kin. A scope works with and without a request; a request that begins inside of one
/// begins without it. It says nothing in the request's own entry: that is what [`current()`] is for. Calls made inside
/// of it, by `hoplog-reqwest`, carry it in their entries.
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
        self.notes.set_field(name, &json(value));
        self
    }

    /// The scope around a future: current in every poll of it and while it is dropped, on whatever thread that is.
    pub fn enter<F: Future>(self, future: F) -> WithScope<F> {
        WithScope { future: Some(future), own: Arc::new(self.notes), entered: None }
    }

    /// The scope until the guard is dropped, for synchronous code. In async code use [`Scope::enter`]: a guard that is
    /// kept across an await ends at the await.
    pub fn guard(self) -> ContextGuard {
        let Context { live, notes } = current();
        let notes = Some(laid_over(notes.as_deref(), &Arc::new(self.notes)));
        ContextGuard::over(Context { live, notes })
    }
}

/// What an inner scope says over what outer ones say.
fn laid_over(outer: Option<&Notes>, own: &Arc<Notes>) -> Arc<Notes> {
    let Some(outer) = outer else { return Arc::clone(own) };
    let mut notes = outer.clone();
    notes.overlay(own);
    Arc::new(notes)
}

impl Context {
    /// Writes what holds for every entry in it, from the outside inwards: what the request says, what scopes say. What
    /// is written last counts.
    pub(crate) fn write_notes(
        &self,
        record: &mut RecordWriter,
        pipeline: &Arc<Pipeline>,
        request: Option<&Notes>,
    ) {
        for notes in [request, self.notes.as_deref()].into_iter().flatten() {
            notes.write(record, pipeline);
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
        entered: Option<Entry>,
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

/// What a future was polled in before, and what holds there with its own scope.
#[derive(Debug)]
struct Entry {
    outer: Option<Arc<Notes>>,
    notes: Arc<Notes>,
}

fn in_scope<T>(own: &Arc<Notes>, entered: &mut Option<Entry>, f: impl FnOnce() -> T) -> T {
    let outer = current().notes;
    let same = |entry: &Entry| entry.outer.as_ref().map(Arc::as_ptr) == outer.as_ref().map(Arc::as_ptr);
    let entry = match entered.take().filter(same) {
        Some(entry) => entered.insert(entry),
        None => {
            let notes = laid_over(outer.as_deref(), own);
            entered.insert(Entry { outer, notes })
        }
    };
    let _scope = Covered::by(Arc::clone(&entry.notes));
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
