//! Which requests are open, noted on the disk: after a kill or an abort the next start tells what the process was at.
//!
//! ```text
//! request begins ─► a free place ─► one write ┐
//! route known    ─► the same place, anew      ├─ a file of a fixed size, in the page cache
//! request ends   ─► four zeros                ┘
//! clean end      ─► the file goes          next start ─► report: entries in the spools of all destinations
//! ```
//!
//! Nothing is synced and nothing mapped: what was written outlives the process, whatever ends it, and a power cut takes it.
//! The layout stands in `docs/spool-format.md`.

mod report;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hoplog_entry::EntryId;
use hoplog_entry::spool::{
    MAX_OPEN_PLACES, OPEN_BEYOND_AT, OPEN_FREE, OPEN_PLACE, OpenHeader, Source, open_place,
};

use crate::spool::{Fs, Now, RealFs};
use crate::sync::lock;
pub(crate) use report::Reporter;

/// The most requests that can be noted at a time.
pub(crate) const MOST: usize = MAX_OPEN_PLACES as usize;

/// The file of this process.
#[derive(Debug)]
pub(crate) struct OpenRequests {
    /// Locked for as long as the process lives.
    file: <RealFs as Fs>::File,
    path: PathBuf,
    first_place: u64,
    /// A bit per place; set: free.
    free: Box<[AtomicU64]>,
    /// Requests that are open and have no place. Locked while it is written, so that the last word is the last one said.
    beyond: Mutex<u64>,
    /// Requests so far that are not noted.
    missed: AtomicU64,
    closed: AtomicBool,
}

/// Where an open request is noted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    #[default]
    No,
    At(u32),
    /// All places were taken.
    Beyond,
}

impl OpenRequests {
    /// Makes the file, in a directory that is made if it is missing.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn create(dir: &Path, places: usize, source: &Source) -> io::Result<Self> {
        let (fs, now) = (RealFs, Now::of_system());
        let places = places.clamp(1, MOST);
        fs.make_dir(dir)?;
        let process = EntryId::generate(now.unix_ms);
        let path = dir.join(process.to_string());
        let file = fs.create(&path)?;
        if !fs.lock(&file)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let header = OpenHeader {
            process,
            created_unix_ms: now.unix_ms,
            places: places as u32,
            source: source.clone(),
        };
        let header = header.to_bytes();
        fs.write_all_at(&file, 0, &header)?;
        let first_place = header.len() as u64;
        // Written, and not left as a hole: a disk that is full later has room for it.
        for place in 0..places as u64 {
            fs.write_all_at(&file, first_place + place * OPEN_PLACE as u64, &[0; OPEN_PLACE])?;
        }
        let free = (0..places.div_ceil(64)).map(|word| {
            let bits = (places - word * 64).min(64);
            AtomicU64::new(u64::MAX >> (64 - bits))
        });
        Ok(Self {
            file,
            path,
            first_place,
            free: free.collect(),
            beyond: Mutex::new(0),
            missed: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        })
    }

    /// A request begins.
    pub(crate) fn begin(&self, record: &[u8]) -> Noted {
        if self.closed.load(Ordering::Relaxed) {
            return Noted::No;
        }
        let Some(place) = self.take() else {
            self.missed.fetch_add(1, Ordering::Relaxed);
            self.count_beyond(|beyond| beyond + 1);
            return Noted::Beyond;
        };
        if self.write(place, record) {
            return Noted::At(place);
        }
        self.missed.fetch_add(1, Ordering::Relaxed);
        self.give_back(place);
        Noted::No
    }

    /// More is known of it.
    pub(crate) fn change(&self, noted: Noted, record: &[u8]) {
        if let Noted::At(place) = noted {
            self.write(place, record);
        }
    }

    /// It has ended.
    pub(crate) fn end(&self, noted: Noted) {
        match noted {
            Noted::No => {}
            // A place that cannot be freed on the disk is not used again: it would tell of two requests.
            Noted::At(place) => {
                if RealFs.write_all_at(&self.file, self.at(place), &OPEN_FREE).is_ok() {
                    self.give_back(place);
                }
            }
            Noted::Beyond => self.count_beyond(|beyond| beyond.saturating_sub(1)),
        }
    }

    /// The process ends cleanly: there is nothing to tell.
    pub(crate) fn remove(&self) {
        if !self.closed.swap(true, Ordering::Relaxed) {
            let _ = RealFs.remove(&self.path);
        }
    }

    /// Requests so far that are not noted: all places were taken, or the disk failed.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    fn write(&self, place: u32, record: &[u8]) -> bool {
        let bytes = open_place(record);
        bytes.is_some_and(|bytes| RealFs.write_all_at(&self.file, self.at(place), &bytes).is_ok())
    }

    fn at(&self, place: u32) -> u64 {
        self.first_place + u64::from(place) * OPEN_PLACE as u64
    }

    fn count_beyond(&self, change: impl FnOnce(u64) -> u64) {
        let mut beyond = lock(&self.beyond);
        *beyond = change(*beyond);
        let _ = RealFs.write_all_at(&self.file, OPEN_BEYOND_AT, &beyond.to_le_bytes());
    }

    fn take(&self) -> Option<u32> {
        for (word, free) in (0..).zip(&self.free) {
            let mut bits = free.load(Ordering::Relaxed);
            while bits != 0 {
                let bit = bits.trailing_zeros();
                // Acquires what the last holder wrote: no write of its own comes after ours.
                if free.fetch_and(!(1 << bit), Ordering::Acquire) & (1 << bit) != 0 {
                    return Some(word * 64 + bit);
                }
                bits &= !(1 << bit);
            }
        }
        None
    }

    fn give_back(&self, place: u32) {
        if let Some(free) = self.free.get(place as usize / 64) {
            free.fetch_or(1 << (place % 64), Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests;
