//! Ids that outlive their entries. A day that retention takes while copies of its entries may still come leaves
//! `ids-YYYY-MM-DD.db` behind: what tells a copy, about a twentieth of the day. So a retry meets its first copy for
//! [`KEPT_DAYS`], however little is kept.
//!
//! The file is written whole beside its final name, synced, and renamed; only then the day is deleted. It is never
//! written to again: when its day was begun anew and goes once more, another one takes its place.

use super::connection;
use super::directory::Directory;
use crate::time::Day;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File};
use std::io;
use std::path::Path;

pub(super) use crate::store::retention::IDS_KEPT_DAYS as KEPT_DAYS;

/// Keeps the ids of a day that is about to be deleted.
pub(super) fn keep(directory: &Directory, day: Day) -> io::Result<()> {
    let (file, draft) = (directory.ids_file(day), directory.ids_draft(day));
    let before = file.exists().then_some(file.as_path());
    remove(&draft)?;
    write(&draft, &directory.file(day), before).map_err(io::Error::other)?;
    File::open(&draft)?.sync_all()?;
    fs::rename(&draft, &file)?;
    File::open(directory.path())?.sync_all()
}

fn write(draft: &Path, day: &Path, before: Option<&Path>) -> rusqlite::Result<()> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(draft, flags)?;
    // The draft counts for nothing until it is whole.
    connection.execute_batch(
        "PRAGMA journal_mode = OFF;
         PRAGMA synchronous = OFF;
         CREATE TABLE entries (project INTEGER, id BLOB, hash INTEGER, PRIMARY KEY (project, id)) WITHOUT ROWID;",
    )?;
    for source in [before, Some(day)].into_iter().flatten() {
        connection.execute("ATTACH ?1 AS source", [source.to_string_lossy()])?;
        connection.execute_batch(
            "INSERT OR IGNORE INTO main.entries SELECT project, id, hash FROM source.entries ORDER BY project, id;",
        )?;
        if source == day {
            connection.execute_batch(
                "INSERT OR IGNORE INTO main.entries SELECT project, id, hash FROM source.gone",
            )?;
        }
        connection.execute_batch("DETACH source")?;
    }
    Ok(())
}

/// The ids kept of a day, if there are some.
pub(super) fn open(directory: &Directory, day: Day) -> rusqlite::Result<Option<Connection>> {
    let file = directory.ids_file(day);
    file.exists().then(|| connection::for_reading(&file)).transpose()
}

/// Deletes the ids of days of which no copy is awaited any more.
pub(super) fn expire(directory: &Directory, today: Day) {
    for day in directory.ids_days() {
        if day < today.back(KEPT_DAYS) {
            // What cannot be deleted is met again at the next sweep.
            let _ = remove(&directory.ids_file(day));
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
