//! What goes to the spool, when, and what comes back from it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hoplog_entry::DropReason;
use hoplog_entry::spool::Place;

use super::ending::Closing;
use super::keeper::{Keeper, Order, Word};
use super::load::{Frame, Load, record_of};
use super::{Remote, SpoolPlan, now};
use crate::count::Count;
use crate::destination::{Parcel, Surroundings};
use crate::durable::{Group, NotDurable};
use crate::ledger::Home;
use crate::spool::{AppendError, Keep};
use crate::transport::SealedBatch;

/// A disk that has not answered for so long hangs: what comes then goes past it.
const HANGS: Duration = Duration::from_secs(2);
/// After a write that failed, what waits stays in memory so long.
const LET_BE: Duration = Duration::from_secs(1);

/// The spool as its destination knows it.
pub(super) struct Spooling {
    keeper: Keeper,
    write_through: bool,
    mark: usize,
    /// Entries that the keeper has been given to write and has not spoken of.
    pub(super) writing: Count,
    /// Since when the keeper owes its word about a write.
    waits_since: Option<Instant>,
    /// Syncs that were asked for and have not been answered.
    pub(super) syncing: usize,
    /// Batches that are being secured.
    securing: usize,
    /// The backlog's next entries were asked for.
    asked: bool,
    /// The last write failed; until then nothing is spilled.
    let_be: Option<Instant>,
    pub(super) closed: bool,
    /// When so many entries more have been written, what then waits is to go out.
    seal_after: Option<u64>,
}

impl Spooling {
    pub(super) fn start(plan: SpoolPlan, around: &Surroundings) -> Option<Self> {
        let Some(keeper) = Keeper::start(plan.config, plan.reporter, around.clone()) else {
            let name = &around.name;
            around.diagnostics.warn("spool", || format!("`{name}` has no spool: no thread can be started"));
            return None;
        };
        Some(Self::with(keeper, plan.write_through, plan.mark))
    }

    pub(super) fn with(keeper: Keeper, write_through: bool, mark: usize) -> Self {
        Self {
            keeper,
            write_through,
            mark,
            writing: Count::default(),
            waits_since: None,
            syncing: 0,
            securing: 0,
            asked: false,
            let_be: None,
            closed: false,
            seal_after: None,
        }
    }

    /// `None` once the keeper has ended without a word.
    pub(super) async fn next_word(spooling: &mut Option<Self>) -> Option<Word> {
        match spooling {
            Some(spooling) if !spooling.closed => spooling.keeper.words.recv().await,
            _ => std::future::pending().await,
        }
    }

    /// The disk is tried whatever it did before: there is no later.
    pub(super) fn try_again(&mut self) {
        self.let_be = None;
        self.order(Order::TryAgain);
    }

    pub(super) fn order(&self, order: Order) {
        self.keeper.order(order);
    }

    pub(super) fn sync(&mut self) {
        self.syncing += 1;
        self.order(Order::Sync);
    }

    pub(super) fn write(&mut self, load: Load, keep: Keep) {
        self.is_to_write(load.count());
        self.order(Order::Write(load, keep));
    }

    fn is_to_write(&mut self, entries: Count) {
        self.writing += entries;
        self.waits_since.get_or_insert_with(now);
    }

    fn has_written(&mut self, entries: Count) {
        self.writing -= entries;
        self.waits_since = (self.writing.entries > 0).then(now);
    }

    /// Whether the disk stands still. Then nothing more is handed to it: in memory it can be sent.
    fn hangs(&self) -> bool {
        self.waits_since.is_some_and(|since| now().saturating_duration_since(since) >= HANGS)
    }

    /// Whether the keeper has work that changes what is to be sent or left.
    pub(super) fn is_busy(&self) -> bool {
        self.writing.entries > 0 || self.securing > 0
    }

    pub(super) fn stop_counting(&mut self) -> Vec<Word> {
        self.keeper.stop_counting()
    }
}

