//! The destination: one transaction per batch, one row per entry.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use hoplog::{Batch, Delivery, Destination};
use rusqlite::{Connection, ErrorCode, params};

/// Entries by their id, so that one that comes again, because its batch was to be retried, is stored one time.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS entries (
    id TEXT PRIMARY KEY,
    created_at REAL NOT NULL,
    level TEXT NOT NULL,
    trace_id TEXT,
    message TEXT,
    entry TEXT NOT NULL
) WITHOUT ROWID";
const INSERT: &str = "INSERT OR IGNORE INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// A database and its table.
#[derive(Debug)]
pub(crate) struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute(TABLE, [])?;
        Ok(Self { connection })
    }

    /// All of them, or none.
    fn insert(&mut self, batch: &Batch<'_>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let mut insert = transaction.prepare(INSERT)?;
        for entry in batch.entries() {
            let mut json = Vec::new();
            entry.write_json(&mut json);
            insert.execute(params![
                entry.id().to_string(),
                entry.created_at().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
                entry.level().as_str(),
                entry.trace_id().map(|id| id.to_string()),
                entry.message(),
                String::from_utf8_lossy(&json).trim_end(),
            ])?;
        }
        drop(insert);
        transaction.commit()
    }
}

impl Destination for Sqlite {
    /// Blocks while SQLite writes, which it may: the thread is this destination's own.
    async fn deliver(&mut self, batch: &Batch<'_>) -> Delivery {
        match self.insert(batch) {
            Ok(()) => Delivery::Delivered,
            // Somebody else writes.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                Delivery::RetryAfter(Duration::from_millis(100))
            }
            // The disk is full, the table is gone: it may come back.
            Err(_) => Delivery::Retry,
        }
    }
}
