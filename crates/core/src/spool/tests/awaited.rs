//! What is said to who waits for the disk.

use super::*;
use model::Op;

fn awaited(config: SpoolConfig) -> (Model, Spool<Model>, Clock) {
    let (model, clock) = (Model::default(), Clock::new());
    let mut spool = Spool::open(model.clone(), config, clock.0).unwrap();
    spool.begin_awaited();
    spool.append(clock.0, &record(1), 1, Keep::Held).unwrap();
    (model, spool, clock)
}

#[test]
fn a_sync_says_nothing_good_of_a_file_that_was_let_go_of_before_it() {
    let (model, mut spool, clock) = awaited(config(DIR));
    model.fault(Op::Write, Some(std::io::ErrorKind::ReadOnlyFilesystem));
    assert!(spool.append(clock.0, &record(2), 1, Keep::Held).is_err());
    model.fault(Op::Write, None);
    assert_eq!(spool.sync_awaited(clock.0), Err(SyncFailed));
    spool.begin_awaited();
    assert_eq!(spool.sync_awaited(clock.0), Ok(()), "nothing was written since");
}

#[test]
fn a_sync_that_failed_by_the_way_is_final_for_who_waits() {
    let (model, mut spool, mut clock) = awaited(config(DIR));
    model.fault(Op::Sync, Some(std::io::ErrorKind::Other));
    spool.tick(clock.pass(Duration::from_secs(1)));
    model.fault(Op::Sync, None);
    assert_eq!(spool.sync_awaited(clock.0), Err(SyncFailed));
}

#[test]
fn what_is_awaited_is_synced_over_the_end_of_a_segment_under_every_policy() {
    for sync in [SyncPolicy::Never, SyncPolicy::Interval(Duration::from_secs(1))] {
        let mut config = config(DIR);
        config.sync = sync;
        let (model, mut spool, clock) = awaited(config);
        let big = records(2..9_000);
        for _ in 0..3 {
            spool.append(clock.0, &big, 8_998, Keep::Held).unwrap();
        }
        assert!(spool.status().segments > 1, "{big}", big = big.len());
        assert_eq!(spool.sync_awaited(clock.0), Ok(()));
        model.crash(|| false);
        assert!(drain(&mut open(&model, clock.0)).contains(&1), "{sync:?}");
    }
}
