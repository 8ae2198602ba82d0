//! What a day's file holds, and how one of an older layout comes to hold it too.
//!
//! | layout | adds |
//! |---|---|
//! | 1 | |
//! | 2 | columns for what whole requests bring, `ended`, weights in the tally, indexes of slow and of running entries |
//! | 3 | `hash`, what became of each sender's entries, which of them came (`spans`), ids ahead of time (`strays`) |
//! | 4 | columns for what a user agent tells |
//! | 5 | ids of deleted entries (`gone`), where the rows once ended (`ends`), what texts are made of (`grams`) |

use super::running;
use crate::fields::{Field, MOST_WEIGHT, Shape};
use rusqlite::{Connection, TransactionBehavior};
use std::collections::HashSet;

/// The layout's number, in `user_version`; a file of an older one is brought to it when it is opened for writing.
pub(super) const VERSION: i64 = 5;
/// `hopl`, in `application_id`: tells a file of ours from any other.
pub(super) const APPLICATION: i64 = 0x686f_706c;

/// Which stretch of 16 384 rows a row is in; the traces of each are in order by themselves.
///
/// Trace ids are random: in one order over the whole day, nearly every insert writes a page of its own, and the
/// more rows there are the slower all inserts become. The price is that a trace is looked for in every stretch.
pub(super) const STRETCH: &str = "seq >> 14";

/// What `ended` says of an entry that came marked as deleted.
pub(super) const DELETED: i64 = 2;
/// The project in the tally for such entries: none that anybody asks for.
pub(super) const HIDDEN: i64 = -1;

/// Column names of every row, before those of [`Field::columns`].
pub(super) const HEAD: &str = "id, created_at, level, service, detail, metadata";

/// `, method, path, …`
pub(super) fn field_columns() -> String {
    Field::columns().fold(String::new(), |list, field| list + ", " + field.name())
}

fn affinity(field: Field) -> &'static str {
    match field.shape() {
        Shape::Text | Shape::Lines | Shape::Json => "TEXT",
        Shape::Integer | Shape::Word(_) | Shape::Bool => "INTEGER",
        Shape::Real | Shape::Weight => "REAL",
        Shape::Trace | Shape::Span | Shape::Id => "BLOB",
    }
}

/// Makes the tables of an empty file, or brings those of an older layout to this one: whole, or not at all.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match super::connection::version(&transaction)? {
        0 => transaction.execute_batch(&create())?,
        before => {
            add_missing_columns(&transaction)?;
            if before < 2 {
                upgrade_to_2(&transaction)?;
            }
            if before < 3 {
                transaction.execute_batch(&upgrade_to_3())?;
            }
            if before < 5 {
                transaction.execute_batch(&format!("{GONE} {ENDS} {GRAMS}"))?;
            }
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
    }
    transaction.commit()
}

/// `seq` is the order of arrival. Values that a closed list has codes for are kept as codes; trace, span and entry
/// ids as bytes. A directory is one project's, so the project in it is 0, which costs no byte. `ended` says why a row is in
/// no answer: 1 on a running entry whose final one is known to be there, [`DELETED`] on one that came marked as deleted. `hash` is that of the entry as it came; null where none was kept.
///
/// In the tally, `entries` are rows and `extra` is what their weights make more of them; running entries are in
/// neither, as they come to nothing once they end. Those that came as deleted are counted for the project [`HIDDEN`].
pub(super) fn create() -> String {
    let columns = Field::columns()
        .fold(String::new(), |list, field| list + ", " + field.name() + " " + affinity(field));
    format!(
        "CREATE TABLE entries (seq INTEGER PRIMARY KEY, project INTEGER NOT NULL, id BLOB NOT NULL,
           created_at INTEGER NOT NULL, level INTEGER NOT NULL, service TEXT NOT NULL, detail TEXT, metadata TEXT
           {columns}, ended INTEGER, hash INTEGER);
         CREATE UNIQUE INDEX entries_id ON entries (project, id);
         CREATE INDEX entries_created_at ON entries (project, created_at);
         CREATE INDEX entries_trace_id ON entries (project, {STRETCH}, trace_id) WHERE trace_id IS NOT NULL;
         CREATE INDEX entries_x_trace_id ON entries (project, {STRETCH}, x_trace_id) WHERE x_trace_id IS NOT NULL;
         {indexes}
         CREATE TABLE tally (project INTEGER, service TEXT, level INTEGER, entries INTEGER NOT NULL,
           last_at INTEGER NOT NULL, extra REAL NOT NULL DEFAULT 0, PRIMARY KEY (project, service, level))
           WITHOUT ROWID;
         CREATE TABLE senders (project INTEGER, boot_id TEXT, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
           batches INTEGER NOT NULL, last_seq INTEGER, source TEXT, ledger TEXT, closing INTEGER NOT NULL
           {SENDER_COUNTS}, PRIMARY KEY (project, boot_id)) WITHOUT ROWID;
         CREATE TABLE losses (project INTEGER, boot_id TEXT, batch_id TEXT, received_at INTEGER NOT NULL,
           losses TEXT NOT NULL, PRIMARY KEY (project, boot_id, batch_id)) WITHOUT ROWID;
         {SPANS}
         {STRAYS}
         {GONE}
         {ENDS}
         {GRAMS}
         PRAGMA application_id = {APPLICATION};
         PRAGMA user_version = {VERSION};",
        indexes = partial_indexes()
    )
}

