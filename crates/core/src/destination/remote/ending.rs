//! Flushes, and the end.

use std::sync::Arc;
use std::time::Instant;

use hoplog_entry::DropReason;
use tokio::sync::oneshot;

use super::keeper::Order;
use super::spooling::Spooling;
use super::{Remote, now};
use crate::ledger::Home;

/// Of the time to close, what the network may take where there is a spool; the rest is the disk's.
const NETWORK: f64 = 0.6;

/// Somebody waits for the entries up to a mark to be delivered, or on the disk.
pub(super) struct Flush {
    mark: u64,
    deadline: Instant,
    /// The disk is enough.
    saves: bool,
    _done: oneshot::Sender<()>,
}

impl Flush {
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }
}

pub(super) struct Closing {
    deadline: Instant,
    /// Until then it is tried to deliver what is in memory.
    network: Instant,
    said_goodbye: bool,
    /// Nothing is sent any more; what is left goes to the spool.
    leaving: bool,
    /// The keeper was told to end.
    told: bool,
    _done: oneshot::Sender<()>,
}

impl Closing {
    pub(super) fn new(deadline: Instant, has_spool: bool, done: oneshot::Sender<()>) -> Self {
        let now = now();
        let left = deadline.saturating_duration_since(now);
        let network = if has_spool { now + left.mul_f64(NETWORK) } else { deadline };
        Self { deadline, network, said_goodbye: false, leaving: false, told: false, _done: done }
    }

    pub(super) fn next(&self) -> Instant {
        if self.leaving { self.deadline } else { self.network }
    }

    /// Nothing is to be left to the disk any more: the network has all the time.
    pub(super) fn lose_spool(&mut self) {
        (self.network, self.leaving) = (self.deadline, false);
    }

    /// True one time.
    pub(super) fn says_goodbye(&mut self) -> bool {
        !std::mem::replace(&mut self.said_goodbye, true)
    }
}

impl Remote {
    pub(super) fn flush(&mut self, deadline: Instant, done: oneshot::Sender<()>) {
        if let Some(spooling) = &mut self.spooling {
            spooling.sync();
        }
        let writing = self.spooling.as_ref().map_or(0, |spooling| spooling.writing.entries);
        let mark = self.former.progress().0 + writing;
        self.flushes.push(Flush { mark, deadline, saves: false, _done: done });
    }

    /// The process may end in a moment: all that is in memory alone goes to the disk, and is synced.
    pub(super) fn save(&mut self, deadline: Instant, done: oneshot::Sender<()>) {
        self.spooling.iter_mut().for_each(Spooling::try_again);
        self.secure();
        self.spill_waiting(0);
        self.spooling.iter_mut().for_each(Spooling::sync);
        self.flushes.push(Flush { mark: 0, deadline, saves: true, _done: done });
    }

    pub(super) fn answer_flushes(&mut self, now: Instant) {
        let (_, taken) = self.former.progress();
        let in_memory = self.outstanding.iter().filter(|batch| batch.home == Home::Memory);
        let outstanding = in_memory.map(|batch| batch.first).min().unwrap_or(u64::MAX);
        let waiting = self.former.live.has_memory();
        let on_the_way = self.spooling.as_ref().is_some_and(|spooling| spooling.syncing > 0);
        let busy = self.awaits_writes();
        self.flushes.retain(|f| {
            let unsaved = f.saves && busy || on_the_way;
            f.deadline > now && (unsaved || waiting && taken < f.mark || outstanding < f.mark)
        });
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.leaving)
    }

    /// When the network has had its time, or nothing more is to be sent, what is left goes to the spool.
    pub(super) fn leave(&mut self, now: Instant) {
        let idle = self.is_idle() && !self.awaits_writes() && !self.may_say_goodbye();
        let Some(closing) = self.closing.as_mut().filter(|_| self.spooling.is_some()) else { return };
        if !closing.leaving && (idle || now >= closing.network) {
            closing.leaving = true;
            self.sending.abort_all();
            self.spooling.iter_mut().for_each(Spooling::try_again);
            self.secure();
            self.spill_waiting(0);
        }
        let busy = self.awaits_writes();
        if let (Some(closing), Some(spooling)) = (&mut self.closing, &self.spooling)
            && closing.leaving
            && !closing.told
            && !busy
        {
            closing.told = true;
            spooling.order(Order::Close);
        }
    }

    pub(super) fn may_say_goodbye(&self) -> bool {
        self.closing.as_ref().is_some_and(|c| !c.said_goodbye && !self.backoff.is_failing())
    }

    pub(super) fn is_done(&self, now: Instant) -> bool {
        let Some(closing) = &self.closing else { return false };
        let finished = match &self.spooling {
            Some(spooling) => spooling.closed,
            None => self.is_idle() && (closing.said_goodbye || self.backoff.is_failing()),
        };
        now >= closing.deadline || finished
    }

    /// Time is over: what is in memory alone is lost, and counted.
    pub(super) fn write_off(mut self) {
        let ledger = Arc::clone(&self.around.ledger);
        if let Some(spooling) = &mut self.spooling {
            let words = spooling.stop_counting();
            words.into_iter().for_each(|word| self.hear(word));
        }
        let writing = self.spooling.as_ref().map(|spooling| spooling.writing).unwrap_or_default();
        ledger.drop_waiting(Home::Memory, writing, DropReason::SpoolIoError);
        ledger.drop_waiting(Home::Memory, self.former.live.discard(), DropReason::ShutdownDeadline);
        let secured = self.outstanding.iter().filter(|batch| batch.home == Home::Spool);
        ledger.put_back(secured.map(|batch| batch.left).sum());
        ledger.drop_all_in_flight(DropReason::ShutdownDeadline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_its_spool_an_end_is_not_due_before_its_deadline() {
        let deadline = Instant::now() + std::time::Duration::from_secs(10);
        let mut closing = Closing::new(deadline, true, oneshot::channel().0);
        assert!(closing.next() < deadline);
        closing.leaving = true;
        closing.lose_spool();
        assert_eq!((closing.next(), closing.leaving), (deadline, false));
    }
}
