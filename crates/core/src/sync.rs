//! Locks that outlive a panic: what they guard is counters and bytes, valid at every step. And waiting.

use std::sync::{Mutex, MutexGuard, PoisonError};

#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a call on this thread may be made to wait: nobody but its caller is held up.
pub(crate) fn may_wait() -> bool {
    tokio::runtime::Handle::try_current().is_err()
}

pub(crate) fn pause(time: std::time::Duration) {
    std::thread::sleep(time);
}