/// What became of a sender's entries on this day, after the columns of layout 1.
const SENDER_COUNTS: &str = ", stored INTEGER NOT NULL DEFAULT 0, duplicates INTEGER NOT NULL DEFAULT 0,
           id_conflicts INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0";

/// Which of a sender's entries came on this day, counted by `seq` from `first` up to `next`, that one left out. Spans
/// of one sender neither overlap nor touch.
const SPANS: &str = "CREATE TABLE spans (project INTEGER, boot_id TEXT, first INTEGER, next INTEGER NOT NULL,
           PRIMARY KEY (project, boot_id, first)) WITHOUT ROWID;";

/// The ids of this day's entries that name a later day.
const STRAYS: &str =
    "CREATE TABLE strays (project INTEGER, id BLOB, PRIMARY KEY (project, id)) WITHOUT ROWID;";

fn upgrade_to_3() -> String {
    let counts = SENDER_COUNTS.split(',').filter(|column| !column.is_empty());
    let counts = counts.map(|column| format!("ALTER TABLE senders ADD COLUMN{column};"));
    let counts = counts.collect::<String>();
    format!(
        "ALTER TABLE entries ADD COLUMN hash INTEGER;
         {counts}
         {SPANS}
         {STRAYS}"
    )
}

/// What tells a copy of an entry that was deleted.
const GONE: &str =
    "CREATE TABLE gone (project INTEGER, id BLOB, hash INTEGER, PRIMARY KEY (project, id)) WITHOUT ROWID;";

/// The last rows that there were before they were deleted: no later row takes their places.
const ENDS: &str = "CREATE TABLE ends (seq INTEGER PRIMARY KEY);";

/// The last place that was ever taken.
pub(super) const LAST: &str =
    "SELECT max(coalesce((SELECT max(seq) FROM entries), 0), coalesce((SELECT max(seq) FROM ends), 0))";

/// What the texts of a block of rows are made of; blocks without it are read.
const GRAMS: &str = "CREATE TABLE grams (block INTEGER PRIMARY KEY, bits BLOB NOT NULL);";

/// Errors, slow and running entries have an index each, since they are few and asked for first. That of the errors
/// holds all that counting them takes.
fn partial_indexes() -> String {
    format!(
        "CREATE INDEX entries_errors ON entries (project, created_at, seq, kind, weight) WHERE level >= 4;
         CREATE INDEX entries_slow ON entries (project, created_at) WHERE slow = 1;
         CREATE INDEX entries_running ON entries (project, exchange_id)
           WHERE kind = {running} AND ended IS NULL;",
        running = running::KIND
    )
}

/// Adds a column for each field that has none yet. No row is rewritten.
fn add_missing_columns(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info('entries')")?;
    let there: HashSet<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let fields = Field::columns().map(|field| (field.name(), affinity(field)));
    for (name, affinity) in fields.chain([("ended", "INTEGER")]).filter(|(name, _)| !there.contains(*name)) {
        connection.execute_batch(&format!("ALTER TABLE entries ADD COLUMN {name} {affinity}"))?;
    }
    Ok(())
}

/// Makes the small indexes anew, and takes out of the tally what is not in it any more. No row is rewritten; the file
/// is read through once for each index.
fn upgrade_to_2(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "DROP INDEX entries_errors;
         {indexes}
         ALTER TABLE tally ADD COLUMN extra REAL NOT NULL DEFAULT 0;
         UPDATE tally SET entries = tally.entries - open.n
           FROM (SELECT project, service, level, count(*) AS n FROM entries INDEXED BY entries_running
                 WHERE kind = {running} AND ended IS NULL GROUP BY project, service, level) AS open
           WHERE (tally.project, tally.service, tally.level) = (open.project, open.service, open.level);
         DELETE FROM tally WHERE entries = 0;
         UPDATE tally SET extra = weighted.extra
           FROM (SELECT project, service, level, sum(min(max(weight, 0), {MOST_WEIGHT:.1}) - 1) AS extra FROM entries
                 WHERE weight IS NOT NULL AND kind IS NOT {running} GROUP BY project, service, level) AS weighted
           WHERE (tally.project, tally.service, tally.level)
               = (weighted.project, weighted.service, weighted.level);",
        indexes = partial_indexes(),
        running = running::KIND
    ))
}
