//! Sixteen threads that move entries at random, and a look at every moment at which none does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};

use super::*;

const THREADS: u64 = 16;

/// Where one thread's entries are: the ledger has to say the sum.
#[derive(Debug, Default, Clone, Copy)]
struct Own {
    waiting: u64,
    in_flight: u64,
    spooled: u64,
    spool_in_flight: u64,
    delivered: u64,
    filtered: u64,
    dropped: u64,
    recovered: u64,
}

/// xorshift64: the same moves at every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    /// Takes some of what is there.
    fn some(&mut self, of: &mut u64) -> u64 {
        let some = self.below(*of + 1);
        *of -= some;
        some
    }
}

impl Own {
    fn move_some(&mut self, ledger: &Ledger, accepted: &AtomicU64, chance: &mut Chance) {
        let n = 1 + chance.below(20);
        match chance.below(14) {
            0 | 1 => {
                accepted.fetch_add(n, Ordering::SeqCst);
                self.waiting += n;
            }
            2 => self.in_flight += sent(ledger, Home::Memory, chance.some(&mut self.waiting)),
            3 => self.spool_in_flight += sent(ledger, Home::Spool, chance.some(&mut self.spooled)),
            4 => self.delivered += delivered(ledger, Home::Memory, chance.some(&mut self.in_flight)),
            5 => self.delivered += delivered(ledger, Home::Spool, chance.some(&mut self.spool_in_flight)),
            6 => {
                let some = chance.some(&mut self.waiting);
                ledger.spill(some);
                self.spooled += some;
            }
            7 => {
                let some = chance.some(&mut self.in_flight);
                ledger.secure(some);
                self.spool_in_flight += some;
            }
            8 => {
                let some = chance.some(&mut self.spool_in_flight);
                ledger.put_back(some);
                self.spooled += some;
            }
            9 => {
                ledger.recovered(n);
                (self.recovered, self.spooled) = (self.recovered + n, self.spooled + n);
            }
            10 => {
                let some = chance.some(&mut self.waiting);
                ledger.drop_waiting(Home::Memory, some, DropReason::QueueFullNewest);
                self.dropped += some;
            }
            11 => {
                let some = chance.some(&mut self.spooled);
                ledger.drop_waiting(Home::Spool, some, DropReason::SpoolExpired);
                self.dropped += some;
            }
            12 => {
                let some = chance.some(&mut self.in_flight);
                ledger.drop_in_flight(Home::Memory, some, DropReason::Poison);
                self.dropped += some;
            }
            _ => {
                let some = chance.some(&mut self.spooled);
                ledger.filtered(Home::Spool, some);
                self.filtered += some;
            }
        }
    }

    fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.waiting, other.waiting),
            (&mut self.in_flight, other.in_flight),
            (&mut self.spooled, other.spooled),
            (&mut self.spool_in_flight, other.spool_in_flight),
            (&mut self.delivered, other.delivered),
            (&mut self.filtered, other.filtered),
            (&mut self.dropped, other.dropped),
            (&mut self.recovered, other.recovered),
        ] {
            *sum += more;
        }
    }
}

fn sent(ledger: &Ledger, home: Home, entries: u64) -> u64 {
    ledger.begin_send(home, entries);
    entries
}

fn delivered(ledger: &Ledger, home: Home, entries: u64) -> u64 {
    ledger.delivered(home, entries, entries / 3);
    entries
}

#[test]
fn whatever_sixteen_threads_move_nothing_drifts() {
    let large = std::env::var("HOPLOG_CHAOS").is_ok_and(|lane| lane == "large");
    let (looks, moves) = if large { (1_000, 625) } else { (200, 313) };
    let (ledger, accepted) = (Ledger::default(), AtomicU64::new(0));
    let (barrier, owns) =
        (Barrier::new(THREADS as usize), Mutex::new(vec![Own::default(); THREADS as usize]));
    let most_drift = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (ledger, accepted, barrier, owns, most_drift) =
                (&ledger, &accepted, &barrier, &owns, &most_drift);
            scope.spawn(move || {
                let (mut own, mut chance) = (Own::default(), Chance(0x9e37_79b9_7f4a_7c15 + thread));
                for _ in 0..looks {
                    (0..moves).for_each(|_| own.move_some(ledger, accepted, &mut chance));
                    owns.lock().unwrap()[thread as usize] = own;
                    if barrier.wait().is_leader() {
                        let mut sum = Own::default();
                        owns.lock().unwrap().iter().for_each(|own| sum.add(own));
                        let stats = ledger.counts().stats("all", accepted.load(Ordering::SeqCst));
                        most_drift.fetch_max(stats.drift, Ordering::Relaxed);
                        assert_eq!(
                            (stats.queued, stats.in_flight, stats.spooled, stats.spool_in_flight),
                            (
                                sum.waiting,
                                sum.in_flight + sum.spool_in_flight,
                                sum.spooled,
                                sum.spool_in_flight
                            )
                        );
                        assert_eq!(
                            (stats.delivered, stats.filtered, stats.dropped.total(), stats.recovered),
                            (sum.delivered, sum.filtered, sum.dropped, sum.recovered)
                        );
                    }
                    barrier.wait();
                }
            });
        }
    });
    let moves = looks * moves * THREADS;
    println!("FIGURE ledger.moves {moves} moves");
    println!("FIGURE ledger.looks {looks} looks");
    println!("FIGURE ledger.most_drift {} entries", most_drift.load(Ordering::Relaxed));
    assert_eq!(most_drift.load(Ordering::Relaxed), 0);
    // The control: one is said to be delivered that nobody sent, and one more than there were leaves the spool.
    let sent = ledger.counts().in_flight;
    ledger.delivered(Home::Memory, sent + 1, 0);
    let stats = ledger.counts().stats("all", accepted.load(Ordering::SeqCst));
    println!("FIGURE ledger.control_drift {} entries", stats.drift);
    assert!(stats.drift > 0, "the control has to be red");
}
