//! Rows into a day's file.

use super::schema;
use crate::fields::Field;
use crate::store::batch::{Batch, DEFAULT_PROJECT, Home, Row, Sender, Value, Verdict};
use hoplog_entry::{EntryId, Level};
use rusqlite::{Connection, Statement, params};
use std::collections::HashMap;

/// The statements of one transaction, and what it counted.
pub(super) struct Inserter<'c> {
    connection: &'c Connection,
    insert: Statement<'c>,
    /// By service, then by level: entries and newest time.
    tally: HashMap<String, [(i64, i64); Level::ALL.len()]>,
}

/// Parameters before those of the fields.
const FIRST_FIELD: usize = 8;

impl<'c> Inserter<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let columns = Field::columns().count();
        let places = (1..FIRST_FIELD + columns).fold(String::new(), |list, n| {
            let comma = if n == 1 { "" } else { ", " };
            list + comma + "?" + &n.to_string()
        });
        let (head, fields) = (schema::HEAD, schema::field_columns());
        let sql = format!("INSERT OR IGNORE INTO entries (project, {head}{fields}) VALUES ({places})");
        Ok(Self { connection, insert: connection.prepare(&sql)?, tally: HashMap::new() })
    }

    /// Inserts a row, unless its id is there already; `before` is the day before's file, where a copy may lie.
    pub(super) fn row(
        &mut self,
        batch: &Batch,
        row: &Row,
        before: Option<&Connection>,
    ) -> rusqlite::Result<Verdict> {
        if row.home == Home::Arrival
            && let Some(before) = before
            && contains(before, row.id)?
        {
            return Ok(Verdict::Duplicate);
        }
        let service = batch.text(row.service);
        let insert = &mut self.insert;
        insert.clear_bindings();
        insert.raw_bind_parameter(1, DEFAULT_PROJECT)?;
        insert.raw_bind_parameter(2, &row.id.as_bytes()[..])?;
        insert.raw_bind_parameter(3, row.created_at)?;
        insert.raw_bind_parameter(4, row.level.code())?;
        insert.raw_bind_parameter(5, service)?;
        for (place, slice) in [(6, row.detail), (7, row.metadata)] {
            if let Some(slice) = slice {
                insert.raw_bind_parameter(place, batch.text(slice))?;
            }
        }
        for cell in batch.cells(row) {
            let place = FIRST_FIELD + cell.field as usize;
            match &cell.value {
                Value::Integer(n) => insert.raw_bind_parameter(place, n)?,
                Value::Real(n) => insert.raw_bind_parameter(place, n)?,
                Value::Text(slice) => insert.raw_bind_parameter(place, batch.text(*slice))?,
                Value::Bytes16(bytes) => insert.raw_bind_parameter(place, &bytes[..])?,
                Value::Bytes8(bytes) => insert.raw_bind_parameter(place, &bytes[..])?,
            }
        }
        if insert.raw_execute()? == 0 {
            return Ok(Verdict::Duplicate);
        }
        if !self.tally.contains_key(service) {
            self.tally.insert(service.to_owned(), [(0, i64::MIN); Level::ALL.len()]);
        }
        let counts =
            self.tally.get_mut(service).and_then(|levels| levels.get_mut(usize::from(row.level.code())));
        if let Some((entries, last_at)) = counts {
            *entries += 1;
            *last_at = (*last_at).max(row.created_at);
        }
        Ok(Verdict::Stored)
    }

    /// Notes what a batch says of its sender.
    pub(super) fn sender(&self, sender: &Sender, received_at: i64) -> rusqlite::Result<()> {
        self.connection.execute(
            "INSERT INTO senders VALUES (?1, ?2, ?3, ?3, 1, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at), batches = batches + 1,
               last_seq = max(ifnull(last_seq, excluded.last_seq), ifnull(excluded.last_seq, last_seq)),
               source = ifnull(excluded.source, source), ledger = ifnull(excluded.ledger, ledger),
               closing = max(closing, excluded.closing)",
            params![
                DEFAULT_PROJECT,
                sender.boot_id,
                received_at,
                sender.seq,
                sender.source,
                sender.ledger,
                sender.closing
            ],
        )?;
        if let Some(losses) = &sender.losses {
            // A batch that comes again says the same once.
            self.connection.execute(
                "INSERT OR IGNORE INTO losses VALUES (?1, ?2, ?3, ?4, ?5)",
                params![DEFAULT_PROJECT, sender.boot_id, sender.batch_id, received_at, losses],
            )?;
        }
        Ok(())
    }

    /// Writes the counts; the last step before the commit.
    pub(super) fn finish(self) -> rusqlite::Result<()> {
        let mut add = self.connection.prepare(
            "INSERT INTO tally VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
             SET entries = entries + excluded.entries, last_at = max(last_at, excluded.last_at)",
        )?;
        for (service, levels) in self.tally {
            for (level, (entries, last_at)) in
                Level::ALL.iter().zip(levels).filter(|(_, counted)| counted.0 > 0)
            {
                add.execute(params![DEFAULT_PROJECT, service, level.code(), entries, last_at])?;
            }
        }
        Ok(())
    }
}

/// Whether a file holds this id.
pub(super) fn contains(connection: &Connection, id: EntryId) -> rusqlite::Result<bool> {
    connection
        .prepare("SELECT 1 FROM entries WHERE project = ?1 AND id = ?2")?
        .exists(params![DEFAULT_PROJECT, &id.as_bytes()[..]])
}
