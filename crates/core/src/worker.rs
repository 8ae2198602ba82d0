//! The worker: one thread with a runtime of its own, so that it works under any runtime or none, and outlives them.
//!
//! It sweeps the queue when a batch's worth is there or the flush interval is over, hands the chunks to every
//! destination, and answers flush and shutdown. A destination that panics is restarted; what it held is counted.

mod asking;
#[cfg(feature = "toml")]
mod change;
mod episodes;
mod outlet;
mod stage;

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hoplog_entry::{Diagnostics, DropReason};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use crate::capture::running;
use crate::count::Count;
use crate::destination::{Gate, Planned, Source, Surroundings, share};
use crate::durable::Group;
use crate::error::Error;
use crate::failpoint;
use crate::ledger::Ledger;
use crate::pipeline::Pipeline;
use crate::queue::Overflow;
use crate::sync::lock;
use episodes::Episodes;
use outlet::Outlet;

/// What a destination may take beyond a deadline to say that it is done.
const GRACE: Duration = Duration::from_millis(100);
/// Where everything goes to the disk first, what a killed process may lose is what came within this.
const WRITE_THROUGH: Duration = Duration::from_millis(5);

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is one of hoplog's own. What it logs or sends must not be captured: it would never end.
#[must_use]
pub fn is_worker_thread() -> bool {
    IS_WORKER.try_with(Cell::get).unwrap_or(false)
}

/// Says that this thread is one of hoplog's own.
pub(crate) fn mark_as_worker() {
    IS_WORKER.with(|w| w.set(true));
}

enum Command {
    Flush {
        deadline: Instant,
        done: oneshot::Sender<()>,
    },
    Save {
        deadline: Instant,
        done: oneshot::Sender<()>,
    },
    Close {
        deadline: Instant,
        done: oneshot::Sender<()>,
    },
    Reopen {
        done: oneshot::Sender<()>,
    },
    #[cfg(feature = "toml")]
    Change {
        destinations: Vec<(Planned, bool)>,
        done: oneshot::Sender<()>,
    },
}

/// The worker as its client sees it.
#[derive(Debug)]
pub(crate) struct Worker {
    commands: mpsc::UnboundedSender<Command>,
    thread: Mutex<Option<JoinHandle<()>>>,
    ledgers: Ledgers,
    /// The most bytes that destinations hold beside the queue.
    ceiling: Arc<AtomicUsize>,
}

/// Of every destination that there is or was.
type Ledgers = Arc<Mutex<Vec<(Arc<str>, Arc<Ledger>)>>>;

