//! The handle that applications hold.

#[cfg(feature = "toml")]
mod reload;
mod report;
mod save;
mod weak;

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use hoplog_entry::Level;

use crate::capture::{Exchange, HeaderName, RequestHead};
use crate::config::ClientBuilder;
use crate::context;
use crate::error::Error;
use crate::error_chain::error_text;
use crate::ledger::{Drops, Stats};
use crate::logger::{EntryBuilder, Noted, Origin, TimedFuture, Timer};
use crate::open_requests::OpenRequests;
use crate::panic_hook;
use crate::pipeline::Pipeline;
use crate::worker::{Worker, is_worker_thread};
pub use report::{FlushReport, ShutdownReport};
pub use weak::WeakClient;

/// How long the drop of the last handle waits for delivery.
const DROP_DEADLINE: Duration = Duration::from_secs(2);
/// What the worker may take beyond a deadline to say that it is done.
const GRACE: Duration = Duration::from_millis(250);

/// The way into hoplog: one per process, cloned freely.
///
/// Dropping the last handle delivers what is queued, for at most 2 seconds, also at the end of `#[tokio::main]`.
///
/// ```
/// let client = hoplog::Client::builder()
///     .service("shop")
///     .without_collector()
///     .console(hoplog::Console::Text)
///     .build()?;
/// client.info("order placed").field("order_id", 42).send();
/// # Ok::<(), hoplog::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Option<Arc<Inner>>,
}

struct Inner {
    pipeline: Arc<Pipeline>,
    worker: Worker,
    /// `None` until the client is built.
    #[cfg(feature = "toml")]
    reloader: std::sync::Mutex<Option<crate::config::Reloader>>,
}

impl Client {
    /// A builder with the defaults; what it is not told it takes from the environment.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client configured by the environment alone; see [`ClientBuilder`] for the variables.
    ///
    /// # Errors
    /// Every complaint about the variables at once; or the worker could not be started.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// A client whose every call does nothing. Also what the builder makes under `HOPLOG_ENABLED=false`.
    #[must_use]
    pub fn disabled() -> Self {
        Self { inner: None }
    }

    pub(crate) fn new(pipeline: Arc<Pipeline>, worker: Worker) -> Self {
        Self {
            inner: Some(Arc::new(Inner {
                pipeline,
                worker,
                #[cfg(feature = "toml")]
                reloader: std::sync::Mutex::default(),
            })),
        }
    }

