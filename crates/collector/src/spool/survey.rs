//! What is in a spool's directory, by names and lengths.

use hoplog_entry::EntryId;
use hoplog_entry::spool::name::{self, LOCK, QUARANTINE};
use hoplog_entry::spool::{MAX_SEGMENT, Name};
use rustix::fs::OFlags;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A spool as it lies there.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) writers: Vec<Writer>,
    /// Files in the quarantine, and their lengths.
    pub(super) quarantine: Vec<(PathBuf, u64)>,
    /// Names that are none of a spool's.
    pub(super) foreign: u64,
}

/// The directory of one run of one process.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) id: EntryId,
    pub(super) dir: PathBuf,
    /// Its process lives, or another one delivers what it left.
    pub(super) live: bool,
    pub(super) segments: Vec<SegmentFile>,
}

/// A segment by its name.
#[derive(Debug)]
pub(super) struct SegmentFile {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    pub(super) hint: PathBuf,
    pub(super) len: u64,
    pub(super) modified: Option<SystemTime>,
}

/// Looks through a spool's directory.
///
/// # Errors
/// It cannot be read.
pub(super) fn survey(root: &Path) -> io::Result<Survey> {
    let mut survey = Survey::default();
    for (name, path, found) in entries(root)? {
        if name == QUARANTINE && found.is_dir() {
            for (_, path, found) in entries(&path)?.into_iter().filter(|(_, _, found)| found.is_file()) {
                survey.quarantine.push((path, found.len()));
            }
            continue;
        }
        match name::writer(&name).filter(|_| found.is_dir()) {
            Some(id) => {
                let writer = writer(id, path, &mut survey.foreign)?;
                survey.writers.push(writer);
            }
            None => survey.foreign += 1,
        }
    }
    Ok(survey)
}

fn writer(id: EntryId, dir: PathBuf, foreign: &mut u64) -> io::Result<Writer> {
    let mut segments = Vec::new();
    for (name, path, found) in entries(&dir)? {
        match Name::parse(&name) {
            Some(Name::Segment(number)) if found.is_file() && found.len() <= MAX_SEGMENT => {
                let (hint, modified) = (dir.join(Name::Ack(number).to_string()), found.modified().ok());
                segments.push(SegmentFile { number, path, hint, len: found.len(), modified });
            }
            Some(Name::Segment(_)) | None => *foreign += 1,
            Some(_) => {}
        }
    }
    let live = is_locked(&dir.join(LOCK));
    Ok(Writer { id, dir, live, segments })
}

/// What is in a directory, by name; no link is followed.
fn entries(dir: &Path) -> io::Result<Vec<(String, PathBuf, Metadata)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| about(dir, &error))? {
        let path = entry?.path();
        // Delivered in the meantime, perhaps.
        let Ok(metadata) = path.symlink_metadata() else { continue };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.push((name, path, metadata));
    }
    found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    Ok(found)
}

/// Whether somebody holds the lock. A shared lock is taken for that, and given back at once.
fn is_locked(path: &Path) -> bool {
    open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Opens a file to read; no link is followed, and no pipe waited for.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

/// An error that says where.
pub(super) fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
