//! The spool on a disk in memory that can lose power at every operation, and on the real one.

mod awaited;
mod backlog;
mod clocks;
mod crashes;
mod disk;
mod hints;
pub(crate) mod model;
mod overflow;
#[cfg(unix)]
mod real;
mod sources;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hoplog_entry::spool::Source;
use hoplog_entry::{EntryId, Field, Kind, Level, Record, RecordWriter};
use model::Model;

use super::*;

const DIR: &str = "/var/lib/shop/hoplog";
/// 2025-11-20T00:00:00Z
const START_MS: u64 = 1_763_596_800_000;
const LEAST_SEGMENT: u64 = 64 + 13 + 8 + (1 << 20) + 29;

/// A record of which every byte follows from its number.
fn record(number: u64) -> Vec<u8> {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let mut w = RecordWriter::default();
    w.begin(Kind::Event, EntryId::from_bytes(id), number);
    w.text(Field::Message, &"payload ".repeat(1 + number as usize % 7));
    w.end(Level::Info, None).to_vec()
}

fn records(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    numbers.into_iter().flat_map(record).collect()
}

/// The numbers of these records, each of which has to be what its number says.
fn numbers(mut bytes: &[u8]) -> Vec<u64> {
    let mut numbers = Vec::new();
    while !bytes.is_empty() {
        let (read, rest) = Record::read(bytes).unwrap();
        let number = u64::from_be_bytes(*read.id().as_bytes().first_chunk().unwrap());
        assert_eq!(read.bytes(), record(number), "an entry is as it was written");
        numbers.push(number);
        bytes = rest;
    }
    numbers
}

/// A clock that is moved by hand.
#[derive(Debug, Clone, Copy)]
struct Clock(Now);

impl Clock {
    fn new() -> Self {
        Self(Now { mono: Instant::now(), unix_ms: START_MS })
    }

    fn pass(&mut self, time: Duration) -> Now {
        self.0.mono += time;
        self.0.unix_ms += time.as_millis() as u64;
        self.0
    }
}

fn config(dir: impl AsRef<Path>) -> SpoolConfig {
    let mut config = SpoolConfig::new(dir.as_ref());
    config.source = Some(Arc::new(Source { service: "shop".into(), pid: 7, ..Source::default() }));
    config.segment_bytes = LEAST_SEGMENT;
    config.max_bytes = 64 << 20;
    (config.floor_bytes, config.floor_percent) = (0, 0);
    config.sync = SyncPolicy::Group { delay: Duration::from_millis(5), bytes: 256 << 10 };
    assert_eq!(config.complaints(), Vec::<String>::new());
    config
}

fn open<F: Fs>(fs: &F, now: Now) -> Spool<F> {
    Spool::open(fs.clone(), config(DIR), now).unwrap()
}

/// Hands out everything and says that the server has it.
fn drain<F: Fs>(spool: &mut Spool<F>) -> Vec<u64> {
    let mut found = Vec::new();
    loop {
        match spool.next_backlog() {
            Backlog::Frame { position, entries, records, .. } => {
                let read = numbers(records);
                assert_eq!(read.len() as u32, entries);
                found.extend(read);
                spool.resolve(position);
            }
            Backlog::Unfinished => {}
            Backlog::Empty => return found,
        }
    }
}

fn set(numbers: impl IntoIterator<Item = u64>) -> BTreeSet<u64> {
    numbers.into_iter().collect()
}
