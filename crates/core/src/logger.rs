//! Entries that the application writes itself.
//!
//! ```text
//! client.info(…) ─ level, limit of the request ─► EntryBuilder ─ fields, error ─► send ─► queue
//!                                                  │ at its beginning: ids of the request, notes of request and scopes
//! client.timer(…) ───────────────────────────────► likewise, when it is dropped
//! ```

mod fields;
mod noted;
mod origin;
mod refused;
mod timer;

use std::backtrace::Backtrace;
use std::borrow::Cow;
use std::cell::RefCell;
use std::error::Error as StdError;
use std::sync::Arc;

use hoplog_entry::{DropReason, EntryId, Field, Kind, Level, Outcome, RecordWriter};
use serde::Serialize;

use crate::capture::{Live, PANIC, Panic};
use crate::context::{self, Context, json};
use crate::durable::{Durable, NotDurable, Waiter};
use crate::error_chain::{error_sources, error_text, of_values};
use crate::pipeline::Pipeline;
use crate::redact::is_unasked;
use crate::worker::is_worker_thread;
pub use fields::{FieldWriter, SharedFields};
pub use noted::Noted;
pub use origin::{Origin, function_of};
pub use refused::{Refusal, Refused};
pub use timer::{TimedFuture, Timer};

thread_local! {
    static SPARE: RefCell<Vec<RecordWriter>> = const { RefCell::new(Vec::new()) };
}

/// The most record buffers a thread keeps: an entry is rarely built inside another one's fields.
const KEPT: usize = 4;
/// The most fields of one entry, beside those of its request and scopes: encoders compare their names.
const MAX_FIELDS: u32 = 256;
/// A buffer that grew beyond this is not kept.
const LARGEST_KEPT: usize = 16 * 1024;

/// An entry under way; [`EntryBuilder::send`] hands it over. Where it is not taken every call is a no-op.
#[must_use = "an entry is written by its `send()`"]
#[derive(Debug)]
pub struct EntryBuilder {
    state: Result<Open, Refusal>,
}

#[derive(Debug)]
struct Open {
    pipeline: Arc<Pipeline>,
    level: Level,
    outcome: Option<Outcome>,
    record: RecordWriter,
    fields: u32,
    /// Fields that found no room.
    left_out: u64,
}

