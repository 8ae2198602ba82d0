//! The thread that owns a destination's spool: a disk that hangs holds up nobody else.
//!
//! Orders come in and are done one after the other; each that is to be answered is answered by a word. What becomes of
//! entries on the disk is told to the ledger from here, in the same step.

mod task;

use std::sync::{Arc, Mutex, Weak, mpsc};
use std::thread;

use hoplog_entry::Diagnostics;
use hoplog_entry::spool::Place;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::load::{Frame, Load, Part};
use crate::count::Count;
use crate::destination::{Source, Surroundings};
use crate::durable::{Group, NotDurable};
use crate::open_requests::Reporter;
use crate::spool::{AppendError, Fs, Keep, Position, RealFs, SpoolConfig};
use crate::sync::lock;
use task::Task;

/// What is handed out of the backlog at a time, about one batch: entries, and bytes.
pub(super) const AT_A_TIME: (usize, usize) = (1_000, 768 << 10);

/// What the keeper is told to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Write it, to be sent from memory (held) or to be handed out later (spooled).
    Write(Load, Keep),
    /// Write it held; whoever waits in the group hears when it is synced.
    Durable(Vec<Load>, Arc<Group>),
    /// Write what a batch under way was formed of, and where its entries stand, if its server counts them.
    Secure(u64, Arc<Vec<Part>>, Option<Place>),
    /// It need not be in memory any more; hand it out later.
    Release(Load),
    /// All entries of the frame have their fate.
    Settle(Position),
    /// Hand out the backlog's next entries, as soon as there are some.
    Want,
    /// Sync what was written, and say so.
    Sync,
    /// Nobody takes this record, which another process may have written.
    Quarantine(Vec<u8>, Option<Arc<Source>>),
    /// A disk that failed is not left alone any longer.
    TryAgain,
    /// Sync, and end.
    Close,
}

/// What it says.
#[derive(Debug)]
pub(super) enum Word {
    /// So many entries of a write have been dealt with; the load comes back where it is to be sent from memory. Without a
    /// frame it could not be written.
    Written(Count, Option<(Load, Option<AppendError>)>),
    /// A batch's records are in the spool; or, without frames, they are not.
    Secured(u64, Vec<Arc<Frame>>),
    Backlog(Vec<Load>),
    Synced,
    Closed,
}

pub(super) type Orders = mpsc::Sender<Order>;

/// The keeper as its destination sees it.
pub(super) struct Keeper {
    orders: Orders,
    pub(super) words: UnboundedReceiver<Word>,
    /// Whether what it does still counts.
    counts: Arc<Mutex<bool>>,
    /// Who may be waiting for the disk.
    groups: Vec<Weak<Group>>,
}

impl Keeper {
    /// Starts the thread; `None` where the system has none.
    pub(super) fn start(
        config: SpoolConfig,
        reporter: Option<Arc<Reporter>>,
        around: Surroundings,
    ) -> Option<Self> {
        Self::start_on(RealFs, config, reporter, around)
    }

    pub(super) fn start_on<F: Fs>(
        fs: F,
        config: SpoolConfig,
        reporter: Option<Arc<Reporter>>,
        around: Surroundings,
    ) -> Option<Self> {
        let (orders, inbox) = mpsc::channel();
        let (out, words) = unbounded_channel();
        let counts = Arc::new(Mutex::new(true));
        around.ledger.leave_behind();
        let task = Task::new(fs, config, around, orders.clone(), out, Arc::clone(&counts));
        let thread = thread::Builder::new().name("hoplog-spool".into());
        let tell = move |fs: &F, diagnostics: &Diagnostics| {
            reporter.iter().for_each(|reporter| reporter.report(fs, diagnostics));
        };
        thread.spawn(move || task.run(&inbox, tell)).ok()?;
        Some(Self { orders, words, counts, groups: Vec::new() })
    }

    pub(super) fn order(&self, order: Order) {
        // One that is gone has left everything on the disk, and its words have ended.
        let _ = self.orders.send(order);
    }

    /// Has it write what somebody waits for.
    pub(super) fn order_durable(&mut self, loads: Vec<Load>, group: Arc<Group>) {
        self.groups.retain(|group| group.strong_count() > 0);
        self.groups.push(Arc::downgrade(&group));
        self.order(Order::Durable(loads, group));
    }

    /// From now on nothing it does is counted, and nobody waits for it: its disk may hang for good.
    /// Returns the words that it had for us.
    pub(super) fn stop_counting(&mut self) -> Vec<Word> {
        self.let_be();
        std::iter::from_fn(|| self.words.try_recv().ok()).collect()
    }

    fn let_be(&mut self) {
        *lock(&self.counts) = false;
        let waiting = self.groups.drain(..).filter_map(|group| group.upgrade());
        waiting.for_each(|group| group.fail(NotDurable::Closed));
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.let_be();
        self.order(Order::Close);
    }
}

#[cfg(test)]
mod tests;
