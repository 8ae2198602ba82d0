//! What each error of a disk leads to.

use std::io::ErrorKind;

use hoplog_entry::DropReason;
use hoplog_entry::spool::{Part, SegmentReader};

use super::model::Op;
use super::*;

fn segment_files(fs: &Model) -> Vec<std::path::PathBuf> {
    fs.paths().into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "log")).collect()
}

#[test]
fn a_full_disk_costs_what_was_refused_and_nothing_else() {
    let (fs, mut clock) = (Model::default(), Clock::new());
    let mut spool = open(&fs, clock.0);
    fs.capacity(Some(3_000));
    let (mut taken, mut refused, mut next) = (Vec::new(), 0, 0_u64);
    let mut append = |spool: &mut Spool<Model>, now, taken: &mut Vec<u64>| {
        let result = spool.append(now, &record(next), 1, Keep::Spooled);
        if result.is_ok() {
            taken.push(next);
        }
        next += 1;
        result
    };
    while append(&mut spool, clock.0, &mut taken).is_ok() {}
    let calls = fs.calls(Op::Write);
    for _ in 0..50 {
        let result = append(&mut spool, clock.pass(Duration::from_millis(50)), &mut taken);
        assert_eq!(result, Err(AppendError::Degraded(Trouble::NoSpace)));
        refused += 1;
    }
    assert_eq!(fs.calls(Op::Write), calls, "a full disk is left alone");
    for path in segment_files(&fs) {
        let bytes = fs.bytes(path).unwrap();
        let mut reader = SegmentReader::new(&bytes[..]).unwrap();
        while let Some(part) = reader.next().unwrap() {
            assert!(
                matches!(part, Part::Source { .. } | Part::Frame(_)),
                "the file ends with a whole frame: {part:?}"
            );
        }
    }
    fs.capacity(None);
    let since = clock.0.mono;
    while append(&mut spool, clock.pass(Duration::from_millis(100)), &mut taken).is_err() {
        refused += 1;
    }
    let recovery = clock.0.mono - since;
    assert_eq!(spool.status().health, Health::Healthy);
    println!("FIGURE spool.full_disk_refused {refused} entries");
    println!("FIGURE spool.full_disk_recovery {} s", recovery.as_secs_f64());
    assert!(recovery <= Duration::from_secs(10));
    assert_eq!(drain(&mut spool), taken);
}

#[test]
fn a_disk_that_may_not_be_written_is_left_alone_for_a_while() {
    for (kind, trouble, pause) in [
        (ErrorKind::ReadOnlyFilesystem, Trouble::ReadOnly, 30),
        (ErrorKind::PermissionDenied, Trouble::ReadOnly, 30),
        (ErrorKind::Other, Trouble::Io, 30),
    ] {
        let (fs, mut clock) = (Model::default(), Clock::new());
        let mut spool = open(&fs, clock.0);
        spool.append(clock.0, &record(1), 1, Keep::Spooled).unwrap();
        fs.fault(Op::Write, Some(kind));
        fs.fault(Op::Create, Some(kind));
        assert_eq!(spool.append(clock.0, &record(2), 1, Keep::Spooled), Err(AppendError::Degraded(trouble)));
        let ops = fs.ops();
        for _ in 0..100 {
            assert!(spool.append(clock.0, &record(2), 1, Keep::Spooled).is_err());
        }
        assert_eq!(fs.ops(), ops, "no spinning on {kind:?}");
        fs.fault(Op::Write, None);
        fs.fault(Op::Create, None);
        assert!(spool.append(clock.pass(Duration::from_secs(pause - 1)), &record(2), 1, Keep::Held).is_err());
        spool.append(clock.pass(Duration::from_secs(1)), &record(3), 1, Keep::Spooled).unwrap();
        assert_eq!(drain(&mut spool), [1, 3], "what was written before is there: {kind:?}");
    }
}

#[test]
fn a_failed_sync_is_final_for_its_file_and_its_entries_go_on_in_another_one() {
    for failures in 1..=20 {
        let (fs, mut clock) = (Model::default(), Clock::new());
        let mut spool = open(&fs, clock.0);
        let early = spool.append(clock.0, &record(0), 1, Keep::Held).unwrap();
        spool.sync(clock.0).unwrap();
        let late = spool.append(clock.0, &records(1..4), 3, Keep::Held).unwrap();
        let free = spool.append(clock.0, &records(4..6), 2, Keep::Spooled).unwrap();
        fs.fault(Op::Sync, Some(ErrorKind::Other));
        let mut failed = 0;
        for _ in 0..failures {
            failed += u64::from(spool.sync(clock.0).is_err());
            assert!(!spool.is_durable(late) && !spool.is_durable(free), "no false promise");
            // After three of them the disk is left alone for a while.
            let now = clock.pass(Duration::from_secs(31));
            spool.append(now, &record(100 + failed), 1, Keep::Spooled).unwrap();
        }
        fs.fault(Op::Sync, None);
        assert_eq!((failed, spool.status().failed_syncs), (failures, failures));
        spool.sync(clock.0).unwrap();
        assert!(spool.is_durable(early), "what was synced before stays so");
        assert!(spool.is_durable(late) && spool.is_durable(free), "it was written anew, and synced there");
        assert!(!fs.trusted_a_failed_file(), "a file whose sync failed is never synced again");
        // Positions that the caller holds still mean their frames.
        assert!(spool.release(late));
        spool.resolve(early);
        let expected: BTreeSet<u64> = (1..6).chain(101..=100 + failures).collect();
        let drained = drain(&mut spool);
        assert_eq!((set(drained.iter().copied()), drained.len()), (expected.clone(), expected.len()));
        assert_eq!(spool.status().in_flight, Count::default());
        spool.close(clock.0);
        assert_eq!(segment_files(&fs), Vec::<std::path::PathBuf>::new(), "all of it had its fate");
    }
    println!("FIGURE spool.failed_syncs_false_promises 0 promises");
}

