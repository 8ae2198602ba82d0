//! Entries that the application writes itself.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::panic::Location;
use std::sync::Arc;

use hoplog_entry::{EntryId, Field, Kind, Level, RecordWriter};
use serde::Serialize;

use crate::capture::{PANIC, Panic};
use crate::context;
use crate::error_chain::{error_sources, error_text, harmless};
use crate::pipeline::Pipeline;
use crate::worker::is_worker_thread;

thread_local! {
    static SPARE: RefCell<Vec<RecordWriter>> = const { RefCell::new(Vec::new()) };
}

/// The most record buffers a thread keeps: an entry is rarely built inside another one's fields.
const KEPT: usize = 4;
/// A buffer that grew beyond this is not kept.
const LARGEST_KEPT: usize = 16 * 1024;

/// An entry under way; [`EntryBuilder::send`] hands it over. Below the client's minimum level every call is a no-op.
#[must_use = "an entry is written by its `send()`"]
#[derive(Debug)]
pub struct EntryBuilder {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    pipeline: Arc<Pipeline>,
    level: Level,
    record: RecordWriter,
}

impl EntryBuilder {
    #[track_caller]
    pub(crate) fn new(pipeline: Option<&Arc<Pipeline>>, level: Level, message: &str) -> Self {
        let caller = Location::caller();
        match pipeline.filter(|p| level >= p.min_level && !is_worker_thread()) {
            Some(pipeline) => Self::begin(pipeline, level, message, caller.file(), caller.line()),
            None => Self { open: None },
        }
    }

    /// A panic outside of a request's own poll: in a spawned task, a thread, at the start.
    pub(crate) fn of_panic(pipeline: &Arc<Pipeline>, panic: &Panic<'_>) -> Self {
        Self::begin(pipeline, Level::Error, panic.message, panic.file, panic.line)
            .text(Field::ErrorType, PANIC)
            .free_text(Field::ErrorMessage, panic.message)
            .free_text(Field::StackTrace, &panic.backtrace)
    }

    fn begin(pipeline: &Arc<Pipeline>, level: Level, message: &str, file: &str, line: u32) -> Self {
        let created = pipeline.clock.unix_ns(pipeline.clock.now());
        let mut record = SPARE.try_with(|s| s.borrow_mut().pop()).ok().flatten().unwrap_or_default();
        record.begin(Kind::Event, EntryId::generate(created / 1_000_000), created);
        record.text(Field::Message, &pipeline.redactor.text(message));
        record.text(Field::FilePath, file);
        record.uint(Field::Line, line.into());
        if let Some(live) = context::current().live() {
            record.trace_id(Field::TraceId, &live.trace_id);
            record.span_id(Field::SpanId, &live.span_id);
            record.text(Field::RequestId, live.request_id());
            if live.is_opaque() {
                record.text(Field::XTraceId, live.x_trace_id());
            }
        }
        Self { open: Some(Open { pipeline: Arc::clone(pipeline), level, record }) }
    }

    /// A field of your own, of any serializable value. A secret name (`password`, `api_key`, …) keeps its key and
    /// loses its value, at any depth; texts lose what looks like a secret. A value that cannot be serialized is
    /// replaced by a note that says so.
    pub fn field(mut self, name: &str, value: impl Serialize) -> Self {
        if let Some(open) = &mut self.open {
            let redactor = &open.pipeline.redactor;
            let json = harmless(|| serde_json::to_string(&value).map_err(|error| error_text(&error)));
            let json = json.unwrap_or_else(|| Err("it panicked".into())).unwrap_or_else(|reason| {
                serde_json::to_string(&format!("[not serializable: {reason}]")).unwrap_or_default()
            });
            // A name may be a secret itself, one that is made from a value.
            if let Some(json) = redactor.field(name, &json) {
                open.record.custom_json(&redactor.text(name), &json);
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

    /// The error behind it: its type, what it says, and its chain of sources.
    pub fn error<E: StdError + ?Sized>(self, error: &E) -> Self {
        let entry = self
            .text(Field::ErrorType, std::any::type_name::<E>())
            .free_text(Field::ErrorMessage, &error_text(error));
        match error_sources(harmless(|| error.source()).flatten()) {
            Some(sources) => entry.free_text(Field::StackTrace, &sources),
            None => entry,
        }
    }

    /// Hands the entry over: no wait, no I/O. If the queue is full it is dropped and counted.
    pub fn send(self) {
        let Some(mut open) = self.open else { return };
        let urgent = open.level >= Level::Error;
        let _ = open.pipeline.queue.push(open.record.end(open.level, None), urgent);
        if open.record.capacity() <= LARGEST_KEPT {
            let _ = SPARE.try_with(|spare| {
                let mut spare = spare.borrow_mut();
                if spare.len() < KEPT {
                    spare.push(open.record);
                }
            });
        }
    }

    fn text(mut self, field: Field, value: &str) -> Self {
        if let Some(open) = &mut self.open {
            open.record.text(field, value);
        }
        self
    }

    /// Text that may hold what nobody meant to log.
    fn free_text(mut self, field: Field, value: &str) -> Self {
        if let Some(open) = &mut self.open {
            open.record.text(field, &open.pipeline.redactor.text(value));
        }
        self
    }
}
