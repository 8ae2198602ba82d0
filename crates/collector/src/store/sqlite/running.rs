//! Requests that are still open: entries of kind `running`, each with the id that its final entry will bear.
//!
//! A question hides one as soon as its final entry is stored, whichever came first and wherever it lies: that is
//! looked up, for the few that are met ([`Finals`]). So that they stay few, the writer marks those whose final
//! entry arrives in the same file (`ended`), and the index of the others holds what is open and little else.

use super::figures::level;
use super::readers::Files;
use crate::store::StoreError;
use crate::store::batch::DEFAULT_PROJECT;
use crate::store::tally::Open;
use crate::time::Day;
use hoplog_entry::{EntryId, Kind};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement, params};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

/// The code of the kind, as the statements and the index have it.
pub(super) const KIND: i64 = Kind::Running.code() as i64;

/// Open requests of one file that the writer knows; those beyond are looked up by every question that meets them.
const MOST_KNOWN: u32 = 100_000;
/// Open requests of one file that figures count.
const MOST_COUNTED: u32 = 10_000;

/// What the writer knows of one file: the ids of the final entries that have not come.
#[derive(Default)]
pub(super) struct Awaited(HashSet<[u8; 16]>);

impl Awaited {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let sql = format!(
            "SELECT exchange_id FROM entries INDEXED BY entries_running
             WHERE project = ?1 AND kind = {KIND} AND ended IS NULL AND exchange_id IS NOT NULL LIMIT ?2"
        );
        let mut statement = connection.prepare(&sql)?;
        let ids = statement.query_map(params![DEFAULT_PROJECT, MOST_KNOWN], |row| row.get(0))?;
        Ok(Self(ids.collect::<Result<_, _>>()?))
    }

    /// Takes note of a running entry that was inserted.
    pub(super) fn begun(&mut self, connection: &Connection, exchange: [u8; 16]) -> rusqlite::Result<()> {
        if ask_for_final(connection)?.exists(params![DEFAULT_PROJECT, &exchange[..]])? {
            return mark(connection, &exchange);
        }
        if self.0.len() < MOST_KNOWN as usize {
            self.0.insert(exchange);
        }
        Ok(())
    }

    /// Takes note of any other entry that was inserted.
    pub(super) fn stored(&mut self, connection: &Connection, id: EntryId) -> rusqlite::Result<()> {
        match !self.0.is_empty() && self.0.remove(id.as_bytes()) {
            true => mark(connection, id.as_bytes()),
            false => Ok(()),
        }
    }
}

fn mark(connection: &Connection, exchange: &[u8; 16]) -> rusqlite::Result<()> {
    let sql = format!(
        "UPDATE entries INDEXED BY entries_running SET ended = 1
         WHERE project = ?1 AND exchange_id = ?2 AND kind = {KIND} AND ended IS NULL"
    );
    connection.execute(&sql, params![DEFAULT_PROJECT, &exchange[..]]).map(drop)
}

fn ask_for_final(connection: &Connection) -> rusqlite::Result<Statement<'_>> {
    let sql = format!("SELECT 1 FROM entries WHERE project = ?1 AND id = ?2 AND kind IS NOT {KIND}");
    connection.prepare(&sql)
}

/// Tells one question which of the running entries that it meets are over.
pub(super) struct Finals<'f> {
    files: &'f Files,
    statements: BTreeMap<Day, Statement<'f>>,
}

impl<'f> Finals<'f> {
    pub(super) fn of(files: &'f Files) -> Self {
        Self { files, statements: BTreeMap::new() }
    }

    /// Whether the final entry of one that lies in the file of `met`, and is not marked, is stored.
    pub(super) fn is_over(&mut self, met: Day, exchange: ValueRef<'_>) -> Result<bool, StoreError> {
        let ValueRef::Blob(id) = exchange else { return Ok(false) };
        let Ok(bytes) = <[u8; 16]>::try_from(id) else { return Ok(false) };
        let files = self.files;
        // A final entry lies in the day that its id names or, if that id's time could not be right, in the day it
        // came, which is about that of the running one. An id that names no day there is may have come on any.
        let named = Day::named_by(EntryId::from_bytes(bytes)).filter(|day| files.by_day.contains_key(day));
        let likely = |day: &Day| named.is_none() || Some(*day) == named || *day == met;
        for (&day, connection) in files.by_day.iter().rev().filter(|(day, _)| likely(day)) {
            let explain = files.explain(day);
            let statement = match self.statements.entry(day) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(ask_for_final(connection).map_err(&explain)?),
            };
            if statement.exists(params![DEFAULT_PROJECT, id]).map_err(explain)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The open requests of one file.
    pub(super) fn open(&mut self, day: Day, connection: &Connection) -> Result<Vec<Open>, StoreError> {
        let explain = self.files.explain(day);
        let sql = format!(
            "SELECT exchange_id, service, level, created_at, weight FROM entries INDEXED BY entries_running
             WHERE project = ?1 AND kind = {KIND} AND ended IS NULL LIMIT ?2"
        );
        let mut statement = connection.prepare(&sql).map_err(&explain)?;
        let mut rows = statement.query(params![DEFAULT_PROJECT, MOST_COUNTED]).map_err(&explain)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(&explain)? {
            if !self.is_over(day, row.get_ref(0).map_err(&explain)?)? {
                found.push(read(row).map_err(&explain)?);
            }
        }
        Ok(found)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Open> {
    let weight = row.get::<_, Option<f64>>(4)?.unwrap_or(1.0);
    Ok(Open { service: row.get(1)?, level: level(row.get(2)?), created_at: row.get(3)?, weight })
}
