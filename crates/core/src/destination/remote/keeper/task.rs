//! What the keeper's thread does.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hoplog_entry::spool::Place;
use hoplog_entry::{Diagnostics, DropReason};
use tokio::sync::mpsc::UnboundedSender;

use super::super::load::{Frame, Load, Part, frames_of};
use super::{AT_A_TIME, Order, Orders, Word};
use crate::count::Count;
use crate::destination::Surroundings;
use crate::durable::{Group, NotDurable};
use crate::ledger::{Home, SpoolStats};
use crate::spool::{
    AppendError, Backlog, Fs, Health, Keep, Now, Position, Spool, SpoolConfig, SyncFailed, Trouble,
};
use crate::sync::lock;
use crate::worker::mark_as_worker;

/// How often the spool is looked after.
const TICK: Duration = Duration::from_secs(1);
/// Between two looks at a backlog of which nothing was found yet: it may be that it cannot be read now.
const PAUSE: Duration = Duration::from_millis(5);
/// Somebody waits for the disk: so long for others to come, or so many bytes. With the way here and back, 5 ms at most.
const GROUP: (Duration, usize) = (Duration::from_millis(4), 256 << 10);
/// A directory that is refused is tried again.
const AGAIN: Duration = Duration::from_secs(30);

pub(super) struct Task<F: Fs> {
    fs: F,
    /// For frames.
    orders: Orders,
    config: SpoolConfig,
    around: Surroundings,
    out: UnboundedSender<Word>,
    counts: Arc<Mutex<bool>>,
    /// `None` where its directory is refused.
    spool: Option<Spool<F>>,
    opened: Option<Instant>,
    /// When it was looked after.
    looked: Option<Instant>,
    /// Who waits for the next sync, and since when.
    groups: Vec<Arc<Group>>,
    group_entries: u64,
    group_bytes: usize,
    group_due: Option<Instant>,
    /// Entries of the backlog are asked for.
    wanted: bool,
    was_degraded: bool,
}

impl<F: Fs> Task<F> {
    pub(super) fn new(
        fs: F,
        config: SpoolConfig,
        around: Surroundings,
        orders: Orders,
        out: UnboundedSender<Word>,
        counts: Arc<Mutex<bool>>,
    ) -> Self {
        Self {
            fs,
            orders,
            config,
            around,
            out,
            counts,
            spool: None,
            opened: None,
            looked: None,
            groups: Vec::new(),
            group_entries: 0,
            group_bytes: 0,
            group_due: None,
            wanted: false,
            was_degraded: false,
        }
    }

    /// `first` is done before the spool is opened, on this thread, which may hang on its disk.
    pub(super) fn run(mut self, inbox: &mpsc::Receiver<Order>, first: impl FnOnce(&F, &Diagnostics)) {
        mark_as_worker();
        first(&self.fs, &self.around.diagnostics);
        self.open(Now::of_system());
        loop {
            let unfinished = self.hand_out();
            match inbox.recv_timeout(self.patience(unfinished)) {
                Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => return self.close(),
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => {}
            }
            // Orders that never end do not put it off.
            if self.is_due() {
                self.look_after();
            }
            if self.group_due.is_some_and(|due| due <= Instant::now()) {
                self.sync_groups();
            }
        }
    }

    /// How long there is nothing to do but for orders.
    fn patience(&self, unfinished: bool) -> Duration {
        let sync = self.spool.as_ref().and_then(Spool::sync_due);
        let due = [sync, self.group_due].into_iter().flatten().min();
        let most = if unfinished { PAUSE } else { TICK };
        due.map_or(most, |due| due.saturating_duration_since(Instant::now()).min(most))
    }

    /// Whether the spool is to be looked after now.
    fn is_due(&self) -> bool {
        let now = Instant::now();
        let sync = self.spool.as_ref().and_then(Spool::sync_due);
        sync.is_some_and(|due| due <= now)
            || self.looked.is_none_or(|at| now.saturating_duration_since(at) >= TICK)
    }

    fn open(&mut self, now: Now) {
        self.opened = Some(now.mono);
        match Spool::open(self.fs.clone(), self.config.clone(), now) {
            Ok(spool) => self.spool = Some(spool),
            Err(refused) => self.warn("spool", || format!("the spool is not used: {refused}")),
        }
        self.look_after();
    }

