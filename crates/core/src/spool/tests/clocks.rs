//! Wall clocks that jump, while running and between two runs.

use hoplog_entry::DropReason;

use super::*;

const DAY_MS: u64 = 86_400_000;
const YEARS: u64 = 3_650 * DAY_MS;

/// What of a segment is left for a process that starts when its clock says so, and for one that runs on.
fn left_after(run: impl FnOnce(&mut Spool<Model>, &mut Clock), start_ms: u64) -> (usize, u64) {
    let fs = Model::default();
    fs.stamp(START_MS);
    let mut before = open(&fs, Clock::new().0);
    before.append(Clock::new().0, &records(0..4), 4, Keep::Spooled).unwrap();
    before.close(Clock::new().0);
    let mut clock = Clock(Now { mono: Instant::now(), unix_ms: start_ms });
    let mut spool = open(&fs, clock.0);
    spool.tick(clock.0);
    run(&mut spool, &mut clock);
    let expired = spool.take_changes().dropped(DropReason::SpoolExpired);
    (drain(&mut spool).len(), expired)
}

#[test]
fn no_jump_of_the_wall_clock_expires_anything() {
    let mut jumps = 0;
    for start in [START_MS - DAY_MS, START_MS, START_MS + 6 * DAY_MS, START_MS + YEARS, 0, u64::MAX] {
        for jump in [0, START_MS - DAY_MS, START_MS + YEARS, START_MS + 8 * DAY_MS, u64::MAX] {
            let run = |spool: &mut Spool<Model>, clock: &mut Clock| {
                if jump > 0 {
                    clock.0.unix_ms = jump;
                }
                for _ in 0..20 {
                    clock.0.mono += Duration::from_secs(11);
                    spool.tick(clock.0);
                }
            };
            assert_eq!(left_after(run, start), (4, 0), "started at {start}, then {jump}");
            jumps += 1;
        }
    }
    println!("FIGURE spool.clock_jumps {jumps} jumps");
    println!("FIGURE spool.wrongly_expired 0 segments");
}

#[test]
fn a_segment_that_is_too_old_by_all_clocks_goes_and_is_counted() {
    let nothing = |_: &mut Spool<Model>, _: &mut Clock| {};
    assert_eq!(left_after(nothing, START_MS + 7 * DAY_MS + 1_000), (0, 4));
    assert_eq!(left_after(nothing, START_MS + 7 * DAY_MS - 1_000), (4, 0));
}

#[test]
fn whatever_the_clocks_say_a_segment_goes_once_we_have_had_it_for_its_time() {
    let wait = |spool: &mut Spool<Model>, clock: &mut Clock| {
        clock.0.mono += Duration::from_secs(7 * 86_400 + 1);
        spool.tick(clock.0);
    };
    assert_eq!(left_after(wait, START_MS + YEARS), (0, 4));
    // One's own, by the monotonic clock alone.
    let (fs, mut clock) = (Model::default(), Clock::new());
    let mut spool = open(&fs, clock.0);
    spool.append(clock.0, &records(0..2), 2, Keep::Spooled).unwrap();
    spool.seal(clock.0);
    clock.0.unix_ms = u64::MAX;
    spool.tick(clock.0);
    assert_eq!(spool.status().idle.entries, 2);
    clock.0.mono += Duration::from_secs(7 * 86_400 + 1);
    spool.tick(clock.0);
    assert_eq!(spool.take_changes().dropped(DropReason::SpoolExpired), 2);
}

#[test]
fn syncs_are_due_by_the_monotonic_clock() {
    let (fs, mut clock) = (Model::default(), Clock::new());
    let mut spool = open(&fs, clock.0);
    assert_eq!(spool.sync_due(), None);
    let position = spool.append(clock.0, &record(1), 1, Keep::Held).unwrap();
    let begun = clock.0.mono;
    assert_eq!(spool.sync_due(), Some(begun + Duration::from_millis(5)));
    clock.0.unix_ms = 0;
    clock.0.mono += Duration::from_millis(4);
    spool.tick(clock.0);
    assert!(!spool.is_durable(position));
    clock.0.mono += Duration::from_millis(1);
    spool.tick(clock.0);
    assert!(spool.is_durable(position));
    assert_eq!(spool.sync_due(), None);
    // A group that is large enough does not wait.
    let many = records(0..4_000);
    spool.append(clock.0, &many, 4_000, Keep::Held).unwrap();
    assert_eq!(spool.sync_due(), Some(clock.0.mono));
}
