//! Sixteen threads that move entries and their bytes at random, and a look at every moment at which none does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};

use super::*;

const THREADS: u64 = 16;

/// Where one thread's entries are: the ledger has to say the sum.
#[derive(Debug, Default, Clone, Copy)]
struct Own {
    waiting: Count,
    in_flight: Count,
    spooled: Count,
    spool_in_flight: Count,
    delivered: Count,
    filtered: Count,
    dropped: Count,
    recovered: Count,
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

    /// Entries that come, each of another size.
    fn new_ones(&mut self) -> Count {
        let entries = 1 + self.below(20);
        Count { entries, bytes: (0..entries).map(|_| 1 + self.below(5_000)).sum() }
    }

    /// Takes some of what is there, of mean size.
    fn some(&mut self, of: &mut Count) -> Count {
        let some = of.share(self.below(of.entries + 1));
        *of -= some;
        some
    }
}

impl Own {
    fn move_some(&mut self, ledger: &Ledger, accepted: &Mutex<Count>, chance: &mut Chance) {
        let n = chance.new_ones();
        match chance.below(14) {
            0 | 1 => {
                *accepted.lock().unwrap() += n;
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

    fn assert_said(&self, stats: &DestinationStats) {
        let (under_way, bytes) = (self.in_flight + self.spool_in_flight, stats.bytes);
        for (what, entries, bytes, sum) in [
            ("queued", stats.queued, bytes.queued, self.waiting),
            ("in flight", stats.in_flight, bytes.in_flight, under_way),
            ("spooled", stats.spooled, bytes.spooled, self.spooled),
            ("delivered", stats.delivered, bytes.delivered, self.delivered),
            ("filtered", stats.filtered, bytes.filtered, self.filtered),
            ("dropped", stats.dropped.total(), bytes.dropped, self.dropped),
            ("recovered", stats.recovered, bytes.recovered, self.recovered),
        ] {
            assert_eq!(Count { entries, bytes }, sum, "{what}");
        }
        assert_eq!(stats.spool_in_flight, self.spool_in_flight.entries);
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

fn sent(ledger: &Ledger, home: Home, entries: Count) -> Count {
    ledger.begin_send(home, entries);
    entries
}

fn delivered(ledger: &Ledger, home: Home, entries: Count) -> Count {
    ledger.delivered(home, entries, entries.entries / 3);
    entries
}

#[test]
fn whatever_sixteen_threads_move_nothing_drifts() {
    let large = std::env::var("HOPLOG_CHAOS").is_ok_and(|lane| lane == "large");
    let (looks, moves) = if large { (1_000, 625) } else { (200, 313) };
    let (ledger, accepted) = (Ledger::default(), Mutex::<Count>::default());
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
                        let stats = ledger.counts().stats("all", *accepted.lock().unwrap());
                        most_drift.fetch_max(stats.drift, Ordering::Relaxed);
                        sum.assert_said(&stats);
                    }
                    barrier.wait();
                }
            });
        }
    });
    let moves = looks * moves * THREADS;
    println!("FIGURE ledger.moves {moves} moves");
    println!("FIGURE ledger.looks {looks} looks");
    println!("FIGURE ledger.most_drift {} entries_and_bytes", most_drift.load(Ordering::Relaxed));
    assert_eq!(most_drift.load(Ordering::Relaxed), 0);
    // The controls: what is said to be delivered was sent by nobody, an entry more or a byte more, or too few bytes of it.
    let sent = ledger.counts().in_flight;
    let (one_entry, one_byte) = (Count { entries: 1, bytes: 0 }, Count { entries: 0, bytes: 1 });
    for (control, said) in [("entry", sent + one_entry), ("byte", sent + one_byte), ("less", sent - one_byte)]
    {
        let ledger = Ledger { counts: Mutex::new(ledger.counts()) };
        ledger.delivered(Home::Memory, said, 0);
        let drift = ledger.counts().stats("all", *accepted.lock().unwrap()).drift;
        println!("FIGURE ledger.control_drift_{control} {drift} entries_and_bytes");
        assert!(drift > 0, "the control has to be red");
    }
}

#[test]
fn what_is_written_off_has_its_bytes_with_it() {
    let ledger = Ledger::default();
    let count = |entries, bytes| Count { entries, bytes };
    ledger.begin_send(Home::Memory, count(3, 900));
    ledger.delivered(Home::Memory, count(2, 500), 0);
    ledger.filtered(Home::Memory, count(1, 70));
    ledger.spill(count(4, 1_000));
    ledger.write_off(count(10, 2_600), DropReason::SerializeError);
    let stats = ledger.counts().stats("it", count(12, 3_100));
    let entries = (stats.delivered, stats.filtered, stats.left_behind, stats.dropped.total(), stats.queued);
    assert_eq!(entries, (2, 1, 4, 3, 2), "{stats:?}");
    let bytes = stats.bytes;
    let bytes = (bytes.delivered, bytes.filtered, bytes.left_behind, bytes.dropped, bytes.queued);
    assert_eq!(bytes, (500, 70, 1_000, 1_030, 500), "{stats:?}");
    assert_eq!(stats.drift, 0);
}