impl Worker {
    /// Starts the thread.
    pub(crate) fn start(
        pipeline: Arc<Pipeline>,
        destinations: Vec<Planned>,
        source: Source,
        flush_interval: Duration,
    ) -> Result<Self, Error> {
        let runtime = runtime().map_err(|e| Error::start("its worker's runtime", e))?;
        let (commands, orders) = mpsc::unbounded_channel();
        let (source, diagnostics) = (Arc::new(source), Arc::new(Diagnostics::default()));
        let (ledgers, ceiling) = (Ledgers::default(), Arc::<AtomicUsize>::default());
        let mut shop = Shop {
            pipeline,
            source,
            ledgers: Arc::clone(&ledgers),
            outlets: Vec::new(),
            ceiling: Arc::clone(&ceiling),
            #[cfg(feature = "toml")]
            leaving: Vec::new(),
            handed_out: Count::default(),
            refusals: Episodes::default(),
            orders,
            flush_interval,
            next_group: tokio::time::Instant::now(),
            group_waits: false,
            diagnostics,
        };
        for planned in destinations {
            shop.begin(planned);
        }
        shop.know_ceiling();
        let thread = thread::Builder::new()
            .name("hoplog-worker".into())
            .spawn(move || {
                mark_as_worker();
                // A panic here is a fault of ours. The destinations are tasks and keep what they have; work goes on,
                // after a pause, so that a fault that stays does not take a core.
                while std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(shop.work()))).is_err() {
                    shop.diagnostics
                        .warn("panic", || "the worker panicked and goes on; please report this".into());
                    shop.write_off();
                    thread::sleep(Duration::from_millis(100));
                }
                // Connections that are still open need not be waited for.
                runtime.shutdown_background();
            })
            .map_err(|e| Error::start("its worker thread", e))?;
        Ok(Self { commands, thread: Mutex::new(Some(thread)), ledgers, ceiling })
    }

    pub(crate) fn ceiling(&self) -> usize {
        self.ceiling.load(Ordering::Relaxed)
    }

    pub(crate) fn ledgers(&self) -> Vec<(Arc<str>, Arc<Ledger>)> {
        lock(&self.ledgers).clone()
    }

    /// Resolves when everything accepted so far has found its fate, or at the deadline. `None` if it is closed.
    pub(crate) fn flush(&self, deadline: Instant) -> Option<oneshot::Receiver<()>> {
        let (done, waiting) = oneshot::channel();
        self.commands.send(Command::Flush { deadline, done }).ok().map(|()| waiting)
    }

    /// Resolves when everything accepted so far is on the disk, or delivered where there is no spool, or at the deadline.
    /// `None` if it is closed.
    pub(crate) fn save(&self, deadline: Instant) -> Option<oneshot::Receiver<()>> {
        let (done, waiting) = oneshot::channel();
        self.commands.send(Command::Save { deadline, done }).ok().map(|()| waiting)
    }

    /// As [`Worker::flush`], and the worker ends. `None` if it was closed before.
    pub(crate) fn close(&self, deadline: Instant) -> Option<oneshot::Receiver<()>> {
        let (done, waiting) = oneshot::channel();
        self.commands.send(Command::Close { deadline, done }).ok().map(|()| waiting)
    }

    /// Resolves when every destination has let go of its file. `None` if the worker is closed.
    pub(crate) fn reopen(&self) -> Option<oneshot::Receiver<()>> {
        let (done, waiting) = oneshot::channel();
        self.commands.send(Command::Reopen { done }).ok().map(|()| waiting)
    }

    /// Waits for the thread's end, no longer than `patience`; call it after [`Worker::close`].
    pub(crate) fn join(&self, patience: Duration) {
        let Some(thread) = lock(&self.thread).take() else { return };
        let until = Instant::now() + patience;
        // There is no join with a time limit; a worker that is done ends within microseconds.
        while !thread.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

fn runtime() -> std::io::Result<Runtime> {
    // Names of hosts are looked up on threads of its pool, which are hoplog's own like the worker's.
    Builder::new_current_thread().enable_all().on_thread_start(mark_as_worker).build()
}

/// A sweep takes a chunk, however few entries it finds, and the queue's memory is counted in those: what comes between two
/// sweeps shares one. Groups wait five times as long for the disk.
const BETWEEN_GROUPS: Duration = Duration::from_millis(1);

/// What the worker's thread owns.
struct Shop {
    pipeline: Arc<Pipeline>,
    source: Arc<Source>,
    ledgers: Ledgers,
    outlets: Vec<Outlet>,
    ceiling: Arc<AtomicUsize>,
    /// Destinations that a change sent away and that have not ended yet.
    #[cfg(feature = "toml")]
    leaving: Vec<tokio::task::JoinHandle<()>>,
    /// Entries that went to whoever was there.
    handed_out: Count,
    /// What the queue itself did not take.
    refusals: Episodes,
    orders: mpsc::UnboundedReceiver<Command>,
    flush_interval: Duration,
    /// From when on a wake-up takes out what somebody waits for.
    next_group: tokio::time::Instant,
    /// Whether there is some that came before.
    group_waits: bool,
    diagnostics: Arc<Diagnostics>,
}

impl Shop {
    /// Makes room for a destination. Its task starts with the first message.
    fn begin(&mut self, planned: Planned) {
        let mut ledgers = lock(&self.ledgers);
        let known = ledgers.iter().find(|(name, _)| **name == *planned.name).cloned();
        let (name, ledger) = known.unwrap_or_else(|| {
            let new: (Arc<str>, Arc<Ledger>) = (planned.name.into(), Arc::default());
            ledgers.push(new.clone());
            new
        });
        let handed = ledger.ended().unwrap_or_default();
        ledger.begin_after(self.handed_out);
        let around = Surroundings {
            name,
            pipeline: Arc::clone(&self.pipeline),
            ledger,
            source: Arc::clone(&self.source),
            diagnostics: Arc::clone(&self.diagnostics),
            gate: Arc::new(Gate::new(planned.filter)),
        };
        self.outlets.push(Outlet::new(planned.prepared, around, handed));
    }

    async fn work(&mut self) {
        // The first tick an interval from now: at the start there is nothing to look at.
        let mut tick =
            tokio::time::interval_at(tokio::time::Instant::now() + self.flush_interval, self.flush_interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.wake_spools();
        loop {
            let haste = self.haste();
            tokio::select! {
                command = self.orders.recv() => match command {
                    Some(Command::Flush { deadline, done }) => self.flush(deadline, done),
                    Some(Command::Save { deadline, done }) => self.save(deadline, done),
                    Some(Command::Reopen { done }) => self.reopen(done),
                    #[cfg(feature = "toml")]
                    Some(Command::Change { destinations, done }) => self.change(destinations, done),
                    Some(Command::Close { deadline, done }) => return self.close(deadline, done).await,
                    // The last handle went without a word; its drop always sends one, so this is a panic's doing.
                    None => return,
                },
                () = self.pipeline.queue.woken() => self.wake(),
                () = tokio::time::sleep_until(self.next_group), if self.group_waits => self.distribute(),
                () = tokio::time::sleep(haste.unwrap_or_default()), if haste.is_some() => self.distribute(),
                _ = tick.tick() => {
                    failpoint::pass(&self.source.service, "tick");
                    self.pipeline.clock.renew_anchor();
                    running::announce(&self.pipeline);
                    self.tell_of_losses();
                    self.distribute();
                    self.outlets.iter_mut().for_each(Outlet::tick);
                }
            }
        }
    }

    /// Hands out all that came, to the last entry.
    fn distribute(&mut self) {
        let share = self.hand_out();
        self.hand_out_group(share);
        self.hand_on(share);
    }

    /// Likewise, but for entries that somebody waits for, where the last of those went a moment ago.
    fn wake(&mut self) {
        let share = self.hand_out();
        if tokio::time::Instant::now() < self.next_group {
            self.group_waits = true;
        } else {
            self.hand_out_group(share);
        }
        self.hand_on(share);
    }

    /// Returns how many chunks each destination may hold.
    fn hand_out(&mut self) -> usize {
        let queue = &self.pipeline.queue;
        let share = share(queue.chunks(), self.outlets.len(), queue.overflow());
        if queue.overflow() == Overflow::DropOldest {
            // First, so that who pushes meanwhile finds room: what is in the worker's hands cannot give way.
            let used = queue.used_chunks();
            self.outlets.iter_mut().for_each(|outlet| outlet.make_room(used, share));
        }
        failpoint::pass(&self.source.service, "before the sweep");
        let (chunks, evicted) = (queue.sweep(), queue.take_evicted());
        failpoint::pass(&self.source.service, "after the sweep");
        if evicted.entries > 0 {
            self.handed_out += evicted;
            self.outlets.iter_mut().for_each(|outlet| outlet.lose(evicted, DropReason::QueueFullOldest));
        }
        for chunk in chunks {
            self.handed_out += chunk.count();
            for outlet in &mut self.outlets {
                outlet.hand_over(&chunk, share);
                failpoint::pass(&self.source.service, "between two destinations");
            }
        }
        share
    }

    /// Hands out what somebody waits for.
    fn hand_out_group(&mut self, share: usize) {
        self.group_waits = false;
        if let Some((chunks, waiters)) = self.pipeline.queue.sweep_durable() {
            self.next_group = tokio::time::Instant::now() + BETWEEN_GROUPS;
            self.handed_out += chunks.iter().map(|chunk| chunk.count()).sum::<Count>();
            let spools = self.outlets.iter().filter(|outlet| outlet.has_spool()).count();
            let group = Arc::new(Group::new(waiters, spools));
            for outlet in &mut self.outlets {
                outlet.hand_over_durable(&chunks, &group, share);
            }
        }
    }

    fn hand_on(&mut self, share: usize) {
        // The other half stays where its oldest can still be told apart.
        self.outlets.iter_mut().for_each(|outlet| outlet.hand_on(share / 2));
    }

    /// What was swept when a panic came, and was not handed over, is nowhere any more.
    fn write_off(&mut self) {
        self.handed_out = self.pipeline.queue.swept();
        self.outlets.iter_mut().for_each(|outlet| outlet.write_off(self.handed_out));
    }

    fn know_ceiling(&self) {
        self.ceiling.store(self.outlets.iter().map(Outlet::ceiling).sum(), Ordering::Relaxed);
    }

    fn tell_of_losses(&mut self) {
        self.refusals.look(&self.pipeline, "queue", self.pipeline.queue.counts().dropped);
        self.outlets.iter_mut().for_each(Outlet::tell_of_losses);
    }

    /// Starts those at once that may have something to send from before.
    fn wake_spools(&mut self) {
        self.outlets.iter_mut().filter(|outlet| outlet.has_spool()).for_each(Outlet::tick);
    }

    /// How soon what was accepted is handed out, where somebody wants it on the disk soon.
    fn haste(&self) -> Option<Duration> {
        self.outlets.iter().any(Outlet::writes_through).then_some(WRITE_THROUGH)
    }
}

#[cfg(test)]
mod tests;
