//! Connections to a day's file, and what SQLite's errors mean to us.

use super::schema;
use crate::store::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// Pages of the log after which SQLite moves them into the file by itself: 16 MiB, a few groups' worth.
const AUTOCHECKPOINT_PAGES: u32 = 4096;

/// Opens a file for the writer; makes it if it is not there.
pub(super) fn for_writing(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(1))?;
    // What is freed is overwritten from the first row on: one that was moved by later ones would else leave a copy that
    // no deletion reaches.
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = {AUTOCHECKPOINT_PAGES};
         PRAGMA cache_size = -16384;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;"
    ))?;
    if version(&connection)? < schema::VERSION {
        schema::prepare(&mut connection)?;
    }
    Ok(connection)
}

/// Opens a file that is there, to look at it.
pub(super) fn existing(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    Connection::open_with_flags(path, flags)
}

/// Opens a file for a reader.
pub(super) fn for_reading(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA query_only = 1;")?;
    Ok(connection)
}

/// The layout's number; 0 in an empty file.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Whether the file itself is broken, and not only out of reach.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// What a failed write or read means to whoever asked.
pub(super) fn explain(error: &rusqlite::Error, path: &Path) -> StoreError {
    let path = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(format!("no room on the disk for {path}: free some")),
        Some(ErrorCode::OperationInterrupted) => {
            StoreError::TooSlow("the query took too long: narrow it with from, to or service".to_owned())
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            StoreError::Unavailable(format!(
                "{path} cannot be written to or is gone ({error}): check the data directory"
            ))
        }
        _ if is_damage(error) => {
            StoreError::Unavailable(format!("{path} is damaged ({error}): a restart sets it aside"))
        }
        _ => StoreError::Unavailable(format!("{path}: {error}")),
    }
}
