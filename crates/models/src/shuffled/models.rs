//! Eight producers that push, wait for the disk, flush and shut down, and the worker's loop between them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hoplog_entry::DropReason;
use shuttle::future::block_on;
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::scheduler::PctScheduler;
use shuttle::{Config, Runner, thread};
use tokio::sync::{mpsc, oneshot};

use super::durable::{Durable, Group, NotDurable};
use super::queue::{Overflow, Queue, QueueLimits};
use super::sync::use_shard;

const PRODUCERS: u8 = 8;
const STEPS: u8 = 6;
/// How many times a schedule changes its mind about whose turn it is.
const DEPTH: usize = 4;

/// How often what was met, over all schedules.
#[derive(Debug, Default)]
pub struct Tally {
    /// Schedules that were run.
    pub schedules: AtomicU64,
    /// Entries taken in.
    pub accepted: AtomicU64,
    /// Entries refused because the queue was full.
    pub full: AtomicU64,
    /// Entries that gave way to others.
    pub evicted: AtomicU64,
    /// Entries refused because the client had ended.
    pub after_close: AtomicU64,
    /// Flushes that were over,
    pub flushed: AtomicU64,
    /// and those that found the client closed.
    pub flushed_after_close: AtomicU64,
    /// Waits for the disk that were told yes,
    pub durable: AtomicU64,
    /// no,
    pub not_durable: AtomicU64,
    /// and of which nobody waited for the end.
    pub cancelled: AtomicU64,
}

impl Tally {
    fn add(&self, cell: impl Fn(&Self) -> &AtomicU64, n: u64) {
        cell(self).fetch_add(n, Ordering::Relaxed);
    }
}

enum Command {
    Flush(oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

/// Runs so many schedules from a seed, and says what was met. Panics where one does not end, or ends wrongly.
pub fn races(seed: u64, schedules: usize) -> Arc<Tally> {
    let tally = Arc::<Tally>::default();
    let counted = Arc::clone(&tally);
    let mut config = Config::new();
    config.stack_size = 256 << 10;
    let runner = Runner::new(PctScheduler::new_from_seed(seed, DEPTH, schedules), config);
    runner.run(move || schedule(&counted));
    tally
}

fn schedule(tally: &Arc<Tally>) {
    let oldest_go = thread_rng().r#gen::<bool>();
    let queue = Arc::new(Queue::new(QueueLimits {
        bytes: 12 * 4_096,
        entries: 12,
        wake_entries: 2,
        wake_bytes: usize::MAX,
        overflow: if oldest_go { Overflow::DropOldest } else { Overflow::DropNewest },
    }));
    let (commands, orders) = mpsc::unbounded_channel();
    let worker = thread::spawn({
        let queue = Arc::clone(&queue);
        move || block_on(Worker { queue, orders, taken: Vec::new(), evicted: 0 }.work())
    });
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|number| {
            let producer = Producer {
                number,
                queue: Arc::clone(&queue),
                commands: commands.clone(),
                tally: Arc::clone(tally),
            };
            thread::spawn(move || producer.produce())
        })
        .collect();
    drop(commands);
    let accepted: BTreeSet<u8> =
        producers.into_iter().flat_map(|producer| producer.join().unwrap()).collect();
    let (mut taken, mut evicted) = worker.join().unwrap();
    // Where nobody shut down, the last handle did.
    queue.close();
    taken.extend(queue.sweep().iter().flat_map(|chunk| chunk.bytes().to_vec()));
    taken.extend(
        queue.sweep_durable().into_iter().flat_map(|(chunks, _)| chunks).flat_map(|c| c.bytes().to_vec()),
    );
    evicted += queue.take_evicted().entries;
    let numbers: BTreeSet<u8> = taken.iter().copied().collect();
    assert_eq!(numbers.len(), taken.len(), "none is taken twice");
    assert!(numbers.is_subset(&accepted), "nothing is made up");
    assert_eq!(taken.len() as u64 + evicted, accepted.len() as u64, "accepted = taken + evicted");
    let counts = queue.counts();
    assert_eq!(counts.accepted, accepted.len() as u64);
    let dropped = |reason: DropReason| counts.dropped[usize::from(reason.code())];
    let (full, late) = (dropped(DropReason::QueueFullNewest), dropped(DropReason::AfterClose));
    assert_eq!(counts.dropped.iter().sum::<u64>(), full + late);
    assert_eq!(queue.memory().0, 0, "all memory is given back");
    tally.add(|t| &t.schedules, 1);
    tally.add(|t| &t.accepted, counts.accepted);
    tally.add(|t| &t.full, full);
    tally.add(|t| &t.after_close, late);
    tally.add(|t| &t.evicted, evicted);
}

struct Producer {
    number: u8,
    queue: Arc<Queue>,
    commands: mpsc::UnboundedSender<Command>,
    tally: Arc<Tally>,
}

impl Producer {
    /// Returns the numbers of its entries that were accepted.
    fn produce(self) -> Vec<u8> {
        use_shard(usize::from(self.number));
        let mut accepted = Vec::new();
        for step in 0..STEPS {
            let entry = self.number * STEPS + step;
            let urgent = thread_rng().gen_range(0..4) == 0;
            match thread_rng().gen_range(0..80) {
                0..40 => accepted.extend(self.queue.push(&[entry], urgent).is_ok().then_some(entry)),
                40..68 => accepted.extend(self.wait_for_disk(entry).then_some(entry)),
                68..79 => self.flush(),
                _ => self.close(),
            }
        }
        accepted
    }

