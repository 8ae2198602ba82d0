//! Power cuts at any operation, twice in a row, on a disk that loses, tears and reorders what was not synced.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Act {
    Append(u8, bool),
    Sync,
    Deliver(u8),
    GiveUp,
    Pass(u16),
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => (1..20_u8, any::<bool>()).prop_map(|(n, held)| Act::Append(n, held)),
        3 => Just(Act::Sync),
        2 => (1..6_u8).prop_map(Act::Deliver),
        1 => Just(Act::GiveUp),
        2 => (1..8_000_u16).prop_map(Act::Pass),
        1 => Just(Act::Restart),
    ];
    proptest::collection::vec(act, 1..40)
}

/// What a run promised and what it did.
#[derive(Default)]
struct Oracle {
    written: BTreeSet<u64>,
    durable: BTreeSet<u64>,
    delivered: BTreeSet<u64>,
}

/// Runs until the acts are over or the power is.
fn run(fs: &Model, clock: &mut Clock, acts: &[Act], oracle: &mut Oracle) {
    let mut spool = open(fs, clock.0);
    let mut held = Vec::new();
    let mut waiting: Vec<(Position, Vec<u64>)> = Vec::new();
    for act in acts {
        match act {
            Act::Append(n, hold) => {
                let next = oracle.written.last().map_or(0, |last| last + 1);
                let new: Vec<u64> = (next..next + u64::from(*n)).collect();
                oracle.written.extend(&new);
                let keep = if *hold { Keep::Held } else { Keep::Spooled };
                let bytes = records(new.clone());
                if let Ok(position) = spool.append(clock.0, &bytes, new.len() as u32, keep) {
                    if *hold {
                        held.push((position, new.clone()));
                    }
                    waiting.push((position, new));
                }
            }
            Act::Sync => {
                let _ = spool.sync(clock.0);
                for (position, numbers) in waiting.drain(..) {
                    if spool.is_durable(position) {
                        oracle.durable.extend(numbers);
                    }
                }
            }
            Act::Deliver(frames) => {
                for (position, numbers) in held.drain(..held.len().min(2)) {
                    oracle.delivered.extend(numbers);
                    spool.resolve(position);
                }
                for _ in 0..*frames {
                    let Backlog::Frame { position, records, .. } = spool.next_backlog() else { break };
                    oracle.delivered.extend(numbers(records));
                    spool.resolve(position);
                }
            }
            Act::GiveUp => held.drain(..).for_each(|(position, _)| {
                spool.release(position);
            }),
            Act::Pass(ms) => {
                let now = clock.pass(Duration::from_millis(u64::from(*ms)));
                spool.tick(now);
            }
            Act::Restart => {
                (held, waiting) = (Vec::new(), Vec::new());
                spool.close(clock.0);
                spool = open(fs, clock.0);
            }
        }
    }
}

fn case(fs: &Model, acts: &[Act], cuts: [u64; 2], seed: u64) -> (Oracle, BTreeSet<u64>) {
    let mut clock = Clock::new();
    let mut oracle = Oracle::default();
    let mut state = seed | 1;
    let mut choose = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.is_multiple_of(2)
    };
    fs.off_after(cuts[0]);
    run(fs, &mut clock, acts, &mut oracle);
    fs.crash(&mut choose);
    // Power goes again while the next process recovers and delivers.
    fs.off_after(cuts[1]);
    {
        let mut spool = open(fs, clock.0);
        for _ in 0..5 {
            let Backlog::Frame { position, records, .. } = spool.next_backlog() else { break };
            oracle.delivered.extend(numbers(records));
            spool.resolve(position);
        }
        spool.tick(clock.pass(Duration::from_secs(6)));
    }
    fs.crash(&mut choose);
    let recovered = set(drain(&mut open(fs, clock.0)));
    (oracle, recovered)
}

static CASES: AtomicU64 = AtomicU64::new(0);
static FIRED: AtomicU64 = AtomicU64::new(0);
static TORN: AtomicU64 = AtomicU64::new(0);
static DURABLE: AtomicU64 = AtomicU64::new(0);
static DUPLICATES: AtomicU64 = AtomicU64::new(0);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    fn durable_entries_outlast(acts in acts(), first in 1..150_u64, second in 0..30_u64, seed in any::<u64>()) {
        let fs = Model::default();
        let (oracle, recovered) = case(&fs, &acts, [first, second], seed);
        let owed: BTreeSet<u64> = oracle.durable.difference(&oracle.delivered).copied().collect();
        let missing: Vec<&u64> = owed.difference(&recovered).collect();
        prop_assert!(missing.is_empty(), "durable and missing: {:?}", missing);
        prop_assert!(recovered.is_subset(&oracle.written), "nothing is made up");
        CASES.fetch_add(1, Ordering::Relaxed);
        FIRED.fetch_add(u64::from(fs.ops() >= first), Ordering::Relaxed);
        TORN.fetch_add(fs.torn(), Ordering::Relaxed);
        DURABLE.fetch_add(owed.len() as u64, Ordering::Relaxed);
        DUPLICATES.fetch_add(recovered.intersection(&oracle.delivered).count() as u64, Ordering::Relaxed);
    }
}

#[test]
fn what_is_durable_outlasts_two_power_cuts_at_any_operation() {
    durable_entries_outlast();
    let figure = |name, of: &AtomicU64, unit| {
        println!("FIGURE spool.{name} {} {unit}", of.load(Ordering::Relaxed));
        of.load(Ordering::Relaxed)
    };
    figure("model_cases", &CASES, "cases");
    let fired = figure("model_power_cuts", &FIRED, "cuts");
    let torn = figure("model_torn_files", &TORN, "files");
    let durable = figure("model_durable_owed", &DURABLE, "entries");
    let duplicates = figure("model_duplicates", &DUPLICATES, "entries");
    println!("FIGURE spool.model_durable_missing 0 entries");
    assert!(fired >= 100 && torn >= 20 && durable >= 500 && duplicates > 0, "the faults have to occur");
}

#[test]
fn a_disk_that_lies_about_syncs_loses_what_was_called_durable() {
    let acts: Vec<Act> = [Act::Append(9, false), Act::Sync].into_iter().cycle().take(20).collect();
    let lost: usize = (0..20)
        .map(|seed| {
            let fs = Model::default();
            fs.lie();
            let (oracle, recovered) = case(&fs, &acts, [u64::MAX / 2, 0], seed * 77 + 5);
            oracle.durable.difference(&recovered).count()
        })
        .sum();
    println!("FIGURE spool.model_control_lost {lost} entries");
    assert!(lost > 0, "the control has to be red");
}
