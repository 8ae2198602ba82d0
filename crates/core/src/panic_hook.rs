//! Where a panic happened, which only a panic hook gets to know.

use std::backtrace::Backtrace;
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Weak};

use crate::capture::{Panic, panic_message};
use crate::context;
use crate::error_chain::{error_text, in_values};
use crate::logger::EntryBuilder;
use crate::pipeline::Pipeline;
use crate::redact::{is_unasked, unasked};
use crate::worker::is_worker_thread;

/// Puts a hook before the one that is there, which runs as before.
pub(crate) fn install(pipeline: &Arc<Pipeline>) {
    let pipeline = Arc::downgrade(pipeline);
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        tell(&pipeline, info);
        previous(info);
    }));
}

fn tell(pipeline: &Weak<Pipeline>, info: &PanicHookInfo<'_>) {
    // A client that is gone, or hoplog's own thread: the previous hook will do.
    let Some(pipeline) = pipeline.upgrade().filter(|_| !is_worker_thread()) else { return };
    let panic = Panic {
        message: panic_message(info.payload()),
        file: info.location().map_or("", |location| location.file()),
        line: info.location().map_or(0, |location| location.line()),
        backtrace: error_text(&Backtrace::force_capture()),
    };
    // In a value or a redaction hook it ends there, and the request goes on.
    let ends_here = in_values() || is_unasked();
    // Nothing of the application's is called from in here: were it to panic, the process would abort.
    unasked(|| {
        // The request that is being polled takes it as its own; a panic anywhere else is an entry.
        if ends_here || !context::tell_panic(&pipeline, &panic) {
            EntryBuilder::of_panic(&pipeline, &panic).send();
        }
    });
}
