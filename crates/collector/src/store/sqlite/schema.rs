//! What a day's file holds.

use crate::fields::{Field, Shape};

/// The layout's number, in `user_version`.
pub(super) const VERSION: i64 = 1;
/// `hopl`, in `application_id`: tells a file of ours from any other.
pub(super) const APPLICATION: i64 = 0x686f_706c;

/// Which stretch of 16 384 rows a row is in; the traces of each are in order by themselves.
///
/// Trace ids are random: in one order over the whole day, nearly every insert writes a page of its own, and the
/// more rows there are the slower all inserts become. The price is that a trace is looked for in every stretch.
pub(super) const STRETCH: &str = "seq >> 14";

/// Column names of every row, before those of [`Field::columns`].
pub(super) const HEAD: &str = "id, created_at, level, service, detail, metadata";

/// `, method, path, …`
pub(super) fn field_columns() -> String {
    Field::columns().fold(String::new(), |list, field| list + ", " + field.name())
}

/// Makes the tables of an empty file.
///
/// `seq` is the order of arrival. Values that a closed list has codes for are kept as codes; trace, span and entry
/// ids as bytes. The project is 0 for now, which costs no byte. Time, id and trace have an index; errors have one,
/// since they are few and asked for first.
pub(super) fn create() -> String {
    let columns = Field::columns().fold(String::new(), |list, field| {
        let affinity = match field.shape() {
            Shape::Text | Shape::Lines | Shape::Json => "TEXT",
            Shape::Integer | Shape::Word(_) => "INTEGER",
            Shape::Real => "REAL",
            Shape::Trace | Shape::Span | Shape::Id => "BLOB",
        };
        list + ", " + field.name() + " " + affinity
    });
    format!(
        "CREATE TABLE entries (seq INTEGER PRIMARY KEY, project INTEGER NOT NULL, id BLOB NOT NULL,
           created_at INTEGER NOT NULL, level INTEGER NOT NULL, service TEXT NOT NULL, detail TEXT, metadata TEXT
           {columns});
         CREATE UNIQUE INDEX entries_id ON entries (project, id);
         CREATE INDEX entries_created_at ON entries (project, created_at);
         CREATE INDEX entries_errors ON entries (project, created_at) WHERE level >= 4;
         CREATE INDEX entries_trace_id ON entries (project, {STRETCH}, trace_id) WHERE trace_id IS NOT NULL;
         CREATE INDEX entries_x_trace_id ON entries (project, {STRETCH}, x_trace_id) WHERE x_trace_id IS NOT NULL;
         CREATE TABLE tally (project INTEGER, service TEXT, level INTEGER, entries INTEGER NOT NULL,
           last_at INTEGER NOT NULL, PRIMARY KEY (project, service, level)) WITHOUT ROWID;
         CREATE TABLE senders (project INTEGER, boot_id TEXT, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
           batches INTEGER NOT NULL, last_seq INTEGER, source TEXT, ledger TEXT, closing INTEGER NOT NULL,
           PRIMARY KEY (project, boot_id)) WITHOUT ROWID;
         CREATE TABLE losses (project INTEGER, boot_id TEXT, batch_id TEXT, received_at INTEGER NOT NULL,
           losses TEXT NOT NULL, PRIMARY KEY (project, boot_id, batch_id)) WITHOUT ROWID;
         PRAGMA application_id = {APPLICATION};
         PRAGMA user_version = {VERSION};"
    )
}
