//! What threads meet in: locks that outlive a panic (what they guard is counters and bytes, valid at every step), counts,
//! wake-ups, waiting.
//!
//! The queue takes all of it from here, so that `crates/models` can compile the queue with a scheduler's own kind of each
//! and try every order of events.

use std::cell::Cell;
use std::sync::{MutexGuard, PoisonError};

pub(crate) use std::sync::Mutex;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
pub(crate) use tokio::sync::Notify;

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

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// A small number per thread, so that threads spread evenly over the shards.
#[inline]
pub(crate) fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NUMBER
        .try_with(|number| {
            if number.get() == usize::MAX {
                number.set(NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            }
            number.get()
        })
        .unwrap_or(0)
}

/// Into how many parts a queue is divided, a power of two. More than cores: whoever is interrupted in a push keeps only
/// those waiting who share its part.
pub(crate) fn shards() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (cores.next_power_of_two() * 4).min(16)
}