impl Remote {
    pub(super) fn take_in(&mut self, chunk: Parcel) {
        crate::failpoint::pass(&self.around.source.service, "take in");
        let (load, spills, holds) = (Load::queued(chunk), self.spills(), self.holds());
        match &mut self.spooling {
            Some(spooling) if spills => spooling.write(load, Keep::Spooled),
            Some(spooling) if holds => spooling.write(load, Keep::Held),
            Some(spooling) if spooling.write_through && !spooling.hangs() => {
                spooling.write(load, Keep::Held);
            }
            Some(spooling) if spooling.write_through => {
                self.around.ledger.went_past(load.entries() as u64);
                self.around.diagnostics.warn("hangs", || {
                    let name = &self.around.name;
                    format!(
                        "the disk of `{name}` has not answered for {HANGS:?}; entries are sent without it"
                    )
                });
                self.former.add(load);
            }
            _ => self.former.add(load),
        }
    }

    pub(super) fn take_in_durable(&mut self, chunks: Vec<Parcel>, group: Arc<Group>) {
        let loads: Vec<Load> = chunks.into_iter().map(Load::queued).collect();
        match &mut self.spooling {
            Some(spooling) => {
                spooling.is_to_write(loads.iter().map(Load::count).sum());
                spooling.keeper.order_durable(loads, group);
            }
            None => {
                group.fail(NotDurable::Disk);
                loads.into_iter().for_each(|load| self.former.add(load));
            }
        }
    }

    /// What has come so far goes out also where it fills no batch; what is with the keeper still, when it is back.
    pub(super) fn seal_rest(&mut self) {
        self.former.seal_rest();
        if let Some(spooling) = self.spooling.as_mut().filter(|spooling| spooling.writing.entries > 0) {
            spooling.seal_after = Some(spooling.writing.entries);
        }
    }

    /// Whether what has waited longest is better on the disk alone: the memory fills.
    fn spills(&self) -> bool {
        self.can_write().is_some_and(|spooling| self.former.live.memory() > spooling.mark)
    }

    /// Whether what waits is better on the disk as well: the server fails. It stays in memory beside, so that the newest goes
    /// out first when the server is back, and not after all that came before it.
    fn holds(&self) -> bool {
        self.can_write().is_some() && self.backoff.is_failing()
    }

    fn can_write(&self) -> Option<&Spooling> {
        let closing = self.closing.is_some();
        self.spooling.as_ref().filter(|s| s.let_be.is_none() && !s.hangs() && !closing)
    }

    /// Has what waits in memory go to the disk, if it is better there.
    pub(super) fn spill(&mut self, now: Instant) {
        let Some(spooling) = &mut self.spooling else { return };
        spooling.let_be.take_if(|until| *until <= now);
        let keep = spooling.mark / 2;
        if self.spills() {
            self.spill_waiting(keep);
        }
        if self.holds() && self.former.live.has_memory() {
            self.hold_waiting();
        }
        // Somebody waits for what is under way in memory alone, and it does not get through.
        if self.backoff.is_failing() && !self.flushes.is_empty() && self.closing.is_none() {
            self.secure();
        }
    }

    /// Has what waits in memory alone written to the disk, from where it comes back.
    fn hold_waiting(&mut self) {
        let Some(spooling) = &mut self.spooling else { return };
        for load in self.former.take_back_memory() {
            spooling.write(load, Keep::Held);
        }
        if !self.flushes.is_empty() {
            spooling.sync();
        }
    }

    /// Leaves what waits to the disk, the oldest first, but for so many bytes.
    pub(super) fn spill_waiting(&mut self, keep: usize) {
        let Some(spooling) = &mut self.spooling else { return };
        let loads = self.former.take_back(keep);
        let asks = !loads.is_empty() && !self.flushes.is_empty();
        for load in loads {
            match load.home() {
                Home::Memory => spooling.write(load, Keep::Spooled),
                Home::Spool => spooling.order(Order::Release(load)),
            }
        }
        if asks {
            spooling.sync();
        }
    }

    /// Has the records of batches that are in memory alone written beside: one that is sent twice is recognised, one that
    /// is lost is lost.
    pub(super) fn secure(&mut self) {
        let closed = self.is_leaving();
        let Some(spooling) = self.spooling.as_mut().filter(|spooling| spooling.let_be.is_none()) else {
            return;
        };
        let before = spooling.securing;
        for batch in self.outstanding.iter_mut().filter(|batch| batch.home == Home::Memory && !batch.asked) {
            batch.asked = true;
            spooling.securing += 1;
            let place = self.boot.map(|boot| Place { boot, seq: batch.seq, closed });
            spooling.order(Order::Secure(batch.number, Arc::clone(&batch.parts), place));
        }
        if spooling.securing > before {
            spooling.sync();
        }
    }

