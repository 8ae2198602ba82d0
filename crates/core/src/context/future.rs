//! Contexts taken along: into spawned tasks, into other threads.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use super::Notes;
use super::current::{Covered, Entered, current};
use crate::capture::Live;

/// Runs a future in the context in which it is made, scopes included: for `tokio::spawn` and the like.
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

/// A closure that runs in the context in which this is called, scopes included: for `spawn_blocking`, threads, thread
/// pools.
///
/// ```
/// let report = std::thread::spawn(hoplog::in_current_context(|| { /* logs under the same request */ }));
/// # report.join().unwrap();
/// ```
pub fn in_current_context<T>(closure: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let context = current();
    move || {
        let _entered = context.enter();
        closure()
    }
}

pin_project_lite::pin_project! {
    /// A future with a context; made by [`Context::scope`](super::Context::scope) and
    /// [`InCurrentContext::in_current_context`].
    #[derive(Debug)]
    pub struct WithContext<F> {
        // `None` once dropped, which happens in the context.
        #[pin]
        future: Option<F>,
        live: Option<Arc<Live>>,
        notes: Option<Arc<Notes>>,
    }

    impl<F> PinnedDrop for WithContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _entered = Entered::new(this.live);
                let _scope = this.notes.clone().map(Covered::by);
                this.future.set(None);
            }
        }
    }
}

impl<F> WithContext<F> {
    pub(super) fn new(future: F, live: Option<Arc<Live>>, notes: Option<Arc<Notes>>) -> Self {
        Self { future: Some(future), live, notes }
    }
}

impl<F: Future> Future for WithContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else { return Poll::Pending };
        let _entered = Entered::new(this.live);
        let _scope = this.notes.clone().map(Covered::by);
        future.poll(cx)
    }
}
