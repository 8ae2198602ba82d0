//! The queue's hand-over in many orders, at random.
#![allow(clippy::unwrap_used)]

mod control;

use std::sync::atomic::{AtomicU64, Ordering};

use hoplog_models::fault::{Fault, with};
use hoplog_models::shuffled::races;

/// Printed, and another one by `SHUTTLE_RANDOM_SEED`.
const SEED: u64 = 20_261_130;

fn schedules() -> usize {
    let large = std::env::var("HOPLOG_CHAOS").is_ok_and(|lane| lane == "large");
    if large { 20_000 } else { 500 }
}

#[test]
fn whatever_races_every_entry_has_one_fate_and_whoever_waits_hears() {
    let tally = races(SEED, schedules());
    println!("FIGURE models.races_seed {SEED} seed");
    let figure = |name: &str, cell: &AtomicU64| {
        let met = cell.load(Ordering::Relaxed);
        println!("FIGURE models.races_{name} {met} count");
        assert!(met > 0, "`{name}` was never met");
    };
    figure("schedules", &tally.schedules);
    figure("accepted", &tally.accepted);
    figure("full", &tally.full);
    figure("evicted", &tally.evicted);
    figure("after_close", &tally.after_close);
    figure("flushed", &tally.flushed);
    figure("flushed_after_close", &tally.flushed_after_close);
    figure("durable", &tally.durable);
    figure("not_durable", &tally.not_durable);
    figure("cancelled", &tally.cancelled);
}

#[test]
fn a_wake_up_that_is_forgotten_and_a_count_that_is_torn_are_found() {
    const TEST: &str = "a_wake_up_that_is_forgotten_and_a_count_that_is_torn_are_found";
    let forgotten = control::is_red(TEST, "forgotten", || with(Fault::ForgottenWakeUp, || races(SEED, 500)));
    let torn = control::is_red(TEST, "torn", || with(Fault::TornCount, || races(SEED, 500)));
    println!("FIGURE models.shuffled_controls_red {} of 2", u8::from(forgotten) + u8::from(torn));
    assert!(forgotten && torn, "the controls have to be red");
}
