//! A last word before the process aborts.

use std::panic;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::{Client, Inner, block_on};
use crate::worker::is_worker_thread;

/// What a panic waits for the disk, at most.
const PATIENCE: Duration = Duration::from_millis(500);

impl Client {
    /// For programs that are built with `panic = "abort"`, where nothing is dropped: puts a panic hook before the one
    /// that is there. It has everything that is in memory written to the spool and synced, or sent where a destination has
    /// none, and waits for that, for 500 ms at most; then it goes on to the hook before it. Off by default.
    ///
    /// In a program whose panics unwind each of them would cost that time, and gain nothing: do not call it there. No hook
    /// runs where a process is killed, overflows its stack, runs out of memory, or calls `abort` or `exit`; against
    /// that helps [`Durability::WriteThrough`](crate::Durability::WriteThrough).
    ///
    /// Call it once, and [`Client::install_panic_hook`] after it: then the entry of the panic is saved, too. The hook
    /// does not keep the client alive.
    pub fn save_before_abort(&self) {
        let Some(inner) = self.inner.as_ref().map(Arc::downgrade) else { return };
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            save(&inner);
            previous(info);
        }));
    }
}

/// hoplog's own threads do the work: one that panicked itself waits for nobody. Where they cannot go on, for the thread
/// that panicked holds what they need, the time is over soon.
fn save(inner: &Weak<Inner>) {
    let Some(inner) = inner.upgrade().filter(|_| !is_worker_thread()) else { return };
    if let Some(saved) = inner.worker.save(Instant::now() + PATIENCE) {
        let _ = block_on(saved, PATIENCE);
    }
}