    fn wait_for_disk(&self, entry: u8) -> bool {
        let (waiter, heard) = oneshot::channel();
        let accepted = self.queue.push_durable(&[entry], false, waiter).is_ok();
        if accepted && thread_rng().gen_range(0..4) == 0 {
            self.tally.add(|t| &t.cancelled, 1);
            return true;
        }
        match block_on(heard) {
            Ok(Ok(Durable)) => self.tally.add(|t| &t.durable, 1),
            Ok(Err(NotDurable::Disk | NotDurable::Closed)) => self.tally.add(|t| &t.not_durable, 1),
            Ok(Err(other)) => panic!("nobody said {other}"),
            // It was refused, or the worker ended before it looked.
            Err(_) => self.tally.add(|t| &t.not_durable, 1),
        }
        accepted
    }

    fn flush(&self) {
        let (done, over) = oneshot::channel();
        let sent = self.commands.send(Command::Flush(done)).is_ok();
        let over = sent && block_on(over).is_ok();
        self.tally.add(|t| if over { &t.flushed } else { &t.flushed_after_close }, 1);
    }

    fn close(&self) {
        let (done, over) = oneshot::channel();
        if self.commands.send(Command::Close(done)).is_ok() {
            let _ = block_on(over);
        }
    }
}

/// The loop of `crates/core/src/worker.rs`, without its clock: no tick comes to the rescue.
struct Worker {
    queue: Arc<Queue>,
    orders: mpsc::UnboundedReceiver<Command>,
    taken: Vec<u8>,
    evicted: u64,
}

impl Worker {
    /// What it took out, and how many entries it heard of that gave way. With its end goes whoever still waits for it.
    async fn work(mut self) -> (Vec<u8>, u64) {
        loop {
            // Which of two that are ready goes first is chance, in the real loop too.
            let command = if thread_rng().r#gen() {
                tokio::select! { biased; c = self.orders.recv() => Some(c), () = self.queue.woken() => None }
            } else {
                tokio::select! { biased; () = self.queue.woken() => None, c = self.orders.recv() => Some(c) }
            };
            let Some(command) = command else {
                self.distribute();
                continue;
            };
            match command {
                Some(Command::Flush(done)) => {
                    self.distribute();
                    let _ = done.send(());
                }
                Some(Command::Close(done)) => {
                    self.queue.close();
                    self.distribute();
                    self.orders.close();
                    let _ = done.send(());
                    return (self.taken, self.evicted);
                }
                None => return (self.taken, self.evicted),
            }
        }
    }

    fn distribute(&mut self) {
        let chunks = self.queue.sweep();
        self.evicted += self.queue.take_evicted().entries;
        self.taken.extend(chunks.iter().flat_map(|chunk| chunk.bytes().to_vec()));
        if let Some((chunks, waiters)) = self.queue.sweep_durable() {
            let group = Group::new(waiters, 2);
            self.taken.extend(chunks.iter().flat_map(|chunk| chunk.bytes().to_vec()));
            group.synced();
            if thread_rng().gen_range(0..4) == 0 {
                group.fail(NotDurable::Disk);
            }
            group.synced();
        }
    }
}
