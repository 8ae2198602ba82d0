//! Hints: with them nothing is sent twice, without them nothing is lost.

use std::path::PathBuf;

use super::*;

fn hints(fs: &Model) -> Vec<PathBuf> {
    let named = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("ack-");
    fs.paths().into_iter().filter(named).collect()
}

/// A process delivers the first five of ten frames, notes it, and dies.
fn half_delivered(fs: &Model) -> Vec<u64> {
    let mut clock = Clock::new();
    let mut spool = open(fs, clock.0);
    let positions: Vec<Position> =
        (0..10).map(|n| spool.append(clock.0, &record(n), 1, Keep::Held).unwrap()).collect();
    positions[..5].iter().for_each(|position| spool.resolve(*position));
    spool.tick(clock.pass(Duration::from_secs(6)));
    assert_eq!(hints(fs).len(), 1);
    (5..10).collect()
}

#[test]
fn a_hint_spares_duplicates_and_its_loss_costs_only_those() {
    let (mut duplicates, mut missing, mut faults) = (0, 0, 0);
    type Fault = fn(&Model, &PathBuf);
    let kinds: [(&str, u64, Fault); 5] = [
        ("kept", 0, |_, _| {}),
        ("lost", 5, |fs, hint| fs.remove(hint).unwrap()),
        ("empty", 5, |fs, hint| fs.change(hint, Vec::clear)),
        ("flipped", 5, |fs, hint| fs.change(hint, |bytes| bytes[41] ^= 0xff)),
        // As if it were of the segment of another process.
        ("of another", 5, |fs, hint| {
            fs.change(hint, |bytes| {
                let mut acks = hoplog_entry::spool::Acks::new(0, EntryId::from_bytes([9; 16]));
                (0..10).for_each(|frame| acks.insert(frame));
                *bytes = acks.to_bytes();
            });
        }),
    ];
    for (name, expected, fault) in kinds {
        let fs = Model::default();
        let owed = half_delivered(&fs);
        fault(&fs, &hints(&fs)[0]);
        faults += u64::from(expected > 0);
        let mut spool = open(&fs, Clock::new().0);
        let found = drain(&mut spool);
        assert_eq!(found.iter().filter(|n| **n < 5).count() as u64, expected, "{name}");
        assert_eq!(spool.take_changes().recovered.entries, found.len() as u64, "{name}");
        missing += owed.iter().filter(|n| !found.contains(n)).count();
        duplicates += expected;
        assert_eq!(hints(&fs), Vec::<PathBuf>::new(), "it goes with its segment: {name}");
    }
    println!("FIGURE spool.hint_faults {faults} faults");
    println!("FIGURE spool.hint_duplicates {duplicates} entries");
    println!("FIGURE spool.hint_missing {missing} entries");
    assert_eq!(missing, 0);
}

#[test]
fn behind_damage_a_hint_is_not_followed() {
    let fs = Model::default();
    let owed = half_delivered(&fs);
    let segment = fs.paths().into_iter().find(|path| path.extension().is_some_and(|e| e == "log")).unwrap();
    // The second frame goes; the numbers of all behind it are then one less than the hint means.
    fs.change(&segment, |bytes| {
        let at = 64 + 21 + record(0).len();
        bytes[at..at + 4].fill(0);
    });
    let found = drain(&mut open(&fs, Clock::new().0));
    assert!(owed.iter().all(|n| found.contains(n)), "{found:?}");
    assert!(!found.contains(&0), "before the damage it is");
}

#[test]
fn what_was_delivered_leaves_the_disk_when_it_is_quiet() {
    let (fs, mut clock) = (Model::default(), Clock::new());
    let mut spool = open(&fs, clock.0);
    let position = spool.append(clock.0, &record(1), 1, Keep::Held).unwrap();
    spool.resolve(position);
    assert_eq!(spool.status().segments, 1);
    spool.tick(clock.pass(Duration::from_secs(6)));
    assert_eq!((spool.status().segments, spool.status().bytes), (0, 0));
}
