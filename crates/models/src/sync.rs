//! The content of a copy's `sync`: what core has in `crates/core/src/sync.rs`, of a scheduler's kind.

macro_rules! sync_of {
    ($scheduler:ident, $shards:expr) => {
        use std::cell::Cell;
        use std::sync::PoisonError;
        use std::sync::atomic::Ordering;
        use std::task::{Poll, Waker};

        pub(crate) use $scheduler::sync::atomic::{AtomicBool, AtomicU64};
        pub(crate) use $scheduler::sync::{Mutex, MutexGuard};

        use crate::fault::{self, Fault};

        pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
            mutex.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// A count that can be torn on demand.
        #[derive(Debug)]
        pub(crate) struct AtomicUsize($scheduler::sync::atomic::AtomicUsize);

        impl AtomicUsize {
            pub(crate) fn new(value: usize) -> Self {
                Self($scheduler::sync::atomic::AtomicUsize::new(value))
            }

            pub(crate) fn load(&self, order: Ordering) -> usize {
                self.0.load(order)
            }

            pub(crate) fn store(&self, value: usize, order: Ordering) {
                self.0.store(value, order);
            }

            pub(crate) fn fetch_add(&self, more: usize, order: Ordering) -> usize {
                self.0.fetch_add(more, order)
            }

            pub(crate) fn fetch_sub(&self, less: usize, order: Ordering) -> usize {
                if fault::is(Fault::TornCount) {
                    let before = self.0.load(Ordering::Acquire);
                    self.0.store(before - less, Ordering::Release);
                    return before;
                }
                self.0.fetch_sub(less, order)
            }

            pub(crate) fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut update: impl FnMut(usize) -> Option<usize>,
            ) -> Result<usize, usize> {
                if fault::is(Fault::TornCount) {
                    let before = self.0.load(Ordering::Acquire);
                    let after = update(before).ok_or(before)?;
                    self.0.store(after, Ordering::Release);
                    return Ok(before);
                }
                self.0.fetch_update(set, fetch, update)
            }
        }

        /// What tokio's `Notify` promises to the one who waits: a wake-up that comes before is not lost.
        #[derive(Debug)]
        pub(crate) struct Notify(Mutex<Notified>);

        #[derive(Debug, Default)]
        struct Notified {
            permit: bool,
            waiting: Option<Waker>,
        }

        impl Notify {
            pub(crate) fn new() -> Self {
                Self(Mutex::new(Notified::default()))
            }

            pub(crate) fn notify_one(&self) {
                let mut state = lock(&self.0);
                let waiting = state.waiting.take();
                state.permit = waiting.is_some() || !fault::is(Fault::ForgottenWakeUp);
                drop(state);
                waiting.into_iter().for_each(Waker::wake);
            }

            pub(crate) fn notified(&self) -> impl Future<Output = ()> {
                std::future::poll_fn(|cx| {
                    let mut state = lock(&self.0);
                    if std::mem::take(&mut state.permit) {
                        state.waiting = None;
                        return Poll::Ready(());
                    }
                    state.waiting = Some(cx.waker().clone());
                    Poll::Pending
                })
            }
        }

        $scheduler::thread_local! {
            static NUMBER: Cell<usize> = Cell::new(0);
        }

        /// Says which part of the queue this thread of the model uses.
        pub(crate) fn use_shard(number: usize) {
            NUMBER.with(|own| own.set(number));
        }

        pub(crate) fn thread_number() -> usize {
            NUMBER.with(Cell::get)
        }

        pub(crate) fn shards() -> usize {
            $shards
        }

        pub(crate) fn may_wait() -> bool {
            true
        }

        pub(crate) fn pause(_: std::time::Duration) {
            $scheduler::thread::yield_now();
        }
    };
}
