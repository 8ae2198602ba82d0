//! Waiting for the disk: entries that were handed over together, and who wants to know when they outlast a power cut.

use std::error::Error;
use std::fmt;

use tokio::sync::oneshot;

use super::logger::Refusal;
use super::sync::{Mutex, lock};

/// The entry is on the disk of this machine: it was synced to the spool of every destination that has one. It is
/// delivered even if the process is killed or the power fails now, but for a disk that breaks or lies, or a spool whose
/// caps of size or age are passed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durable;

/// Why an entry is not known to be on the disk. But for [`NotDurable::Refused`] it was accepted, and is delivered as one
/// that was sent; do not send it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotDurable {
    /// It was not taken at all.
    Refused(Refusal),
    /// No destination has a spool: [`ClientBuilder::spool`](crate::ClientBuilder::spool) gives it one.
    NoSpool,
    /// The disk could not be written or synced, or its spool is full.
    Disk,
    /// The memory that a destination may hold is full, and it lost the entry.
    NoRoom,
    /// The client ended meanwhile.
    Closed,
}

impl fmt::Display for NotDurable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NoSpool => f.write_str("no destination has a spool; see `ClientBuilder::spool`"),
            Self::Disk => f.write_str("the disk did not take the entry"),
            Self::NoRoom => f.write_str("a destination's share of the memory is full"),
            Self::Closed => f.write_str("the client ended before the entry was on the disk"),
        }
    }
}

impl Error for NotDurable {}

pub(crate) type Waiter = oneshot::Sender<Result<Durable, NotDurable>>;

/// Waiters whose entries were handed over together. When the last spool has let go of it, they hear.
#[derive(Debug)]
pub(crate) struct Group(Mutex<State>);

#[derive(Debug)]
struct State {
    waiters: Vec<Waiter>,
    /// Spools that have not synced yet.
    missing: usize,
    failed: Option<NotDurable>,
}

impl Group {
    /// For so many spools.
    pub(crate) fn new(waiters: Vec<Waiter>, spools: usize) -> Self {
        let failed = (spools == 0).then_some(NotDurable::NoSpool);
        Self(Mutex::new(State { waiters, missing: spools, failed }))
    }

    /// One spool more has synced.
    pub(crate) fn synced(&self) {
        let mut state = lock(&self.0);
        state.missing = state.missing.saturating_sub(1);
        if state.missing == 0 {
            state.tell();
        }
    }

    /// One spool never will. The first reason counts, and no later success.
    pub(crate) fn fail(&self, why: NotDurable) {
        let mut state = lock(&self.0);
        state.failed.get_or_insert(why);
        state.tell();
    }
}

impl State {
    fn tell(&mut self) {
        let missing = (self.missing > 0).then_some(NotDurable::Closed);
        let result = self.failed.or(missing).map_or(Ok(Durable), Err);
        // Who does not wait any more need not hear it.
        self.waiters.drain(..).for_each(|waiter| {
            let _ = waiter.send(result);
        });
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        lock(&self.0).tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(spools: usize) -> (Group, oneshot::Receiver<Result<Durable, NotDurable>>) {
        let (waiter, heard) = oneshot::channel();
        (Group::new(vec![waiter], spools), heard)
    }

    #[test]
    fn who_waits_hears_of_success_when_every_spool_has_synced_and_not_before() {
        let (group, mut heard) = group(2);
        group.synced();
        assert!(heard.try_recv().is_err());
        group.synced();
        assert_eq!(heard.try_recv(), Ok(Ok(Durable)));
    }

    #[test]
    fn one_failure_is_final_and_so_is_an_end_without_a_word() {
        let (failing, mut heard) = group(2);
        failing.fail(NotDurable::Disk);
        failing.synced();
        failing.synced();
        assert_eq!(heard.try_recv(), Ok(Err(NotDurable::Disk)));
        let (left, mut heard) = group(2);
        left.synced();
        drop(left);
        assert_eq!(heard.try_recv(), Ok(Err(NotDurable::Closed)));
        let (none, mut heard) = group(0);
        drop(none);
        assert_eq!(heard.try_recv(), Ok(Err(NotDurable::NoSpool)));
    }
}