    fn look_after(&mut self) {
        let now = Now::of_system();
        self.looked = Some(now.mono);
        match &mut self.spool {
            Some(spool) => spool.tick(now),
            None if self.opened.is_none_or(|opened| now.mono.saturating_duration_since(opened) >= AGAIN) => {
                return self.open(now);
            }
            None => {}
        }
        self.count();
        self.show();
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Write(load, keep) => {
                self.write(load, keep);
            }
            Order::Durable(loads, group) => self.write_durable(loads, group),
            Order::Secure(batch, parts, place) => self.secure(batch, &parts, place),
            Order::Release(load) => self.release(&load),
            Order::Settle(position) => {
                if let Some(spool) = &mut self.spool {
                    spool.resolve(position);
                }
            }
            Order::Want => self.wanted = true,
            Order::Sync => {
                self.sync_groups();
                self.sync(Spool::sync);
                self.say(Word::Synced);
            }
            Order::Quarantine(record, source) => {
                let keep =
                    |spool: &mut Spool<F>| spool.quarantine(Now::of_system(), &record, 1, source.as_ref());
                let kept = self.spool.as_mut().map(keep);
                if !matches!(kept, Some(Ok(()))) {
                    self.warn("quarantine", || "a refused entry could not be kept in the quarantine".into());
                }
                self.show();
            }
            Order::TryAgain => match &mut self.spool {
                Some(spool) => spool.try_again(Now::of_system()),
                None => self.open(Now::of_system()),
            },
            Order::Close => {}
        }
    }

    fn append(
        &mut self,
        records: &[u8],
        entries: usize,
        keep: Keep,
        place: Option<Place>,
    ) -> Result<Position, AppendError> {
        let spool = self.spool.as_mut().ok_or(AppendError::Degraded(Trouble::ReadOnly))?;
        let (now, entries) = (Now::of_system(), u32::try_from(entries).unwrap_or(u32::MAX));
        let written = match place {
            Some(place) => spool.append_placed(now, records, entries, place),
            None => spool.append(now, records, entries, keep),
        };
        self.count();
        let degraded = matches!(written, Err(AppendError::Degraded(_)));
        if degraded != self.was_degraded {
            self.was_degraded = degraded;
            self.show();
            if let Err(AppendError::Degraded(why)) = written {
                self.warn("spool", || {
                    format!("the spool cannot be written ({why:?}); entries stay in memory until it can")
                });
            }
        }
        written
    }

    /// False where it could not be written.
    fn write(&mut self, mut load: Load, keep: Keep) -> bool {
        let entries = load.count();
        let written = self.append(load.bytes(), load.entries(), keep, None);
        let counts = Arc::clone(&self.counts);
        let counted = lock(&counts);
        if *counted && written.is_ok() {
            self.around.ledger.spill(entries);
        }
        let done = written.is_ok();
        let back = match (written, keep) {
            (Ok(_), Keep::Spooled) => None,
            (Ok(position), Keep::Held) => {
                load.framed(Frame::new(position, entries, self.orders.clone()));
                Some((load, None))
            }
            (Err(error), _) => Some((load, Some(error))),
        };
        self.say(Word::Written(entries, back));
        done
    }

    fn write_durable(&mut self, loads: Vec<Load>, group: Arc<Group>) {
        self.group_due.get_or_insert_with(|| Instant::now() + GROUP.0);
        self.spool.iter_mut().for_each(Spool::begin_awaited);
        let (mut failed, mut entries) = (false, 0);
        for load in loads {
            self.group_bytes += load.bytes().len();
            entries += load.entries() as u64;
            failed |= !self.write(load, Keep::Held);
        }
        if failed {
            group.fail(NotDurable::Disk);
        } else {
            self.group_entries += entries;
            self.groups.push(group);
        }
        if self.group_bytes >= GROUP.1 {
            self.sync_groups();
        }
    }

    fn secure(&mut self, batch: u64, parts: &[Part], mut place: Option<Place>) {
        let mut frames = Vec::new();
        for (records, entries) in frames_of(parts) {
            match self.append(&records, entries, Keep::Held, place) {
                Ok(position) => {
                    frames.push(Frame::new(position, Count::of(&records, entries), self.orders.clone()));
                }
                Err(_) => {
                    frames.drain(..).for_each(|frame: Arc<Frame>| frame.settle_all());
                    break;
                }
            }
            place.iter_mut().for_each(|place| place.seq += entries as u64);
        }
        self.say(Word::Secured(batch, frames));
    }

    fn release(&mut self, load: &Load) {
        for frame in load.frames() {
            let kept = self.spool.as_mut().is_some_and(|spool| spool.release(frame.position()));
            if !kept && *lock(&self.counts) {
                // The spool had to drop the segment meanwhile, to make room or because it was gone.
                self.around.ledger.drop_waiting(Home::Spool, frame.count(), DropReason::SpoolFullOldest);
            }
        }
    }

    /// Answers what is asked of the backlog, as far as there is an answer; true where there is more to be looked at.
    fn hand_out(&mut self) -> bool {
        if !self.wanted {
            return false;
        }
        let (mut loads, mut entries, mut bytes, mut unfinished) = (Vec::new(), 0, 0, false);
        while let Some(spool) = &mut self.spool
            && entries < AT_A_TIME.0
            && bytes < AT_A_TIME.1
        {
            match spool.next_backlog() {
                Backlog::Frame { position, entries: count, records, source } => {
                    let count = count as usize;
                    (entries, bytes) = (entries + count, bytes + records.len());
                    let frame = Frame::new(position, Count::of(records, count), self.orders.clone());
                    loads.push(Load::read(records.to_vec(), count, Some(frame)).written_by(source));
                }
                Backlog::Unfinished => {
                    unfinished = true;
                    break;
                }
                Backlog::Empty => {
                    // Orders come before what is found there.
                    unfinished = spool.adopt_more(Now::of_system());
                    break;
                }
            }
        }
        self.count();
        if loads.is_empty() {
            return unfinished;
        }
        self.wanted = false;
        self.say(Word::Backlog(loads));
        false
    }

    fn sync(&mut self, sync: impl FnOnce(&mut Spool<F>, Now) -> Result<(), SyncFailed>) -> bool {
        let synced = self.spool.as_mut().is_some_and(|spool| sync(spool, Now::of_system()).is_ok());
        self.count();
        if !synced {
            self.show();
        }
        synced
    }

    /// A group that waited hears once, and of no later success.
    fn sync_groups(&mut self) {
        self.group_due = None;
        self.group_bytes = 0;
        let (groups, entries) = (std::mem::take(&mut self.groups), std::mem::take(&mut self.group_entries));
        if groups.is_empty() {
            return;
        }
        let synced = self.sync(Spool::sync_awaited);
        if synced && *lock(&self.counts) {
            self.around.ledger.made_durable(entries);
        }
        groups.iter().for_each(|group| if synced { group.synced() } else { group.fail(NotDurable::Disk) });
    }

    fn close(mut self) {
        self.sync_groups();
        self.count();
        if let Some(spool) = self.spool.take() {
            spool.close(Now::of_system());
        }
        self.say(Word::Closed);
    }

    /// What became of entries in the spool goes to the ledger.
    fn count(&mut self) {
        let Some(changes) = self.spool.as_mut().map(Spool::take_changes) else { return };
        let counts = Arc::clone(&self.counts);
        let counted = lock(&counts);
        if *counted {
            if changes.recovered.entries > 0 {
                self.around.ledger.recovered(changes.recovered);
            }
            for (reason, lost) in &changes.dropped {
                self.around.ledger.drop_waiting(Home::Spool, *lost, *reason);
            }
        }
        for (reason, lost) in changes.dropped {
            self.warn("lost", || format!("{} entries in the spool were lost: {reason}", lost.entries));
        }
    }

    fn show(&self) {
        let Some(spool) = &self.spool else {
            return self.around.ledger.spool_stands(SpoolStats { degraded: true, ..SpoolStats::default() });
        };
        let status = spool.status();
        self.around.ledger.spool_stands(SpoolStats {
            degraded: status.health != Health::Healthy,
            bytes: status.bytes,
            unread_bytes: status.unread_bytes,
            quarantined: status.quarantined,
            failed_syncs: status.failed_syncs,
        });
    }

    fn say(&self, word: Word) {
        // Nobody listens any more where the destination is gone; the disk has it.
        let _ = self.out.send(word);
    }

    fn warn(&self, subject: &'static str, line: impl FnOnce() -> String) {
        let name = &self.around.name;
        self.around.diagnostics.warn(subject, || format!("`{name}`: {}", line()));
    }
}
