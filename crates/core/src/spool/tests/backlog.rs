//! Handing frames out: order, fates, damage.

use std::io::ErrorKind;
use std::path::PathBuf;

use hoplog_entry::DropReason;
use hoplog_entry::spool::{Part, SegmentReader};

use super::model::Op;
use super::*;

pub(super) fn only_segment(fs: &Model) -> PathBuf {
    let mut paths = fs.paths();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "log"));
    assert_eq!(paths.len(), 1, "{paths:?}");
    paths.remove(0)
}

/// A spool that a process left behind: frames of three entries each.
fn left_behind(fs: &Model, frames: u64, closed: bool) -> PathBuf {
    let clock = Clock::new();
    let mut spool = open(fs, clock.0);
    for n in 0..frames {
        spool.append(clock.0, &records(n * 3..n * 3 + 3), 3, Keep::Spooled).unwrap();
    }
    if closed {
        spool.close(clock.0);
    } else {
        spool.sync(clock.0).unwrap();
    }
    only_segment(fs)
}

#[test]
fn frames_come_oldest_first_and_a_segment_goes_with_its_last_frame() {
    let (fs, clock) = (Model::default(), Clock::new());
    left_behind(&fs, 4, true);
    let mut spool = open(&fs, clock.0);
    let held = spool.append(clock.0, &records(100..102), 2, Keep::Held).unwrap();
    spool.append(clock.0, &record(102), 1, Keep::Spooled).unwrap();
    let changes = spool.take_changes();
    assert_eq!(changes.recovered.entries, 0, "nothing was read yet");
    let drained = drain(&mut spool);
    assert_eq!(drained, (0..12).chain([102]).collect::<Vec<_>>(), "what is held is not handed out");
    assert_eq!(spool.take_changes().recovered.entries, 12);
    assert_eq!(spool.status().in_flight.entries, 2);
    assert_eq!(
        only_segment(&fs).parent().unwrap(),
        spool.home.as_ref().unwrap().dir,
        "the adopted one is gone"
    );
    assert!(spool.release(held));
    assert_eq!(drain(&mut spool), [100, 101]);
    assert!(!spool.release(held), "it has its fate");
    spool.close(clock.0);
    assert_eq!(fs.paths().len(), Path::new(DIR).ancestors().count() - 1, "nothing stays: {:?}", fs.paths());
}

#[test]
fn what_a_thousand_processes_left_is_handed_out_without_a_wait_and_some_at_a_time() {
    let (fs, clock) = (Model::default(), Clock::new());
    let mut writers = Vec::new();
    for n in 0..1_000 {
        // All of them live at the same time, so that none adopts another one's.
        let mut spool = open(&fs, clock.0);
        spool.append(clock.0, &record(n), 1, Keep::Held).unwrap();
        writers.push(spool);
    }
    drop(writers);
    let mut spool = open(&fs, clock.0);
    let (mut found, mut rounds) = (drain(&mut spool), 1);
    while spool.adopt_more(clock.0) {
        assert!(spool.adopted.len() <= 64, "each takes a descriptor");
        found.extend(drain(&mut spool));
        rounds += 1;
    }
    println!("FIGURE spool.adoption_rounds_for_1000_dead {rounds} rounds");
    found.sort_unstable();
    assert_eq!(found, (0..1_000).collect::<Vec<_>>(), "and no clock has moved");
    assert!(!spool.adopt_more(clock.0));
    assert!((1_000 / 64..=32).contains(&rounds), "{rounds}");
}

#[test]
fn no_more_is_taken_over_while_what_was_is_on_its_way() {
    let (fs, clock) = (Model::default(), Clock::new());
    let writers: Vec<_> = (0..100)
        .map(|n| {
            let mut spool = open(&fs, clock.0);
            spool.append(clock.0, &record(n), 1, Keep::Held).unwrap();
            spool
        })
        .collect();
    drop(writers);
    let mut spool = open(&fs, clock.0);
    let mut under_way = Vec::new();
    loop {
        match spool.next_backlog() {
            Backlog::Frame { position, .. } => under_way.push(position),
            Backlog::Unfinished => {}
            Backlog::Empty => break,
        }
    }
    assert_eq!((under_way.len(), spool.adopt_more(clock.0)), (64, false));
    under_way.drain(..32).for_each(|position| spool.resolve(position));
    assert!(spool.adopt_more(clock.0));
    assert_eq!(drain(&mut spool).len(), 32);
}

#[test]
fn a_frame_that_was_not_delivered_is_handed_out_again_and_to_the_next_process() {
    let (fs, clock) = (Model::default(), Clock::new());
    left_behind(&fs, 2, true);
    let mut spool = open(&fs, clock.0);
    let Backlog::Frame { position, records: first, .. } = spool.next_backlog() else { panic!("a frame") };
    assert_eq!(numbers(first), [0, 1, 2]);
    assert!(spool.release(position));
    let Backlog::Frame { position: again, .. } = spool.next_backlog() else { panic!("a frame") };
    assert_eq!(position, again);
    drop(spool);
    assert_eq!(drain(&mut open(&fs, clock.0)), (0..6).collect::<Vec<_>>());
}