    /// Sees that the backlog lane has something to send.
    pub(super) fn ask_for_backlog(&mut self) {
        let Some(spooling) = &mut self.spooling else { return };
        if !spooling.asked && self.closing.is_none() && self.former.backlog.is_empty() {
            spooling.asked = true;
            spooling.order(Order::Want);
        }
    }

    pub(super) fn hear(&mut self, word: Word) {
        let leaving = self.is_leaving();
        let Some(spooling) = &mut self.spooling else { return };
        match word {
            Word::Written(entries, back) => {
                spooling.has_written(entries);
                let left = spooling.seal_after.take().map(|left| left.saturating_sub(entries.entries));
                spooling.seal_after = left.filter(|left| *left > 0);
                if let Some((_, Some(_))) = back {
                    spooling.let_be = Some(now() + LET_BE);
                }
                match back {
                    None => self.former.pass(entries.entries),
                    Some((load, error)) if leaving && load.home() == Home::Memory => self.lose(&load, error),
                    // It is where it is to stay.
                    Some(_) if leaving => {}
                    Some((load, _)) => self.former.add(load),
                }
                if left == Some(0) {
                    self.former.seal_rest();
                }
            }
            Word::Secured(number, frames) => {
                spooling.securing -= 1;
                if frames.is_empty() {
                    spooling.let_be = Some(now() + LET_BE);
                }
                self.secured(number, frames);
            }
            Word::Backlog(loads) => {
                spooling.asked = false;
                self.former.add_backlog(loads);
            }
            Word::Synced => spooling.syncing -= 1,
            Word::Closed => spooling.closed = true,
        }
    }

    fn secured(&mut self, number: u64, frames: Vec<Arc<Frame>>) {
        match self.outstanding.iter_mut().find(|batch| batch.number == number) {
            Some(batch) if !frames.is_empty() => {
                batch.home = Home::Spool;
                batch.frames = frames;
                self.around.ledger.secure(batch.left);
            }
            Some(batch) => batch.asked = false,
            // It was delivered meanwhile.
            None => frames.iter().for_each(|frame| frame.settle_all()),
        }
    }

    /// The disk does not take what memory cannot keep any longer.
    fn lose(&mut self, load: &Load, error: Option<AppendError>) {
        let reason = match error {
            Some(AppendError::Full) => DropReason::SpoolFullNewest,
            _ => DropReason::SpoolIoError,
        };
        self.around.ledger.drop_waiting(Home::Memory, load.count(), reason);
    }

    /// The keeper's thread is gone, by a fault of ours. What it had is on the disk or lost with it; the rest goes on from
    /// memory.
    pub(super) fn lose_keeper(&mut self) {
        let Some(mut spooling) = self.spooling.take() else { return };
        spooling.stop_counting();
        self.closing.iter_mut().for_each(Closing::lose_spool);
        let lost = spooling.writing;
        self.around.ledger.drop_waiting(Home::Memory, lost, DropReason::SpoolIoError);
        self.warn("panic", "the spool's thread panicked; please report this".into());
    }

    /// Keeps the one entry that no server takes, for people to look at.
    pub(super) fn quarantine(&mut self, batch: &SealedBatch) {
        let Some(spooling) = self.spooling.as_ref().filter(|_| batch.entries == 1) else { return };
        let found = self.outstanding.iter().find(|outstanding| outstanding.number == batch.number);
        let Some(found) = found else { return };
        if let Some(record) = record_of(&found.parts, batch.offset as usize) {
            let source = found.parts.first().and_then(|part| part.load.source().cloned());
            spooling.order(Order::Quarantine(record.to_vec(), source));
        }
    }

    /// Keeps what could not be encoded, likewise.
    pub(super) fn keep_poison(&mut self) {
        for (record, source) in std::mem::take(&mut self.former.poison) {
            self.warn(
                "poison",
                "an entry was dropped: its encoding panicked twice; please report this".into(),
            );
            if let Some(spooling) = &self.spooling {
                spooling.order(Order::Quarantine(record, source));
            }
        }
    }

    pub(super) fn awaits_writes(&self) -> bool {
        self.spooling.as_ref().is_some_and(Spooling::is_busy)
    }
}
