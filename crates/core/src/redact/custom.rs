//! The application's own judgement, asked where the rules found nothing.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::treatment::{Fate, Place, Treatment};
use crate::context::Context;

type Judge = dyn Fn(Place, &str, &str) -> Option<Treatment> + Send + Sync;

#[derive(Clone)]
pub(super) struct Custom(Arc<Judge>);

thread_local! {
    /// A hook that logs would be asked about its own entries, without end.
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Runs this with no hook asked, where a panic in one would end the process: what it would have judged has failed.
pub(crate) fn unasked<T>(f: impl FnOnce() -> T) -> T {
    let before = ASKED.try_with(|asked| asked.replace(true));
    let done = f();
    let _ = before.map(|before| ASKED.try_with(|asked| asked.set(before)));
    done
}

/// Whether no hook would be asked now.
pub(crate) fn is_unasked() -> bool {
    ASKED.try_with(Cell::get).unwrap_or(true)
}

impl Custom {
    pub(super) fn new(
        judge: impl Fn(Place, &str, &str) -> Option<Treatment> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(judge))
    }

    /// What to do; `None` to keep the value. A hook that panics, that is asked from within itself, or that would have
    /// to read what is no text, has failed: the value goes.
    pub(super) fn judge(&self, place: Place, name: &[u8], value: &[u8]) -> Option<Fate> {
        let (Ok(name), Ok(value)) = (std::str::from_utf8(name), std::str::from_utf8(value)) else {
            return Some(Fate::Failed);
        };
        if ASKED.try_with(|asked| asked.replace(true)).unwrap_or(true) {
            return Some(Fate::Failed);
        }
        // In nobody's context: the request's own record may be locked, and the hook must not wait for itself.
        let outside = Context::default().enter();
        let answer = catch_unwind(AssertUnwindSafe(|| (self.0)(place, name, value)));
        drop(outside);
        let _ = ASKED.try_with(|asked| asked.set(false));
        match answer {
            Ok(treatment) => treatment.map(Fate::Treat),
            Err(_) => Some(Fate::Failed),
        }
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Custom(…)")
    }
}
