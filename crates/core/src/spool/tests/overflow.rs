//! More than there is room for.

use hoplog_entry::DropReason;

use super::*;

const CAP: u64 = 4 << 20;
const WRITTEN: u64 = 60 << 20;

fn overflow(when_full: WhenFull) -> (Spool<Model>, u64, u64, u64) {
    let (fs, mut clock) = (Model::default(), Clock::new());
    let mut config = config(DIR);
    (config.max_bytes, config.when_full) = (CAP, when_full);
    let mut spool = Spool::open(fs.clone(), config, clock.0).unwrap();
    let chunk = records(0..600);
    let (mut accepted, mut refused, mut most) = (0, 0, 0);
    while (accepted + refused) / 600 * (chunk.len() as u64) < WRITTEN {
        match spool.append(clock.pass(Duration::from_micros(100)), &chunk, 600, Keep::Spooled) {
            Ok(_) => accepted += 600,
            Err(error) => {
                assert_eq!(error, AppendError::Full);
                refused += 600;
            }
        }
        most = most.max(fs.used());
    }
    println!("FIGURE spool.overflow_most_bytes {most} B");
    assert!(most <= CAP, "{most}");
    (spool, accepted, refused, most)
}

#[test]
fn the_oldest_segments_go_first_and_every_entry_is_counted() {
    let (mut spool, accepted, refused, _) = overflow(WhenFull::DropOldest);
    let dropped = spool.take_changes().dropped(DropReason::SpoolFullOldest);
    let left = drain(&mut spool).len() as u64;
    println!("FIGURE spool.overflow_dropped_oldest {dropped} entries");
    assert_eq!((refused, accepted), (0, dropped + left));
    assert!(dropped > 0 && left > 0);
}

#[test]
fn or_the_newcomer_goes_and_what_is_there_stays() {
    let (mut spool, accepted, refused, _) = overflow(WhenFull::DropNewest);
    println!("FIGURE spool.overflow_refused {refused} entries");
    assert_eq!(drain(&mut spool).len() as u64, accepted);
    assert_eq!(spool.take_changes().dropped, []);
    assert!(refused > 0);
}

#[test]
fn what_is_held_when_its_segment_goes_is_still_the_callers() {
    let (fs, clock) = (Model::default(), Clock::new());
    let mut config = config(DIR);
    config.max_bytes = CAP;
    let mut spool = Spool::open(fs, config, clock.0).unwrap();
    let chunk = records(0..600);
    let held = spool.append(clock.0, &record(1), 1, Keep::Held).unwrap();
    for _ in 0..200 {
        spool.append(clock.0, &chunk, 600, Keep::Spooled).unwrap();
    }
    assert!(!spool.release(held));
    let dropped = spool.take_changes().dropped(DropReason::SpoolFullOldest);
    assert_eq!(dropped % 600, 0, "it was not counted as dropped");
}

#[test]
fn so_much_of_the_disk_stays_free() {
    let (fs, mut clock) = (Model::default(), Clock::new());
    let mut config = config(DIR);
    config.floor_bytes = 2 << 20;
    let mut spool = Spool::open(fs.clone(), config, clock.0).unwrap();
    fs.capacity(Some(8 << 20));
    let chunk = records(0..600);
    let (mut accepted, mut least) = (0, u64::MAX);
    for _ in 0..500 {
        if spool.append(clock.pass(Duration::from_secs(1)), &chunk, 600, Keep::Spooled).is_ok() {
            accepted += 600;
        }
        least = least.min(fs.space(Path::new(DIR)).unwrap().free);
    }
    println!("FIGURE spool.floor_least_free {least} B");
    let dropped = spool.take_changes().dropped(DropReason::SpoolFullOldest);
    assert!(least >= (2 << 20) - chunk.len() as u64 - 1_000, "{least}");
    assert_eq!(accepted, dropped + drain(&mut spool).len() as u64);
    assert!(dropped > 0);
}

#[test]
fn the_quarantine_has_a_cap_of_its_own() {
    let (fs, clock) = (Model::default(), Clock::new());
    let mut config = config(DIR);
    config.quarantine_bytes = 10_000;
    let mut spool = Spool::open(fs.clone(), config, clock.0).unwrap();
    for n in 0..100 {
        fs.stamp(START_MS + n);
        spool.quarantine(clock.0, &records(n..n + 5), 5, None).unwrap();
        let kept = fs.used();
        assert!(kept <= 10_000, "{kept}");
    }
    let status = spool.status();
    println!("FIGURE spool.quarantine_evicted {} files", status.quarantine_evicted);
    assert!(status.quarantined == 100 && status.quarantine_evicted > 50);
}