impl EntryBuilder {
    /// The message is asked for only if the entry is taken.
    pub(crate) fn new<'m>(
        pipeline: Option<&Arc<Pipeline>>,
        level: Level,
        origin: &Origin<'_>,
        message: impl FnOnce() -> Cow<'m, str>,
    ) -> Self {
        match taking(pipeline, level, origin) {
            Ok(pipeline) => Self::begin(Arc::clone(pipeline), level, origin, Some(&message())),
            Err(refusal) => Self { state: Err(refusal) },
        }
    }

    /// Without a message so far.
    pub(crate) fn unsaid(pipeline: Option<Arc<Pipeline>>, level: Level, origin: &Origin<'_>) -> Self {
        match (taking(pipeline.as_ref(), level, origin).err(), pipeline) {
            (None, Some(pipeline)) => Self::begin(pipeline, level, origin, None),
            (refusal, _) => Self { state: Err(refusal.unwrap_or(Refusal::Disabled)) },
        }
    }

    /// A panic outside of a request's own poll: in a spawned task, a thread, at the start.
    pub(crate) fn of_panic(pipeline: &Arc<Pipeline>, panic: &Panic<'_>) -> Self {
        let origin = Origin::default().file(panic.file, panic.line);
        // A panic while this thread held the record must not wait for it.
        let here = Some(context::current()).filter(|here| here.live().is_none_or(|live| !live.is_busy()));
        let (pipeline, here) = (Arc::clone(pipeline), here.unwrap_or_default());
        Self::begin(pipeline, Level::Error, &origin.context(&here), Some(panic.message))
            .text(Field::ErrorType, PANIC)
            .free_text(Field::ErrorMessage, panic.message)
            .free_text(Field::StackTrace, &panic.backtrace)
    }

    fn begin(pipeline: Arc<Pipeline>, level: Level, origin: &Origin<'_>, message: Option<&str>) -> Self {
        let here;
        let context = match origin.context {
            // A redaction hook is asked while the request's record is locked; what it logs must not wait for that.
            Some(given) if is_unasked() && given.live().is_some_and(Live::is_busy) => &Context::default(),
            Some(context) => context,
            None => {
                here = context::current();
                &here
            }
        };
        let lasted = origin.lasted.map(|lasted| u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX));
        let now = pipeline.clock.unix_ns(pipeline.clock.now());
        let created = now.saturating_sub(lasted.unwrap_or(0));
        let live = context.live();
        let notes = match live.map(|live| live.one_more_event(pipeline.max_events)) {
            Some((false, _)) => {
                pipeline.queue.leave_out(DropReason::RateLimitedLocal);
                return Self { state: Err(Refusal::Dropped(DropReason::RateLimitedLocal)) };
            }
            Some((true, notes)) => notes,
            None => None,
        };
        let mut record = spare();
        record.begin(Kind::Event, EntryId::generate(created / 1_000_000), created);
        if let Some(message) = message {
            record.text(Field::Message, &pipeline.redactor.text(message));
        }
        for (field, text) in [
            (Field::Target, origin.target),
            (Field::FunctionName, origin.function),
            (Field::FilePath, origin.file),
        ] {
            if !text.is_empty() {
                record.text(field, text);
            }
        }
        if origin.line > 0 {
            record.uint(Field::Line, origin.line.into());
        }
        if let Some(lasted) = lasted {
            record.nanos(Field::Duration, lasted);
        }
        let ids = live.map(|live| (live.trace_id, live.span_id));
        if let Some((trace, span)) = origin.trace.or(ids) {
            record.trace_id(Field::TraceId, &trace);
            record.span_id(Field::SpanId, &span);
            if let Some((own, span)) = ids.filter(|(own, _)| *own != trace) {
                record.trace_id(Field::LinkedTraceId, &own);
                record.span_id(Field::LinkedSpanId, &span);
            }
        }
        if let Some(live) = live {
            record.text(Field::RequestId, live.request_id());
            if live.is_opaque() {
                record.text(Field::XTraceId, live.x_trace_id());
            }
        }
        context.write_notes(&mut record, &pipeline, notes.as_deref());
        Self { state: Ok(Open { pipeline, level, outcome: None, record, fields: 0, left_out: 0 }) }
    }

    /// Whether it is taken so far: the client is enabled, and the level high enough.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.state.is_ok()
    }

    /// A field of your own, of any serializable value. A secret name (`password`, `api_key`, …) keeps its key and
    /// loses its value, at any depth; texts lose what looks like a secret. A value that cannot be serialized is
    /// replaced by a note that says so. At most 256 of them are kept; the entry counts the others as `fields_left_out`.
    pub fn field(mut self, name: &str, value: impl Serialize) -> Self {
        if let Ok(open) = &mut self.state {
            if open.fields == MAX_FIELDS {
                open.left_out += 1;
            } else {
                open.fields += 1;
                open.field(name, &json(value));
            }
        }
        self
    }

    /// Who this is about.
    pub fn user_id(self, id: &str) -> Self {
        self.free_text(Field::UserId, id)
    }

    /// The session it belongs to.
    pub fn session_id(self, id: &str) -> Self {
        self.free_text(Field::SessionId, id)
    }

    /// The tenant it belongs to.
    pub fn tenant_id(self, id: &str) -> Self {
        self.free_text(Field::TenantId, id)
    }

    /// The error behind it: its type, what it says, its chain of sources, and the backtrace of this call where
    /// [`ClientBuilder::backtraces`](crate::ClientBuilder::backtraces) asks for one.
    pub fn error<E: StdError + ?Sized>(self, error: &E) -> Self {
        if !self.is_taken() {
            return self;
        }
        let sources = error_sources(of_values(|| error.source()).flatten());
        self.failure(std::any::type_name::<E>(), &error_text(error), sources)
    }

    fn failure(mut self, error_type: &str, message: &str, sources: Option<String>) -> Self {
        if let Ok(open) = &mut self.state {
            failure(&open.pipeline, &mut open.record, error_type, message, sources);
        }
        self
    }

    /// Writes fields one at a time, as they are found; for glue crates. They count as those of
    /// [`field`](Self::field) do.
    pub fn write(&mut self, write: impl FnOnce(&mut FieldWriter<'_>)) {
        if let Ok(open) = &mut self.state {
            let room = MAX_FIELDS - open.fields;
            let (fields, left_out) = FieldWriter::of_entry(&open.pipeline, &mut open.record, room, write);
            open.fields += fields;
            open.left_out += left_out;
        }
    }

    /// Writes fields that it shares with other entries.
    pub fn shared(&mut self, fields: &SharedFields) {
        if let Ok(open) = &mut self.state {
            open.left_out += fields.append_to(&open.pipeline, &mut open.record);
        }
    }

    /// Hands the entry over: no wait, no I/O. If the queue is full it is dropped and counted.
    pub fn send(self) {
        let _ = self.try_send();
    }

    /// As [`EntryBuilder::send`], and says whether the entry was taken.
    ///
    /// # Errors
    /// It was not: the reason, and the entry to be sent again. One that was dropped is counted, each time.
    pub fn try_send(self) -> Result<(), Refused> {
        let mut open = match self.state {
            Ok(open) => open,
            Err(reason) => return Err(Refused { entry: self, reason }),
        };
        open.note_left_out();
        let urgent = open.level >= Level::Error;
        let record = open.record.end(open.level, open.outcome);
        if let Err(reason) = open.pipeline.queue.push_from_call(record, urgent) {
            let reason = Refusal::Dropped(reason);
            return Err(Refused { entry: Self { state: Ok(open) }, reason });
        }
        keep(open.record);
        Ok(())
    }

    /// Hands the entry over at once, and returns when it is on the disk: synced in the spool of every destination that
    /// has one ([`ClientBuilder::spool`](crate::ClientBuilder::spool)). Entries that are waited for at the same time share
    /// a sync, which begins at most 5 ms after the first.
    ///
    /// The entry is accepted by the call itself: dropping the future only means that nobody waits any more.
    ///
    /// ```
    /// # async fn f(client: hoplog::Client) {
    /// match client.info("order paid").field("order_id", 17).durable().await {
    ///     Ok(_) => {}
    ///     Err(not) => eprintln!("not on the disk: {not}"),
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// It is not known to be on the disk, and why; never a later success, and never success without a disk.
    pub fn durable(self) -> impl Future<Output = Result<Durable, NotDurable>> + Send + 'static {
        let (waiter, heard) = tokio::sync::oneshot::channel();
        let accepted = self.push_durable(waiter);
        async move {
            match accepted {
                Ok(()) => heard.await.unwrap_or(Err(NotDurable::Closed)),
                Err(refused) => Err(NotDurable::Refused(refused)),
            }
        }
    }

    fn push_durable(self, waiter: Waiter) -> Result<(), Refusal> {
        let mut open = self.state?;
        open.note_left_out();
        let urgent = open.level >= Level::Error;
        let pushed =
            open.pipeline.queue.push_durable(open.record.end(open.level, open.outcome), urgent, waiter);
        keep(open.record);
        pushed.map_err(Refusal::Dropped)
    }

    fn text(mut self, field: Field, value: &str) -> Self {
        if let Ok(open) = &mut self.state {
            open.record.text(field, value);
        }
        self
    }

    /// Text that may hold what nobody meant to log.
    fn free_text(mut self, field: Field, value: &str) -> Self {
        if let Ok(open) = &mut self.state {
            open.record.text(field, &open.pipeline.redactor.text(value));
        }
        self
    }
}

