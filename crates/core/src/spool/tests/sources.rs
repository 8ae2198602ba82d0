//! Who wrote what is found.

use hoplog_entry::DropReason;
use hoplog_entry::spool::{HEADER_LEN, Place};

use super::backlog::only_segment;
use super::*;

fn written_by(service: Option<&str>) -> SpoolConfig {
    let source = service.map(|service| Arc::new(Source { service: service.into(), ..Source::default() }));
    SpoolConfig { source, ..config(DIR) }
}

/// A process leaves one entry and dies.
fn leave(fs: &Model, now: Now, service: Option<&str>, number: u64) {
    let mut spool = Spool::open(fs.clone(), written_by(service), now).unwrap();
    spool.append(now, &record(number), 1, Keep::Spooled).unwrap();
    spool.sync(now).unwrap();
}

/// What a process of that service finds: entries, and whose they are where they are not its own.
fn found(fs: &Model, now: Now, service: Option<&str>) -> Vec<(u64, Option<String>)> {
    let mut spool = Spool::open(fs.clone(), written_by(service), now).unwrap();
    let mut found = Vec::new();
    loop {
        match spool.next_backlog() {
            Backlog::Frame { records, source, position, .. } => {
                let source = source.map(|source| source.service.clone());
                found.extend(numbers(records).into_iter().map(|number| (number, source.clone())));
                assert!(spool.release(position), "it comes again");
                match spool.next_backlog() {
                    Backlog::Frame { position: again, source: same, .. } => {
                        assert_eq!((again, same.map(|same| same.service.clone())), (position, source));
                    }
                    other => panic!("{other:?}"),
                }
                spool.resolve(position);
            }
            Backlog::Unfinished => {}
            Backlog::Empty => break,
        }
    }
    found.sort_unstable();
    found
}

#[test]
fn entries_are_those_of_the_process_that_wrote_them() {
    let (fs, mut clock) = (Model::default(), Clock::new());
    leave(&fs, clock.0, Some("shop"), 1);
    leave(&fs, clock.pass(Duration::from_millis(1)), None, 2);
    leave(&fs, clock.pass(Duration::from_millis(1)), Some("cart"), 3);
    let of = |name: &str| Some(name.to_owned());
    let seen = found(&fs, clock.0, Some("cart"));
    assert_eq!(
        seen,
        [(1, of("shop")), (2, None), (3, None)],
        "an own one needs no name, a nameless one has none"
    );
}

#[test]
fn entries_that_are_set_apart_keep_their_place_and_no_others_have_one() {
    let (fs, clock) = (Model::default(), Clock::new());
    let mut spool = Spool::open(fs.clone(), written_by(Some("shop")), clock.0).unwrap();
    let places = [None, Some(40), Some(43), None, None];
    for (number, seq) in (0..).zip(places) {
        let (boot, records) = (EntryId::from_bytes([7; 16]), records(3 * number..3 * number + 3));
        match seq {
            Some(seq) => spool.append_placed(clock.0, &records, 3, Place { boot, seq, closed: true }),
            None => spool.append(clock.0, &records, 3, Keep::Held),
        }
        .unwrap();
    }
    spool.close(clock.0);
    let mut spool = Spool::open(fs, written_by(Some("cart")), clock.0).unwrap();
    let mut found = Vec::new();
    loop {
        match spool.next_backlog() {
            Backlog::Frame { records, source, .. } => {
                let source = source.unwrap();
                assert_eq!(source.service, "shop");
                found.push((numbers(records)[0] / 3, source.place.map(|place| place.seq)));
            }
            Backlog::Unfinished => {}
            Backlog::Empty => break,
        }
    }
    found.sort_unstable();
    assert_eq!(found, (0..).zip(places).collect::<Vec<_>>());
}

#[test]
fn entries_that_a_failing_disk_has_written_anew_may_lose_their_place_and_take_no_others() {
    let (fs, clock) = (Model::default(), Clock::new());
    let mut spool = Spool::open(fs.clone(), written_by(Some("shop")), clock.0).unwrap();
    let place = Place { boot: EntryId::from_bytes([7; 16]), seq: 40, closed: false };
    spool.append(clock.0, &record(0), 1, Keep::Held).unwrap();
    spool.append_placed(clock.0, &record(1), 1, place).unwrap();
    fs.fault(super::model::Op::Sync, Some(std::io::ErrorKind::Other));
    assert!(spool.sync(clock.0).is_err());
    fs.fault(super::model::Op::Sync, None);
    spool.append(clock.0, &record(2), 1, Keep::Held).unwrap();
    spool.close(clock.0);
    let mut spool = Spool::open(fs, written_by(Some("cart")), clock.0).unwrap();
    let mut seen = BTreeSet::new();
    loop {
        match spool.next_backlog() {
            Backlog::Frame { records, source, .. } => {
                let said = source.and_then(|source| source.place);
                for number in numbers(records) {
                    seen.insert(number);
                    assert!(said.is_none() || number == 1 && said == Some(place), "{number}: {said:?}");
                }
            }
            Backlog::Unfinished => {}
            Backlog::Empty => break,
        }
    }
    assert_eq!(seen, set(0..3));
}

#[test]
fn entries_whose_source_cannot_be_read_are_delivered_and_the_damage_is_counted() {
    let (fs, clock) = (Model::default(), Clock::new());
    leave(&fs, clock.0, Some("shop"), 1);
    fs.change(only_segment(&fs), |bytes| bytes[HEADER_LEN + 16] ^= 1);
    let mut spool = Spool::open(fs.clone(), written_by(Some("cart")), clock.0).unwrap();
    loop {
        match spool.next_backlog() {
            Backlog::Frame { source, .. } => break assert_eq!(source, None),
            Backlog::Unfinished => {}
            Backlog::Empty => panic!("the entry is gone"),
        }
    }
    assert_eq!(drain(&mut spool), [0_u64; 0]);
    let changes = spool.take_changes();
    // What the region held nobody can say: it counts as one entry, like any other.
    assert_eq!((changes.recovered.entries, changes.dropped(DropReason::SpoolCorrupt)), (2, 1), "{changes:?}");
    assert_eq!(changes.recovered.bytes, record(1).len() as u64, "and of its bytes nothing is known");
}

#[test]
fn a_segment_with_nothing_but_its_source_is_not_sealed_over_and_over() {
    let (fs, mut clock) = (Model::default(), Clock::new());
    let mut spool = open(&fs, clock.0);
    let position = spool.append(clock.0, &record(1), 1, Keep::Held).unwrap();
    spool.resolve(position);
    for _ in 0..10 {
        spool.tick(clock.pass(Duration::from_secs(10)));
    }
    assert_eq!(spool.status().segments, 0);
    assert_eq!(spool.close(clock.0).segments, 0);
}
