//! Processes that abort at each durable transition, once and twice in a row.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use super::*;
use hoplog_entry::spool::Name;

/// What a spool does to a disk that has to be safe to die in.
const TRANSITIONS: [&str; 15] = [
    "make writer",
    "lock",
    "sync root",
    "create segment",
    "write header",
    "write frame",
    "sync frames",
    "sync writer",
    "write footer",
    "create hint",
    "rename hint",
    "remove segment",
    "remove hint",
    "adopt",
    "write quarantine",
];

/// The system's files, and an end at the n-th time of one transition, before or after it.
#[derive(Clone)]
struct Mortal {
    at: &'static str,
    nth: u32,
    before: bool,
    seen: Arc<Mutex<BTreeMap<&'static str, u32>>>,
}

impl Mortal {
    fn pass<T>(&self, what: &'static str, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let nth = {
            let mut seen = self.seen.lock().unwrap();
            let count = seen.entry(what).or_default();
            *count += 1;
            *count
        };
        let ends = what == self.at && nth == self.nth;
        if ends && self.before {
            std::process::abort();
        }
        let result = act();
        if ends {
            std::process::abort();
        }
        result
    }

    fn name(path: &Path) -> Option<Name> {
        Name::parse(path.file_name()?.to_str()?)
    }

    fn in_quarantine(path: &Path) -> bool {
        path.parent().is_some_and(|dir| dir.ends_with("quarantine"))
    }
}

impl Fs for Mortal {
    type File = (std::fs::File, bool);

    fn user(&self) -> u32 {
        RealFs.user()
    }

    fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.pass("make writer", || RealFs.make_dir(path))
    }

    fn create(&self, path: &Path) -> io::Result<Self::File> {
        let what = match Self::name(path) {
            Some(Name::Segment(_)) => "create segment",
            Some(Name::AckTmp(_)) => "create hint",
            _ => "other",
        };
        Ok((self.pass(what, || RealFs.create(path))?, Self::in_quarantine(path)))
    }

    fn open_lock(&self, path: &Path) -> io::Result<Self::File> {
        Ok((RealFs.open_lock(path)?, false))
    }

    fn open(&self, path: &Path) -> io::Result<Self::File> {
        Ok((RealFs.open(path)?, false))
    }

    fn lock(&self, file: &Self::File) -> io::Result<bool> {
        self.pass("lock", || RealFs.lock(&file.0))
    }

    fn read_at(&self, file: &Self::File, at: u64, out: &mut [u8]) -> io::Result<usize> {
        RealFs.read_at(&file.0, at, out)
    }

    fn write_at(&self, file: &Self::File, at: u64, bytes: &[u8]) -> io::Result<usize> {
        let what = match bytes {
            _ if file.1 => "write quarantine",
            _ if bytes.starts_with(b"HOPSPOOL") => "write header",
            [b'F', b'R', b'G', b'L', _, _, _, _, _, _, _, _, 1, ..] => "write frame",
            [b'F', b'R', b'G', b'L', ..] => "write footer",
            _ => "other",
        };
        self.pass(what, || RealFs.write_at(&file.0, at, bytes))
    }

    fn truncate(&self, file: &Self::File, len: u64) -> io::Result<()> {
        RealFs.truncate(&file.0, len)
    }

    fn sync(&self, file: &Self::File) -> io::Result<()> {
        self.pass("sync frames", || RealFs.sync(&file.0))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let what = if path.ends_with("spool") { "sync root" } else { "sync writer" };
        self.pass(what, || RealFs.sync_dir(path))
    }

    fn stat(&self, file: &Self::File) -> io::Result<Stat> {
        RealFs.stat(&file.0)
    }

    fn stat_path(&self, path: &Path) -> io::Result<Option<Stat>> {
        RealFs.stat_path(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass("rename hint", || RealFs.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let what = match Self::name(path) {
            Some(Name::Segment(_)) => "remove segment",
            Some(Name::Ack(_)) => "remove hint",
            _ => "other",
        };
        self.pass(what, || RealFs.remove(path))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        RealFs.remove_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let adopts = path.file_name().is_some_and(|name| name != "spool" && name != "quarantine");
        self.pass(if adopts { "adopt" } else { "other" }, || RealFs.list(path))
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        RealFs.space(path)
    }
}

/// A life: it delivers half of what is there, writes a dozen frames, delivers some, and passes every transition. It says
/// what is durable and what was delivered before anything else happens.
fn live(task: &str, place: &Path) {
    let mut words = task.split(',');
    let mut word = || words.next().unwrap().to_owned();
    let (at, nth, before, first) = (word(), word(), word(), word());
    let at = TRANSITIONS.into_iter().find(|known| *known == at).unwrap_or("never");
    let fs = Mortal { at, nth: nth.parse().unwrap(), before: before == "before", seen: Arc::default() };
    let first: u64 = first.parse().unwrap();
    let mut clock = Clock(now());
    let mut spool = Spool::open(fs, config(place), clock.0).unwrap();
    for _ in 0..4 {
        let Backlog::Frame { position, records, .. } = spool.next_backlog() else { break };
        numbers(records).iter().for_each(|n| say(&format!("delivered {n}")));
        spool.resolve(position);
    }
    for round in 0..3 {
        let mut positions = Vec::new();
        for n in 0..4 {
            let number = first + round * 4 + n;
            say(&format!("written {number}"));
            // Kept by the caller, every other one, and told to be there once it is synced.
            let keep = if n % 2 == 0 { Keep::Held } else { Keep::Spooled };
            positions.push((number, spool.append(clock.0, &record(number), 1, keep).unwrap()));
        }
        spool.sync(clock.0).unwrap();
        for (number, position) in &positions {
            if spool.is_durable(*position) {
                say(&format!("durable {number}"));
            }
        }
        say(&format!("delivered {}", positions[0].0));
        spool.resolve(positions[0].1);
        spool.tick(clock.pass(Duration::from_secs(6)));
        if round == 1 {
            let _ = spool.quarantine(clock.0, &record(first), 1, None);
            spool.seal(clock.0);
        }
        if round == 2 {
            positions.iter().for_each(|(_, position)| {
                spool.release(*position);
            });
        }
    }
    // All of the middle segment finds its fate, so that it and its hint are removed.
    while let Backlog::Frame { position, records, .. } = spool.next_backlog() {
        let read = numbers(records);
        if read[0] >= first + 8 {
            break;
        }
        read.iter().for_each(|n| say(&format!("delivered {n}")));
        spool.resolve(position);
    }
    spool.close(clock.0);
    say("lived");
}

const TEST: &str =
    "spool::tests::real::aborts::a_process_may_abort_at_any_transition_once_and_twice_in_a_row";

#[test]
fn a_process_may_abort_at_any_transition_once_and_twice_in_a_row() {
    if let Some((task, place)) = task() {
        return live(&task, &place);
    }
    let (mut aborts, mut covered, mut durable_owed, mut missing, mut duplicates) =
        (0, BTreeSet::new(), 0, 0, 0);
    for (at, before, nth) in
        TRANSITIONS.into_iter().flat_map(|at| [(at, "before", 1), (at, "after", 1), (at, "after", 2)])
    {
        let place = Place::new();
        let (mut written, mut durable, mut delivered) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        // Something that a dead process left, then two processes that die, then one that lives.
        let lives = [("never", 1), (at, nth), (at, nth)];
        for (life, (at, nth)) in lives.into_iter().enumerate() {
            let task = format!("{at},{nth},{before},{}", 1_000 * life);
            let output = child(TEST, &task, &place.spool()).output().unwrap();
            let said = said(&output);
            let lived = said.last().is_some_and(|line| line == "lived");
            assert_eq!(lived, output.status.success(), "{at} {before} {nth}: {said:?}");
            if !lived {
                aborts += 1;
                covered.insert(at);
            }
            for line in said {
                let Some((what, number)) = line.split_once(' ') else { continue };
                let number: u64 = number.parse().unwrap();
                match what {
                    "written" => written.insert(number),
                    "durable" => durable.insert(number),
                    _ => delivered.insert(number),
                };
            }
        }
        let found = drain(&mut place.open());
        let recovered = set(found.iter().copied());
        let owed: BTreeSet<u64> = durable.difference(&delivered).copied().collect();
        durable_owed += owed.len();
        missing += owed.difference(&recovered).count();
        duplicates += found.len() - recovered.len() + recovered.intersection(&delivered).count();
        assert!(recovered.is_subset(&written), "{at} {before} {nth}");
        assert!(owed.is_subset(&recovered), "{at} {before} {nth}: {owed:?} of {recovered:?}");
    }
    println!("FIGURE spool.aborts {aborts} aborts");
    println!("FIGURE spool.abort_transitions {} of {}", covered.len(), TRANSITIONS.len());
    println!("FIGURE spool.abort_durable_owed {durable_owed} entries");
    println!("FIGURE spool.abort_durable_missing {missing} entries");
    println!("FIGURE spool.abort_duplicates {duplicates} entries");
    let expected: BTreeSet<&str> = TRANSITIONS.into_iter().collect();
    assert_eq!(covered, expected, "every transition was met");
    assert!(durable_owed > 100 && duplicates > 0);
}
