//! How long something takes, as an entry at its end.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, ready};
use std::thread;
use std::time::Duration;

use hoplog_entry::{Level, Outcome};
use serde::Serialize;

use super::{EntryBuilder, Noted, Origin, taking};
use crate::clock::Moment;
use crate::context::{self, Context, Notes, json};
use crate::pipeline::Pipeline;

/// Measures until it is dropped, which writes an entry: the timer's name as its message, `duration_ms`, and how it
/// ended. Made by [`Client::timer`](crate::Client::timer).
///
/// | ended by | outcome | level |
/// |---|---|---|
/// | its drop, [`Timer::stop`], an `Ok` | `completed` | the timer's, `INFO` by default |
/// | [`Timer::fail`], an `Err` | `service_error` | `ERROR` |
/// | a panic | `panicked` | `ERROR` |
/// | a future that was dropped before its end | `cancelled` | `WARN`, or the timer's if that is higher |
///
/// The entry belongs to the request and the scopes that the timer was made in, wherever it ends. Where it would lie
/// below the least level nothing is written.
#[must_use = "a timer measures until it is dropped"]
pub struct Timer {
    running: Option<Running>,
}

struct Running {
    pipeline: Arc<Pipeline>,
    context: Context,
    name: Cow<'static, str>,
    level: Level,
    started: Moment,
    place: &'static Location<'static>,
    /// Else a panic that was under way before is none of the timer's.
    calm: bool,
    notes: Notes,
}

impl Timer {
    #[track_caller]
    pub(crate) fn new(pipeline: Option<&Arc<Pipeline>>, name: Cow<'static, str>) -> Self {
        let place = Location::caller();
        let running = pipeline.map(|pipeline| Running {
            started: pipeline.clock.now(),
            pipeline: Arc::clone(pipeline),
            context: context::current(),
            name,
            level: Level::Info,
            place,
            calm: !thread::panicking(),
            notes: Notes::default(),
        });
        Self { running }
    }

    /// A field of the entry, as [`EntryBuilder::field`]; at most 64 of them, and 32 KiB.
    pub fn field(mut self, name: &str, value: impl Serialize) -> Self {
        if let Some(running) = &mut self.running {
            running.notes.set_field(name, &json(value));
        }
        self
    }

    /// The level of the entry if all goes well. Default: `INFO`.
    pub fn level(mut self, level: Level) -> Self {
        if let Some(running) = &mut self.running {
            running.level = level;
        }
        self
    }

    /// Ends it here.
    pub fn stop(self) {}

    /// Ends it here, with the error that did.
    pub fn fail<E: Noted<Kind>, Kind>(mut self, error: &E) {
        self.end(Outcome::ServiceError, |entry| error.note(entry));
    }

    /// Ends it without an entry.
    pub fn discard(mut self) {
        self.running = None;
    }

    /// Runs a closure; its result passes through unchanged, an `Err` is noted.
    ///
    /// # Errors
    /// Those of the closure.
    pub fn measure<T, E: Noted<Kind>, Kind>(self, call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let result = call();
        self.end_with(&result);
        result
    }

    /// Likewise of a future. The time runs from here, not from its first poll.
    pub fn measure_async<F, T, E, Kind>(self, future: F) -> TimedFuture<F>
    where
        F: Future<Output = Result<T, E>>,
        E: Noted<Kind>,
    {
        TimedFuture { future, timer: Some(self), end: |timer, result| timer.end_with(result) }
    }

    fn end_with<T, E: Noted<Kind>, Kind>(self, result: &Result<T, E>) {
        match result {
            Ok(_) => self.stop(),
            Err(error) => self.fail(error),
        }
    }

    fn end(&mut self, outcome: Outcome, note: impl FnOnce(EntryBuilder) -> EntryBuilder) {
        let Some(running) = self.running.take() else { return };
        let Running { pipeline, level, started, .. } = &running;
        let level = match outcome {
            Outcome::Completed => *level,
            Outcome::Cancelled => (*level).max(Level::Warn),
            _ => (*level).max(Level::Error),
        };
        let origin = Origin::of_caller(running.place).context(&running.context);
        if taking(Some(pipeline), level, &origin).is_err() {
            return;
        }
        let took = Duration::from_nanos(pipeline.clock.now().since(*started));
        let origin = origin.lasted(took);
        let mut entry = note(EntryBuilder::begin(Arc::clone(pipeline), level, &origin, Some(&running.name)));
        if let Ok(open) = &mut entry.state {
            running.notes.write(&mut open.record, pipeline);
            open.outcome = Some(outcome);
        }
        entry.send();
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let panicked = self.running.as_ref().is_some_and(|running| running.calm) && thread::panicking();
        self.end(if panicked { Outcome::Panicked } else { Outcome::Completed }, |entry| entry);
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.running.as_ref().map(|running| &running.name);
        f.debug_struct("Timer").field("name", &name).finish_non_exhaustive()
    }
}

pin_project_lite::pin_project! {
    /// A future that is measured; made by [`Timer::measure_async`].
    pub struct TimedFuture<F: Future> {
        #[pin]
        future: F,
        timer: Option<Timer>,
        end: fn(Timer, &F::Output),
    }

    impl<F: Future> PinnedDrop for TimedFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            // With a panic under way the timer's own drop knows better.
            if let Some(timer) = this.project().timer.as_mut().filter(|_| !thread::panicking()) {
                timer.end(Outcome::Cancelled, |entry| entry);
            }
        }
    }
}

impl<F: Future> Future for TimedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let watch = Watch { timer: this.timer, calm: !thread::panicking() };
        let output = ready!(this.future.poll(cx));
        if let Some(timer) = watch.timer.take() {
            (this.end)(timer, &output);
        }
        Poll::Ready(output)
    }
}

/// Ends the timer while a panic goes by: who catches it may drop the future much later.
struct Watch<'t> {
    timer: &'t mut Option<Timer>,
    /// Else the panic is not the future's.
    calm: bool,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if self.calm && thread::panicking() {
            drop(self.timer.take());
        }
    }
}

impl<F: Future> fmt::Debug for TimedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimedFuture").field("timer", &self.timer).finish_non_exhaustive()
    }
}
