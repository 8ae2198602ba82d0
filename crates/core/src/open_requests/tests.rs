use std::sync::Arc;

use hoplog_entry::spool::{OpenLeft, read_open};
use hoplog_entry::{Field, Kind, Level, Outcome, Record, RecordWriter, Value};

use super::report::{Found, report};
use super::*;
use crate::spool::tests::model::Model;
use crate::spool::{Backlog, Spool, SpoolConfig};

fn source() -> Source {
    Source { service: "shop".into(), pid: 4_711, ..Source::default() }
}

fn record(number: u8) -> Vec<u8> {
    let mut w = RecordWriter::default();
    w.begin(Kind::Request, EntryId::from_bytes([number; 16]), 1_763_600_000_000_000_000 + u64::from(number));
    w.text(Field::Path, &format!("/{number}"));
    w.end(Level::Error, Some(Outcome::ProcessDied)).to_vec()
}

fn paths(left: &OpenLeft<'_>) -> Vec<String> {
    let path = |record: &Record<'_>| match record.get(Field::Path) {
        Some(Value::Text(path)) => path.to_owned(),
        other => panic!("{other:?}"),
    };
    left.records.iter().map(path).collect()
}

#[test]
#[cfg(unix)]
fn what_is_open_stands_in_the_file_and_what_has_ended_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let notes = OpenRequests::create(&dir.path().join("notes"), 3, &source()).unwrap();
    let read = |expected: &[&str], beyond| {
        let bytes = std::fs::read(&notes.path).unwrap();
        let left = read_open(&bytes).unwrap();
        let (mut found, mut expected) = (paths(&left), expected.to_vec());
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(
            (found, left.beyond, left.unreadable),
            (expected.iter().map(|s| (*s).to_owned()).collect(), beyond, 0)
        );
        assert_eq!(left.header.source, source());
    };
    let len = std::fs::metadata(&notes.path).unwrap().len();
    read(&[], 0);
    let at: Vec<Noted> = (1..=5).map(|number| notes.begin(&record(number))).collect();
    assert_eq!(at[3..], [Noted::Beyond, Noted::Beyond]);
    read(&["/1", "/2", "/3"], 2);
    notes.change(at[1], &record(9));
    notes.end(at[0]);
    notes.end(at[4]);
    read(&["/9", "/3"], 1);
    assert_eq!(notes.begin(&record(6)), at[0], "a free place is taken again");
    read(&["/9", "/3", "/6"], 1);
    assert_eq!((notes.missed(), std::fs::metadata(&notes.path).unwrap().len()), (2, len), "it does not grow");
    notes.remove();
    assert!(!notes.path.exists());
    assert_eq!(notes.begin(&record(7)), Noted::No);
}

#[test]
#[cfg(unix)]
fn many_threads_never_share_a_place() {
    let dir = tempfile::tempdir().unwrap();
    let notes = Arc::new(OpenRequests::create(dir.path(), 70, &source()).unwrap());
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let notes = Arc::clone(&notes);
            std::thread::spawn(move || {
                for round in 0..500 {
                    let taken: Vec<_> = (0..20).map(|_| notes.begin(&record(thread))).collect();
                    taken.into_iter().skip(usize::from(round == 499)).for_each(|at| notes.end(at));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let bytes = std::fs::read(&notes.path).unwrap();
    let left = read_open(&bytes).unwrap();
    let beyond = left.beyond;
    assert_eq!((left.records.len() as u64 + beyond, left.unreadable), (4, 0), "one of each thread is open");
}

/// What a process leaves in a directory of notes when it is killed.
fn killed(fs: &Model, dir: &Path, process: u8, open: &[u8], beyond: u64) {
    let header = OpenHeader {
        process: EntryId::from_bytes([process; 16]),
        created_unix_ms: 1_763_600_000_000,
        places: 4,
        source: source(),
    };
    fs.make_dir(dir).unwrap();
    let file = fs.create(&dir.join(header.process.to_string())).unwrap();
    let mut bytes = header.to_bytes();
    bytes[OPEN_BEYOND_AT as usize..][..8].copy_from_slice(&beyond.to_le_bytes());
    for number in open {
        let mut place = open_place(&record(*number)).unwrap();
        place.resize(OPEN_PLACE, 0);
        bytes.extend_from_slice(&place);
    }
    fs.write_all_at(&file, 0, &bytes).unwrap();
}

/// The entries in a spool, by the first byte of their ids, and under whose name.
fn spooled(fs: &Model, dir: &Path) -> Vec<(u8, u32)> {
    let mut spool = Spool::open(fs.clone(), SpoolConfig::new(dir), Now::of_system()).unwrap();
    let mut found = Vec::new();
    loop {
        match spool.next_backlog() {
            Backlog::Frame { mut records, source, .. } => {
                let pid = source.map_or(0, |source| source.pid);
                while let Ok((record, rest)) = Record::read(records) {
                    found.push((record.id().as_bytes()[0], pid));
                    records = rest;
                }
            }
            Backlog::Unfinished => {}
            Backlog::Empty => break,
        }
    }
    found.sort_unstable();
    found
}

#[test]
fn whenever_the_one_that_reports_dies_too_each_request_is_reported_once_in_every_spool() {
    let (notes, spools) = (Path::new("/s/requests.open"), [PathBuf::from("/s/a"), PathBuf::from("/s/b")]);
    let expected = vec![(1, 4_711), (2, 4_711), (3, 4_711), (0xaa, 4_711)];
    let mut deaths = 0;
    for ops in 0.. {
        let fs = Model::default();
        killed(&fs, notes, 0xaa, &[1, 2], 5);
        killed(&fs, notes, 0xbb, &[3], 0);
        killed(&fs, notes, 0xcc, &[], 0);
        fs.off_after(ops);
        let first = report(&fs, notes, &spools);
        fs.off_after(1 << 40);
        let second = report(&fs, notes, &spools);
        assert_eq!((first.processes + second.processes, first.requests + second.requests), (2, 3), "{ops}");
        assert_eq!(report(&fs, notes, &spools), Found::default(), "all is told");
        for spool in &spools {
            assert_eq!(spooled(&fs, spool), expected, "{ops}");
        }
        if second == Found::default() {
            break;
        }
        deaths += 1;
    }
    println!("FIGURE open_requests.reporter_deaths {deaths} 1");
    assert!(deaths > 20, "{deaths}");
}

#[test]
fn what_is_strange_stays_and_is_counted() {
    let fs = Model::default();
    let notes = Path::new("/s/requests.open");
    killed(&fs, notes, 0xaa, &[1], 0);
    let name = EntryId::from_bytes([0xbb; 16]).to_string();
    let strange = fs.create(&notes.join(&name)).unwrap();
    fs.write_all_at(&strange, 0, b"not one of ours, but of the same name").unwrap();
    drop(fs.create(&notes.join("README")).unwrap());
    let found = report(&fs, notes, &[PathBuf::from("/s/a")]);
    assert_eq!(found, Found { processes: 1, requests: 1, beyond: 0, unreadable: 1 });
    let mut left = fs.list(notes).unwrap();
    left.sort_unstable();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.contains(&name) && left.contains(&"README".to_owned()));
    let alive = fs.open_lock(&notes.join(EntryId::from_bytes([0xcc; 16]).to_string())).unwrap();
    assert!(fs.lock(&alive).unwrap());
    assert_eq!(report(&fs, notes, &[]).processes, 0, "one that lives is let be");
}
