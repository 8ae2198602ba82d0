//! Destinations that the application brings along: [`Destination`] and what it is given.
//!
//! Each works on a thread of its own with a runtime of its own, so that one that blocks, waits or panics holds up
//! nothing but itself.

mod batch;
mod task;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Inbox, Surroundings};
use crate::worker::mark_as_worker;
pub use batch::Batch;
use task::Task;

/// Where entries go that no destination of hoplog's own reaches: a database, a message broker, a line protocol.
///
/// It is called from a thread of its own, one call at a time, inside a Tokio runtime of one thread: it may await and it
/// may block. What it logs or calls from there is not captured. Until an answer is given the batch is kept; what comes
/// meanwhile waits in the client's bounded memory, and is dropped and counted when this destination's share of that is
/// full. A call that never returns stalls this destination, so give your own calls a timeout.
///
/// ```
/// use hoplog::{Batch, Delivery, Destination, Output};
///
/// struct Count(usize);
///
/// impl Destination for Count {
///     async fn deliver(&mut self, batch: &Batch<'_>) -> Delivery {
///         self.0 += batch.len();
///         Delivery::Delivered
///     }
/// }
///
/// let client = hoplog::Client::builder()
///     .without_collector()
///     .destination(Output::own(Count(0)).name("count"))
///     .build()?;
/// client.info("counted").send();
/// # Ok::<(), hoplog::Error>(())
/// ```
pub trait Destination: Send + 'static {
    /// Takes a batch of at most 1 000 entries, oldest first within one thread. A batch that is to be retried comes again
    /// as it is, so entries may come twice: [`Entry::id`](crate::Entry::id) tells. A panic drops the batch, as `poison`.
    fn deliver(&mut self, batch: &Batch<'_>) -> impl Future<Output = Delivery> + Send;

    /// Writes out what was kept back; called by [`Client::flush`](crate::Client::flush) once everything before it was
    /// delivered. Default: nothing.
    fn flush(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// The end: nothing comes after it but the drop, on the same thread. Called at the client's shutdown, within its
    /// deadline. Default: [`flush`](Self::flush).
    fn close(&mut self) -> impl Future<Output = ()> + Send {
        self.flush()
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// The destination has it.
    Delivered,
    /// Not now: to be given again after a backoff of 0.5 s, doubled to at most 60 s, with jitter.
    Retry,
    /// Not now: to be given again no sooner than this.
    RetryAfter(Duration),
    /// So many of its entries will never be taken; they are dropped as `server_rejected`. The others are delivered.
    Refused(usize),
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`Destination`], as the task calls it.
trait Erased: Send {
    fn deliver<'a>(&'a mut self, batch: &'a Batch<'a>) -> Boxed<'a, Delivery>;
    fn flush(&mut self) -> Boxed<'_, ()>;
    fn close(&mut self) -> Boxed<'_, ()>;
}

impl<D: Destination> Erased for D {
    // Called inside a future: what panics before it has one to give is caught as well.
    fn deliver<'a>(&'a mut self, batch: &'a Batch<'a>) -> Boxed<'a, Delivery> {
        Box::pin(async move { Destination::deliver(self, batch).await })
    }

    fn flush(&mut self) -> Boxed<'_, ()> {
        Box::pin(async move { Destination::flush(self).await })
    }

    fn close(&mut self) -> Boxed<'_, ()> {
        Box::pin(async move { Destination::close(self).await })
    }
}

/// One such destination, until it has ended. Clones share it, for the task that is started again after a fault of ours.
#[derive(Clone)]
pub(crate) struct Own {
    place: Arc<tokio::sync::Mutex<Option<Box<dyn Erased>>>>,
    /// To a client.
    given: Arc<AtomicBool>,
}

impl Own {
    pub(crate) fn new(destination: impl Destination) -> Self {
        let place = Arc::new(tokio::sync::Mutex::new(Some(Box::new(destination) as _)));
        Self { place, given: Arc::default() }
    }

    /// Gives it to a client; false where another one has it, or had.
    pub(crate) fn give(&self) -> bool {
        !self.given.swap(true, Ordering::Relaxed)
    }

    pub(super) async fn run(self, inbox: Inbox, around: Surroundings) {
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let diagnostics = Arc::clone(&around.diagnostics);
        let work = move || {
            mark_as_worker();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(async {
                    let mut place = self.place.lock().await;
                    let Some(destination) = place.as_deref_mut() else { return };
                    let closed = Task::new(around).run(destination, inbox).await;
                    // It goes here, and not wherever the last handle of the client is dropped.
                    let _ = catch_unwind(AssertUnwindSafe(|| place.take()));
                    drop(closed);
                }),
                Err(error) => {
                    around.diagnostics.warn("own", || format!("a destination has no runtime: {error}"))
                }
            }
            drop(ended);
        };
        if let Err(error) = std::thread::Builder::new().name("hoplog-destination".into()).spawn(work) {
            diagnostics.warn("own", || format!("a destination has no thread: {error}"));
        }
        let _ = end.await;
    }
}

/// The same object.
impl PartialEq for Own {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.place, &other.place)
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Own")
    }
}