/// What went wrong, with the backtrace of this call where the client's configuration asks for one.
fn failure(
    pipeline: &Pipeline,
    record: &mut RecordWriter,
    error_type: &str,
    message: &str,
    sources: Option<String>,
) {
    let backtrace = pipeline.backtraces.then(|| error_text(&Backtrace::force_capture()));
    let stack = match (sources, backtrace) {
        (Some(sources), Some(trace)) => Some(format!("{sources}\n{trace}")),
        (sources, trace) => sources.or(trace),
    };
    record.text(Field::ErrorType, error_type);
    record.text(Field::ErrorMessage, &pipeline.redactor.text(message));
    if let Some(stack) = stack {
        record.text(Field::StackTrace, &pipeline.redactor.text(&stack));
    }
}

impl Open {
    fn note_left_out(&mut self) {
        if self.left_out > 0 {
            self.record.custom_json("fields_left_out", &self.left_out.to_string());
        }
    }

    fn field(&mut self, name: &str, json: &str) {
        if let Some(json) = self.pipeline.redactor.field(name, json) {
            // A name may be a secret itself, one that is made from a value.
            self.record.custom_json(&self.pipeline.redactor.text(name), &json);
        }
    }
}

/// A buffer of this thread, or a new one.
fn spare() -> RecordWriter {
    SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten().unwrap_or_default()
}

/// Keeps a buffer for the next entry.
fn keep(record: RecordWriter) {
    if record.capacity() <= LARGEST_KEPT {
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < KEPT {
                spare.push(record);
            }
        });
    }
}

/// The pipeline that takes an entry of this level from there, or why none does.
#[inline]
fn taking<'p>(
    pipeline: Option<&'p Arc<Pipeline>>,
    level: Level,
    origin: &Origin<'_>,
) -> Result<&'p Arc<Pipeline>, Refusal> {
    let pipeline = pipeline.ok_or(Refusal::Disabled)?;
    if !pipeline.levels.takes(level, origin.target) {
        return Err(Refusal::BelowLevel);
    }
    if is_worker_thread() {
        return Err(Refusal::OwnThread);
    }
    Ok(pipeline)
}