#[test]
fn damage_costs_its_frame_is_counted_exactly_and_kept_for_people() {
    let (fs, clock) = (Model::default(), Clock::new());
    let path = left_behind(&fs, 5, true);
    let whole = fs.bytes(&path).unwrap();
    let at = whole.len() / 2;
    fs.change(&path, |bytes| bytes[at] ^= 0x40);
    let mut spool = open(&fs, clock.0);
    let delivered = drain(&mut spool);
    assert_eq!(delivered.len(), 12, "one frame of five is lost");
    let changes = spool.take_changes();
    assert_eq!((changes.recovered.entries, changes.dropped(DropReason::SpoolCorrupt)), (15, 3));
    let kept: Vec<PathBuf> =
        fs.paths().into_iter().filter(|p| p.extension().is_some_and(|e| e == "bin")).collect();
    assert_eq!((kept.len(), spool.status().quarantined), (1, 1));
    assert_eq!(fs.bytes(&kept[0]).unwrap().len() as u64, changes.damaged_bytes);
    assert!(fs.bytes(&path).is_none(), "the rest of it is delivered");
}

#[test]
fn a_torn_tail_is_no_damage() {
    let (fs, clock) = (Model::default(), Clock::new());
    let path = left_behind(&fs, 3, false);
    fs.change(&path, |bytes| bytes.truncate(bytes.len() - 10));
    let mut spool = open(&fs, clock.0);
    assert_eq!(drain(&mut spool), (0..6).collect::<Vec<_>>());
    let changes = spool.take_changes();
    assert!(changes.torn_bytes > 0 && changes.dropped.is_empty(), "{changes:?}");
    assert_eq!(changes.recovered.entries, 6);
}

#[test]
fn what_cannot_be_read_is_passed_and_never_waited_for() {
    let (fs, clock) = (Model::default(), Clock::new());
    left_behind(&fs, 3, true);
    let mut spool = open(&fs, clock.0);
    fs.fault(Op::Read, Some(ErrorKind::Other));
    assert!(drain(&mut spool).is_empty());
    fs.fault(Op::Read, None);
    assert!(fs.calls(Op::Read) < 50, "no loop: {}", fs.calls(Op::Read));
    // A file without one readable byte may be anybody's: it stays where it is.
    assert!(fs.bytes(only_segment(&fs)).is_some());
    assert_eq!(spool.status().foreign, 1);
}

#[test]
fn a_frame_that_rots_while_it_waits_is_dropped_and_counted() {
    let (fs, clock) = (Model::default(), Clock::new());
    let mut spool = open(&fs, clock.0);
    for n in 0..3 {
        spool.append(clock.0, &record(n), 1, Keep::Spooled).unwrap();
    }
    let path = only_segment(&fs);
    fs.change(&path, |bytes| bytes[64 + 30] ^= 1);
    assert_eq!(drain(&mut spool), [1, 2]);
    assert_eq!(spool.take_changes().dropped(DropReason::SpoolCorrupt), 1);
}

#[test]
fn entries_that_no_server_takes_are_kept_as_a_segment() {
    let (fs, clock) = (Model::default(), Clock::new());
    let mut spool = open(&fs, clock.0);
    spool.quarantine(clock.0, &records(5..7), 2, None).unwrap();
    let path = only_segment(&fs);
    assert!(path.starts_with(Path::new(DIR).join("quarantine")));
    let bytes = fs.bytes(path).unwrap();
    let mut reader = SegmentReader::new(&bytes[..]).unwrap();
    let Ok(Some(Part::Source { payload, .. })) = reader.next() else { panic!("who wrote it") };
    assert_eq!(Source::read(payload).as_ref(), config(DIR).source.as_deref());
    let Ok(Some(Part::Frame(frame))) = reader.next() else { panic!("a frame") };
    assert_eq!(numbers(frame.bytes), [5, 6]);
}

#[test]
fn what_does_not_fit_a_frame_is_refused_before_anything_is_written() {
    use hoplog_entry::spool::BadFrame;
    let (fs, clock) = (Model::default(), Clock::new());
    let mut spool = open(&fs, clock.0);
    let large = vec![0; (1 << 20) + 1];
    for (bytes, entries, why) in [
        (&b""[..], 1, BadFrame::Empty),
        (&record(1)[..], 0, BadFrame::Empty),
        (&large[..], 1, BadFrame::TooLarge),
    ] {
        assert_eq!(spool.append(clock.0, bytes, entries, Keep::Held), Err(AppendError::Unfit(why)));
    }
    assert_eq!(spool.status().segments, 0);
}

#[test]
fn of_a_frame_that_is_readable_in_part_the_bytes_add_up() {
    let (fs, clock) = (Model::default(), Clock::new());
    let (good, garbage) = (record(7), [0xff; 90]);
    let mut writer = open(&fs, clock.0);
    writer.append(clock.0, &[&good[..], &garbage].concat(), 2, Keep::Spooled).unwrap();
    writer.close(clock.0);
    let mut spool = open(&fs, clock.0);
    let handed_out = loop {
        match spool.next_backlog() {
            Backlog::Frame { entries, records, .. } => break Count::of(records, entries as usize),
            Backlog::Unfinished => {}
            Backlog::Empty => panic!("the entry is gone"),
        }
    };
    let (changes, lost) = (spool.take_changes(), Count::of(&garbage, 1));
    assert_eq!(handed_out, Count::one(&good));
    assert_eq!(changes.dropped, [(DropReason::SpoolCorrupt, lost)]);
    assert_eq!(changes.recovered, handed_out + lost);
    assert_eq!(spool.status().in_flight, handed_out, "it goes as it came");
}