#[test]
fn three_failed_syncs_in_a_row_degrade() {
    let (fs, clock) = (Model::default(), Clock::new());
    let mut spool = open(&fs, clock.0);
    fs.fault(Op::Sync, Some(ErrorKind::Other));
    for n in 0..3 {
        spool.append(clock.0, &record(n), 1, Keep::Spooled).unwrap();
        assert!(spool.sync(clock.0).is_err());
    }
    let result = spool.append(clock.0, &record(9), 1, Keep::Spooled);
    assert_eq!(result, Err(AppendError::Degraded(Trouble::Io)));
    assert_eq!(set(drain(&mut spool)), set(0..3));
}

#[test]
fn a_directory_that_vanishes_is_made_anew_and_what_was_in_it_is_counted() {
    let (fs, mut clock) = (Model::default(), Clock::new());
    let mut spool = open(&fs, clock.0);
    spool.append(clock.0, &records(0..5), 5, Keep::Spooled).unwrap();
    let held = spool.append(clock.0, &records(5..7), 2, Keep::Held).unwrap();
    fs.remove_all(DIR);
    assert!(spool.sync(clock.0).is_err(), "a file without a name is not durable");
    assert_eq!(spool.take_changes().dropped(DropReason::SpoolIoError), 5);
    assert!(!spool.release(held), "the caller learns that only it has these");
    spool.append(clock.pass(Duration::from_millis(1)), &record(8), 1, Keep::Spooled).unwrap();
    spool.sync(clock.0).unwrap();
    assert_eq!((drain(&mut spool), spool.status().vanished), (vec![8], 1));
}

#[test]
fn without_a_descriptor_left_the_spare_one_is_used_and_then_it_waits() {
    let (fs, mut clock) = (Model::default(), Clock::new());
    let mut spool = open(&fs, clock.0);
    fs.descriptors(Some(0));
    spool.append(clock.0, &record(1), 1, Keep::Spooled).unwrap();
    spool.seal(clock.0);
    fs.descriptors(Some(0));
    let refused = AppendError::Degraded(Trouble::Descriptors);
    assert_eq!(spool.append(clock.0, &record(2), 1, Keep::Spooled), Err(refused));
    assert!(
        matches!(spool.next_backlog(), Backlog::Unfinished),
        "nothing is given up for want of a descriptor"
    );
    fs.descriptors(None);
    spool.append(clock.pass(Duration::from_secs(5)), &record(3), 1, Keep::Spooled).unwrap();
    assert_eq!(drain(&mut spool), [1, 3]);
}

#[test]
fn a_file_system_whose_locks_keep_nobody_out_is_refused() {
    let (fs, clock) = (Model::default(), Clock::new());
    fs.fail_locks();
    let refused = Spool::open(fs.clone(), config(DIR), clock.0).err().unwrap();
    assert!(refused.to_string().contains("cannot be locked"), "{refused}");
    let mut allowed = config(DIR);
    allowed.unsafe_allow_no_locks = true;
    assert!(Spool::open(fs, allowed, clock.0).is_ok());
}

#[test]
fn a_disk_that_fails_at_the_start_is_no_reason_not_to_start() {
    let (fs, mut clock) = (Model::default(), Clock::new());
    let mut before = open(&fs, clock.0);
    before.append(clock.0, &records(0..3), 3, Keep::Spooled).unwrap();
    drop(before);
    fs.fault(Op::MakeDir, Some(ErrorKind::ReadOnlyFilesystem));
    let mut spool = open(&fs, clock.0);
    assert!(matches!(spool.status().health, Health::Degraded { why: Trouble::ReadOnly, .. }));
    assert!(spool.append(clock.0, &record(7), 1, Keep::Spooled).is_err());
    assert!(drain(&mut spool).is_empty());
    fs.fault(Op::MakeDir, None);
    spool.tick(clock.pass(Duration::from_secs(30)));
    assert_eq!(spool.status().health, Health::Healthy);
    assert_eq!(drain(&mut spool), [0, 1, 2], "what dead processes left is found then");
}
