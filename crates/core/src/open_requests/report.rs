//! What dead processes left open becomes entries in the spools, as if they had written them there themselves.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use hoplog_entry::spool::name::{self, LOCK};
use hoplog_entry::spool::{
    MAX_OPEN_FILE, Name, OpenLeft, SegmentHeader, Tally, push_entries, push_footer, push_source, read_open,
};
use hoplog_entry::{Diagnostics, EntryId, Kind, Level, RecordWriter};

use crate::spool::{Fs, is_plain_file};
use crate::sync::lock;

/// Records of one frame.
const FRAME: usize = 64 * 1024;
const UNFINISHED: &str = "report.tmp";

/// Tells of the dead, before the spools are opened: they find it there.
#[derive(Debug)]
pub(crate) struct Reporter {
    dir: PathBuf,
    places: usize,
    /// Of all destinations that have a spool.
    spools: Mutex<Vec<PathBuf>>,
    done: Mutex<bool>,
}

/// What was found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) processes: u64,
    pub(super) requests: u64,
    pub(super) beyond: u64,
    pub(super) unreadable: u64,
}

impl Reporter {
    pub(crate) fn new(dir: PathBuf, places: usize) -> Self {
        Self { dir, places, spools: Mutex::default(), done: Mutex::default() }
    }

    /// Where this process notes its own, and how many.
    pub(crate) fn notes(&self) -> (&Path, usize) {
        (&self.dir, self.places)
    }

    /// A destination has its spool there.
    pub(crate) fn tell(&self, spool: &Path) {
        lock(&self.spools).push(spool.to_owned());
    }

    /// Reports once. Whoever comes meanwhile waits, for what it would find is not there yet.
    pub(crate) fn report<F: Fs>(&self, fs: &F, diagnostics: &Diagnostics) {
        let mut done = lock(&self.done);
        if std::mem::replace(&mut *done, true) {
            return;
        }
        let found = report(fs, &self.dir, &lock(&self.spools));
        if found.requests + found.beyond > 0 {
            diagnostics.warn("died", || {
                let more = if found.beyond > 0 { format!(" and {} more", found.beyond) } else { String::new() };
                format!(
                    "{} requests{more} were open when their process ended; they are reported as `process_died`",
                    found.requests
                )
            });
        }
        if found.unreadable > 0 {
            diagnostics
                .warn("open", || format!("{} notes of open requests cannot be read", found.unreadable));
        }
    }
}

/// Looks through the notes of dead processes. A process that dies on the way leaves them to the next one, which writes
/// the same entries again.
pub(super) fn report<F: Fs>(fs: &F, dir: &Path, spools: &[PathBuf]) -> Found {
    let mut found = Found::default();
    let Ok(names) = fs.list(dir) else { return found };
    for name in names {
        if name::writer(&name).is_some()
            && let Err(Unreadable) = bury(fs, &dir.join(name), spools, &mut found)
        {
            found.unreadable += 1;
        }
    }
    found
}

/// It is none of our files, or says nothing; it stays.
struct Unreadable;

/// One file. Where the disk fails it stays, for the next start.
fn bury<F: Fs>(fs: &F, path: &Path, spools: &[PathBuf], found: &mut Found) -> Result<(), Unreadable> {
    let Ok(Some(stat)) = fs.stat_path(path) else { return Ok(()) };
    if !is_plain_file(&stat, fs.user(), MAX_OPEN_FILE) {
        return Err(Unreadable);
    }
    let Ok(file) = fs.open_lock(path) else { return Ok(()) };
    // Its process lives, or another one tells of it.
    if !matches!(fs.lock(&file), Ok(true)) {
        return Ok(());
    }
    let mut bytes = vec![0; stat.len as usize];
    let Ok(read) = fs.read_full_at(&file, 0, &mut bytes) else { return Ok(()) };
    let left = read_open(bytes.get(..read).unwrap_or_default()).map_err(|_| Unreadable)?;
    let was_busy = !left.records.is_empty() || left.beyond > 0;
    if was_busy {
        let segment = segment(&left);
        if spools.iter().any(|spool| leave(fs, spool, left.header.process, &segment).is_err()) {
            return Ok(());
        }
    }
    // Until it is gone it is told again, under the same ids.
    if fs.remove(path).is_ok() {
        found.processes += u64::from(was_busy);
        found.requests += left.records.len() as u64;
        found.beyond += left.beyond;
        found.unreadable += u64::from(left.unreadable);
    }
    Ok(())
}

/// The entries as a whole segment of the process that is dead. The same bytes whoever writes it, and whenever.
fn segment(left: &OpenLeft<'_>) -> Vec<u8> {
    let OpenLeft { header, records, .. } = left;
    let named = SegmentHeader { segment: 0, writer: header.process, created_unix_ms: header.created_unix_ms };
    let (mut bytes, mut tally) = (named.to_bytes().to_vec(), Tally::default());
    push_source(&mut bytes, &mut tally, &header.source);
    let beyond = (left.beyond > 0).then(|| beyond(left));
    let mut frame = (Vec::new(), 0);
    for record in records.iter().map(|record| record.bytes()).chain(beyond.as_deref()) {
        frame.0.extend_from_slice(record);
        frame.1 += 1;
        if frame.0.len() >= FRAME {
            let _ = push_entries(&mut bytes, &mut tally, frame.1, &frame.0);
            frame = (Vec::new(), 0);
        }
    }
    // An empty frame is none.
    let _ = push_entries(&mut bytes, &mut tally, frame.1, &frame.0);
    push_footer(&mut bytes, &tally);
    bytes
}

/// An entry that says how many there were beside those that are named. Nothing else bears the file's own id.
fn beyond(left: &OpenLeft<'_>) -> Vec<u8> {
    let OpenLeft { header, records, .. } = left;
    let last = records.iter().map(hoplog_entry::Record::created_unix_ns).max();
    let mut writer = RecordWriter::default();
    let created = last.unwrap_or(header.created_unix_ms.saturating_mul(1_000_000));
    writer.begin(Kind::Event, header.process, created);
    let (beyond, places) = (left.beyond, header.places);
    writer.text(
        hoplog_entry::Field::Message,
        &format!("{beyond} more requests were open when the process ended; {places} can be noted at a time"),
    );
    writer.end(Level::Warn, None).to_vec()
}

/// Puts the segment into the spool, in a directory of the dead process, from which the spool adopts it.
fn leave<F: Fs>(fs: &F, spool: &Path, process: EntryId, segment: &[u8]) -> io::Result<()> {
    let dir = spool.join(process.to_string());
    fs.make_dir(spool)?;
    fs.make_dir(&dir)?;
    let lock = fs.open_lock(&dir.join(LOCK))?;
    if !fs.lock(&lock)? {
        // It is adopted already, so it was whole.
        return Ok(());
    }
    // Under a name that nobody adopts, until it is whole.
    let unfinished = dir.join(UNFINISHED);
    match fs.remove(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = fs.create(&unfinished)?;
    fs.write_all_at(&file, 0, segment)?;
    fs.sync(&file)?;
    fs.rename(&unfinished, &dir.join(Name::Segment(0).to_string()))?;
    fs.sync_dir(&dir)?;
    fs.sync_dir(spool)
}