    /// False for [`Client::disabled`].
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.inner.is_some()
    }

    pub(crate) fn pipeline(&self) -> Option<&Arc<Pipeline>> {
        self.inner.as_ref().map(|inner| &inner.pipeline)
    }

    /// Begins the record of an exchange; for glue crates. `headers` gives pairs of lower-case name and value,
    /// values of one name next to each other; it is called once, or twice where `tracestate` counts.
    ///
    /// `None` where nothing is to be recorded: the client is disabled, its rules skip the request, or this runs inside
    /// an open request that is recorded already (a second layer; a request dispatched in-process by a handler is part of
    /// the same hop).
    pub fn begin_request<'h, I, N>(&self, head: &RequestHead<'_>, headers: impl Fn() -> I) -> Option<Exchange>
    where
        I: Iterator<Item = (N, &'h [u8])>,
        HeaderName<'h>: From<N>,
    {
        let inner = self.inner.as_deref()?;
        if inner.pipeline.rules.skips(head) || context::inside_open_request() {
            return None;
        }
        inner.pipeline.contain(|| Exchange::begin_incoming(&inner.pipeline, head, headers))
    }

    /// Begins the record of a call that this process makes, under the current request if there is one; for glue
    /// crates. `None` where the client is disabled or the call is hoplog's own.
    pub fn begin_call<'h, I, N>(&self, head: &RequestHead<'_>, headers: impl Fn() -> I) -> Option<Exchange>
    where
        I: Iterator<Item = (N, &'h [u8])>,
        HeaderName<'h>: From<N>,
    {
        let inner = self.inner.as_deref()?;
        if is_worker_thread() {
            return None;
        }
        inner.pipeline.contain(|| Exchange::begin_outgoing(&inner.pipeline, head, headers))
    }

    /// An entry of this level, tied to the current request; nothing happens before its `send()`.
    #[track_caller]
    pub fn log(&self, level: Level, message: impl AsRef<str>) -> EntryBuilder {
        self.log_from(level, message, &Origin::of_caller(Location::caller()))
    }

    /// Likewise, from elsewhere than the caller: for what turns other logs into entries.
    pub fn log_from(&self, level: Level, message: impl AsRef<str>, origin: &Origin<'_>) -> EntryBuilder {
        EntryBuilder::new(self.pipeline(), level, origin, || Cow::Borrowed(message.as_ref()))
    }

    #[doc(hidden)]
    pub fn __log(
        &self,
        level: Level,
        origin: Origin<'_>,
        function: impl FnOnce() -> &'static str,
        message: fmt::Arguments<'_>,
    ) -> EntryBuilder {
        // Which function it is takes a look at its name: only where somebody wants to know.
        let origin = if self.takes(level, origin.target) { origin.function(function()) } else { origin };
        // Its arguments are the application's: one that panics or fails in there does no harm.
        let message = || message.as_str().map_or_else(|| Cow::Owned(error_text(&message)), Cow::Borrowed);
        EntryBuilder::new(self.pipeline(), level, &origin, message)
    }

    /// Whether an entry of this level would be taken; `target` is the module that speaks, or empty.
    #[must_use]
    pub fn takes(&self, level: Level, target: &str) -> bool {
        self.pipeline().is_some_and(|pipeline| pipeline.levels.takes(level, target))
    }

    /// Measures from here to the drop of the guard, which writes an entry with this message and `duration_ms`.
    ///
    /// ```
    /// # let capture = hoplog::testing::capture();
    /// # let client = capture.client();
    /// {
    ///     let _timer = client.timer("db query").field("table", "orders");
    ///     // the query
    /// }
    /// # assert!(capture.entries()[0]["duration_ms"].is_number());
    /// ```
    #[track_caller]
    pub fn timer(&self, name: impl Into<Cow<'static, str>>) -> Timer {
        Timer::new(self.pipeline(), name.into())
    }

    /// Measures a closure. Its result passes through unchanged; an `Err` is noted in the entry, which then is of level
    /// `ERROR`. With fields or another level: [`Timer::measure`].
    ///
    /// ```
    /// # let capture = hoplog::testing::capture();
    /// # let client = capture.client();
    /// let port = client.measure("parse port", || "80 80".parse::<u16>());
    /// assert!(port.is_err());
    /// # assert_eq!(capture.entries()[0]["error_message"], "invalid digit found in string");
    /// ```
    ///
    /// # Errors
    /// Those of the closure.
    #[track_caller]
    pub fn measure<T, E: Noted<Kind>, Kind>(
        &self,
        name: impl Into<Cow<'static, str>>,
        call: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.timer(name).measure(call)
    }

    /// Likewise, of a future; one that is dropped before its end is `cancelled`.
    #[track_caller]
    pub fn measure_async<F, T, E, Kind>(
        &self,
        name: impl Into<Cow<'static, str>>,
        future: F,
    ) -> TimedFuture<F>
    where
        F: Future<Output = Result<T, E>>,
        E: Noted<Kind>,
    {
        self.timer(name).measure_async(future)
    }

    /// Steps of an algorithm.
    #[track_caller]
    pub fn trace(&self, message: impl AsRef<str>) -> EntryBuilder {
        self.log(Level::Trace, message)
    }

    /// For the developer at work.
    #[track_caller]
    pub fn debug(&self, message: impl AsRef<str>) -> EntryBuilder {
        self.log(Level::Debug, message)
    }

    /// Normal operation.
    #[track_caller]
    pub fn info(&self, message: impl AsRef<str>) -> EntryBuilder {
        self.log(Level::Info, message)
    }

    /// Unusual, handled.
    #[track_caller]
    pub fn warn(&self, message: impl AsRef<str>) -> EntryBuilder {
        self.log(Level::Warn, message)
    }

    /// Something failed.
    #[track_caller]
    pub fn error(&self, message: impl AsRef<str>) -> EntryBuilder {
        self.log(Level::Error, message)
    }

    /// The process cannot go on. Only logs; it ends nothing.
    #[track_caller]
    pub fn fatal(&self, message: impl AsRef<str>) -> EntryBuilder {
        self.log(Level::Fatal, message)
    }

    /// Has panics tell where they happened: puts a panic hook before the one that is there. A panic in a request's
    /// handler or response body then has its location and a backtrace in the request's entry; a panic anywhere else
    /// becomes an entry of its own. Off by default: a library installs no hook unasked.
    ///
    /// Call it once. The hook does not keep the client alive, and goes on to the hook before it in any case.
    pub fn install_panic_hook(&self) {
        if let Some(pipeline) = self.pipeline() {
            panic_hook::install(pipeline);
        }
    }

    /// The counts since the client was built.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Some(inner) = &self.inner else { return Stats::default() };
        let destinations = inner.worker.ledgers().into_iter();
        let destinations: Vec<_> = destinations.map(|(name, ledger)| (name, ledger.counts())).collect();
        // After them: what they have was accepted before.
        let queue = inner.pipeline.queue.counts();
        let (queue_bytes, queue_bytes_max) = inner.pipeline.queue.memory();
        Stats {
            accepted: queue.accepted,
            accepted_bytes: queue.accepted_bytes,
            refused: Drops::new(queue.dropped),
            queue_bytes,
            queue_bytes_max,
            memory_ceiling: queue_bytes_max + inner.worker.ceiling(),
            requests_not_noted: inner.pipeline.open_requests.as_ref().map_or(0, OpenRequests::missed),
            destinations: destinations
                .iter()
                .map(|(name, counts)| counts.stats(name, queue.taken_in()))
                .collect(),
        }
    }

    /// Delivers everything accepted before the call, or as much as the deadline allows. For any executor.
    ///
    /// # Errors
    /// The client is closed.
    pub async fn flush(&self, deadline: Duration) -> Result<FlushReport, Error> {
        let Some(inner) = &self.inner else { return Ok(FlushReport::default()) };
        let before = self.stats();
        let done = inner.worker.flush(after(deadline)).ok_or_else(Error::closed)?;
        let _ = done.await;
        Ok(FlushReport::between(&before, &self.stats()))
    }

    /// [`Client::flush`] for synchronous code. Blocks this thread; works inside a runtime too.
    ///
    /// # Errors
    /// The client is closed.
    pub fn flush_blocking(&self, deadline: Duration) -> Result<FlushReport, Error> {
        block_on(self.flush(deadline), deadline.saturating_add(GRACE))
            .unwrap_or_else(|| Ok(FlushReport::stuck(&self.stats())))
    }

    /// Lets go of every log file and opens what is at its path from then on; for `logrotate` and its like, after they
    /// moved a file. A file that was moved is noticed without it, before the next write to it, but not on Windows.
    ///
    /// # Errors
    /// The client is closed.
    pub async fn reopen_files(&self) -> Result<(), Error> {
        let Some(inner) = &self.inner else { return Ok(()) };
        let done = inner.worker.reopen().ok_or_else(Error::closed)?;
        let _ = done.await;
        Ok(())
    }

    /// Delivers what is queued and ends the worker, within the deadline; what is left then is dropped and counted.
    /// Entries logged later are counted as `after_close`. A second call does nothing.
    pub async fn shutdown(&self, deadline: Duration) -> ShutdownReport {
        let Some(inner) = &self.inner else { return ShutdownReport::default() };
        let before = self.stats();
        if let Some(done) = inner.worker.close(after(deadline)) {
            let _ = done.await;
        }
        #[cfg(feature = "toml")]
        self.forget_configuration();
        FlushReport::between(&before, &self.stats()).into()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let done = self.worker.close(after(DROP_DEADLINE));
        if is_worker_thread() {
            return;
        }
        // An earlier shutdown with a longer deadline, or a console that blocks, does not make this wait any longer.
        let patience = match done.map(|done| block_on(done, DROP_DEADLINE + GRACE)) {
            Some(Some(_)) => GRACE,
            Some(None) => Duration::ZERO,
            None => DROP_DEADLINE + GRACE,
        };
        self.worker.join(patience);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("enabled", &self.is_enabled()).finish_non_exhaustive()
    }
}

/// That long from now; more than a year is taken as one, for the clock has an end.
fn after(wait: Duration) -> Instant {
    Instant::now() + wait.min(Duration::from_secs(365 * 24 * 60 * 60))
}

/// Polls a future on this thread, parked in between, for as long as `patience` lasts. Unlike a runtime's `block_on` it
/// may be called anywhere: what it waits for is done by the worker's thread.
fn block_on<F: Future>(future: F, patience: Duration) -> Option<F::Output> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    // A patience beyond all time is none.
    let until = Instant::now().checked_add(patience);
    let mut future = std::pin::pin!(future);
    loop {
        match (future.as_mut().poll(&mut TaskContext::from_waker(&waker)), until) {
            (Poll::Ready(output), _) => return Some(output),
            (Poll::Pending, None) => std::thread::park(),
            (Poll::Pending, Some(until)) => match until.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => std::thread::park_timeout(left),
                _ => return None,
            },
        }
    }
}
