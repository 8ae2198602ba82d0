//! What threads do with the queue, and what has to hold at every end of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hoplog_entry::DropReason;
use loom::future::block_on;
use loom::thread;
use tokio::sync::oneshot;

use super::durable::{Durable, Group};
use super::queue::{Overflow, Queue, QueueLimits};

/// How often a thread is stopped where it would not wait: loom's authors call two or three enough for most faults.
const PREEMPTIONS: usize = 3;

/// A queue of so many chunks, of one entry each.
fn queue(entries: usize) -> Arc<Queue> {
    Arc::new(Queue::new(QueueLimits {
        bytes: entries * 4_096,
        entries,
        wake_entries: 1,
        wake_bytes: usize::MAX,
        overflow: Overflow::DropNewest,
    }))
}

/// Runs a model in every order; returns in how many.
fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) -> u64 {
    let orders = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&orders);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    orders.load(Ordering::Relaxed)
}

/// What the worker has taken out: each entry is its number, in one byte.
#[derive(Default)]
struct Taken(Vec<u8>);

impl Taken {
    /// One sweep; who waits hears.
    fn sweep(&mut self, queue: &Queue) {
        for chunk in queue.sweep() {
            self.0.extend_from_slice(chunk.bytes());
        }
        if let Some((chunks, waiters)) = queue.sweep_durable() {
            let group = Group::new(waiters, 1);
            chunks.iter().for_each(|chunk| self.0.extend_from_slice(chunk.bytes()));
            group.synced();
        }
    }

    fn numbers(&self) -> BTreeSet<u8> {
        let numbers: BTreeSet<u8> = self.0.iter().copied().collect();
        assert_eq!(numbers.len(), self.0.len(), "one was taken twice: {:?}", self.0);
        numbers
    }
}

/// Nobody sweeps but who was woken: a wake-up that is lost leaves the consumer waiting for ever.
pub fn wake_ups() -> u64 {
    explore(PREEMPTIONS - 1, || {
        let queue = queue(8);
        let filling = thread::spawn({
            let queue = Arc::clone(&queue);
            move || [1, 2].iter().for_each(|number| queue.push(&[*number], false).unwrap())
        });
        let (waiter, mut heard) = oneshot::channel();
        let waiting = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.push_durable(&[3], false, waiter).unwrap()
        });
        let mut taken = Taken::default();
        // The second of the two fills the chunk of the first one; it itself may stay until the next tick.
        while ![1, 3].iter().all(|number| taken.0.contains(number)) {
            block_on(queue.woken());
            taken.sweep(&queue);
        }
        assert_eq!(heard.try_recv(), Ok(Ok(Durable)));
        filling.join().unwrap();
        waiting.join().unwrap();
        taken.sweep(&queue);
        assert_eq!(taken.numbers(), BTreeSet::from([1, 2, 3]));
        assert_eq!((queue.counts().accepted, queue.memory().0), (3, 0));
    })
}

/// Two producers, one consumer, room for two, and an end meanwhile: every entry is taken once or refused, and counted so.
pub fn close_while_pushing() -> u64 {
    explore(PREEMPTIONS, || {
        let queue = queue(2);
        let producer = |numbers: &'static [u8]| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let took = |number: &u8| queue.push(&[*number], true).is_ok();
                numbers.iter().copied().filter(took).collect::<Vec<u8>>()
            })
        };
        let producers = [producer(&[1, 2]), producer(&[3])];
        let mut taken = Taken::default();
        taken.sweep(&queue);
        queue.close();
        let accepted: BTreeSet<u8> = producers.into_iter().flat_map(|p| p.join().unwrap()).collect();
        assert_eq!(queue.push(&[9], true), Err(DropReason::AfterClose));
        assert!(queue.memory().0 <= queue.memory().1);
        taken.sweep(&queue);
        assert_eq!(taken.numbers(), accepted, "what was accepted is taken, and nothing else");
        let counts = queue.counts();
        assert_eq!(counts.accepted, accepted.len() as u64);
        assert_eq!(counts.accepted + counts.dropped.iter().sum::<u64>(), 4);
        assert_eq!(queue.memory().0, 0, "all memory is given back");
    })
}
