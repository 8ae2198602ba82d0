//! What went wrong in a handler: the error that it attached, the panic that ended it.

use std::any::Any;
use std::error::Error;
use std::sync::{Arc, TryLockError};

use hoplog_entry::Field;

use super::live::Live;
use super::record::OpenRecord;
use crate::error_chain::{error_sources, error_text, of_values};
use crate::pipeline::Pipeline;

/// The type that a panic has in an entry's `error_type`.
pub(crate) const PANIC: &str = "panic";

/// An error as an entry tells it: its type, what it says, its chain of sources. A handler that answers an error with
/// a response may leave one among the response's extensions; see also
/// [`Context::set_error`](crate::Context::set_error).
///
/// ```
/// let error = std::io::Error::other("disk on fire");
/// let report = hoplog::ErrorReport::new(&error);
/// assert_eq!(report.message(), "disk on fire");
/// ```
#[derive(Debug, Clone)]
pub struct ErrorReport(Arc<Report>);

#[derive(Debug)]
struct Report {
    error_type: &'static str,
    message: String,
    sources: Option<String>,
}

impl ErrorReport {
    /// Reads the error and its sources, at most 32.
    pub fn new<E: Error + ?Sized>(error: &E) -> Self {
        Self(Arc::new(Report {
            error_type: std::any::type_name::<E>(),
            message: error_text(error),
            sources: error_sources(of_values(|| error.source()).flatten()),
        }))
    }

    /// What the error says.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub(super) fn write(&self, record: &mut OpenRecord) {
        record.error(self.0.error_type, &self.0.message, self.0.sources.as_deref());
    }
}

/// A panic as the panic hook sees it.
#[derive(Debug)]
pub(crate) struct Panic<'a> {
    pub(crate) message: &'a str,
    pub(crate) file: &'a str,
    pub(crate) line: u32,
    pub(crate) backtrace: String,
}

impl Live {
    /// Whether its record is locked, perhaps by this very thread.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.record.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Notes a panic in the request's own poll; false if the request is not this client's or has ended. The lock is
    /// not waited for: the panic may have happened while it was held.
    pub(crate) fn tell_panic(&self, pipeline: &Arc<Pipeline>, panic: &Panic<'_>) -> bool {
        let mut record = match self.record.try_lock() {
            Ok(record) => record,
            Err(TryLockError::Poisoned(record)) => record.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let ours = record.pipeline.as_ref().is_some_and(|p| Arc::ptr_eq(p, pipeline));
        if ours {
            record.panic_told = true;
            record.failed = true;
            record.write_error(PANIC, panic.message, Some(&panic.backtrace));
            record.writer.text(Field::FilePath, panic.file);
            record.writer.uint(Field::Line, panic.line.into());
        }
        ours
    }
}

/// A panic goes by: the request has ended so, and its message is noted unless the panic hook told more already.
#[cold]
pub(super) fn panicked(record: &mut OpenRecord, payload: &(dyn Any + Send)) {
    if !record.is_written() {
        return;
    }
    record.panicked = true;
    if !std::mem::replace(&mut record.panic_told, true) {
        if std::mem::replace(&mut record.failed, true) {
            // The sources of another error.
            record.writer.remove(Field::StackTrace);
        }
        record.write_error(PANIC, panic_message(payload), None);
    }
}

/// What `panic!` was called with; other payloads say nothing.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}
