//! Rows into a day's file.

use super::erase::has_gone;
use super::grams::{Growing, TEXTS};
use super::running::{self, Awaited};
use super::schema;
use crate::fields::Field;
use crate::store::batch::{Batch, DEFAULT_PROJECT, Home, Row, Value, Verdict};
use hoplog_entry::Level;
use rusqlite::{Connection, OptionalExtension as _, Statement, params};
use std::collections::HashMap;

/// The statements of one transaction, and what it counted.
pub(super) struct Inserter<'c> {
    connection: &'c Connection,
    insert: Statement<'c>,
    copy: Statement<'c>,
    /// Where entries of this file were deleted.
    gone: Option<Statement<'c>>,
    columns: usize,
    awaited: &'c mut Awaited,
    growing: &'c mut Growing,
    next_seq: i64,
    /// By service, then by level.
    tally: HashMap<String, [Counted; Level::ALL.len()]>,
}

/// Files beside a day's own in which a copy of a row may lie.
pub(super) struct Elsewhere<'c> {
    /// The ids that outlived the day's entries.
    pub(super) own_ids: Option<&'c Connection>,
    /// The days before, and what outlived their entries, for entries whose ids name no day.
    pub(super) earlier: Vec<&'c Connection>,
    pub(super) earlier_ids: Vec<&'c Connection>,
}

/// What the tally says of a level of a service.
#[derive(Clone, Copy)]
struct Counted {
    entries: i64,
    extra: f64,
    last_at: i64,
}

impl Counted {
    const NOTHING: Self = Self { entries: 0, extra: 0.0, last_at: i64::MIN };
}

/// Parameters before those of the fields.
const FIRST_FIELD: usize = 9;

impl<'c> Inserter<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        awaited: &'c mut Awaited,
        growing: &'c mut Growing,
    ) -> rusqlite::Result<Self> {
        let columns = Field::columns().count();
        let places = (1..=FIRST_FIELD + columns).fold(String::new(), |list, n| {
            let comma = if n == 1 { "" } else { ", " };
            list + comma + "?" + &n.to_string()
        });
        let (head, fields) = (schema::HEAD, schema::field_columns());
        let sql =
            format!("INSERT OR IGNORE INTO entries (seq, project, {head}{fields}, hash) VALUES ({places})");
        let (insert, copy) = (connection.prepare(&sql)?, connection.prepare(COPY)?);
        let gone = has_gone(connection)?.then(|| connection.prepare(GONE)).transpose()?;
        let next_seq = next_seq(connection)?;
        let tally = HashMap::new();
        Ok(Self { connection, insert, copy, gone, columns, awaited, growing, next_seq, tally })
    }

    /// Inserts a row, unless its id is there already.
    pub(super) fn row(
        &mut self,
        batch: &Batch,
        row: &Row,
        elsewhere: &Elsewhere<'_>,
    ) -> rusqlite::Result<Verdict> {
        let Elsewhere { own_ids, earlier, earlier_ids } = elsewhere;
        let places = own_ids.iter().map(|file| (*file, COPY));
        let before = earlier.iter().flat_map(|file| [(*file, COPY), (*file, GONE)]);
        let before = before.chain(earlier_ids.iter().map(|file| (*file, COPY)));
        for (file, sql) in places.chain(before.filter(|_| row.home == Home::Arrival)) {
            if let Some(copy) = copy(&mut file.prepare(sql)?, row)? {
                return Ok(copy);
            }
        }
        if let Some(copy) = self.gone.as_mut().map(|gone| copy(gone, row)).transpose()?.flatten() {
            return Ok(copy);
        }
        let service = batch.text(row.service);
        let insert = &mut self.insert;
        insert.clear_bindings();
        insert.raw_bind_parameter(1, self.next_seq)?;
        insert.raw_bind_parameter(2, DEFAULT_PROJECT)?;
        insert.raw_bind_parameter(3, &row.id.as_bytes()[..])?;
        insert.raw_bind_parameter(4, row.created_at)?;
        insert.raw_bind_parameter(5, row.level.code())?;
        insert.raw_bind_parameter(6, service)?;
        for (place, slice) in [(7, row.detail), (8, row.metadata)] {
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
        insert.raw_bind_parameter(FIRST_FIELD + self.columns, row.hash)?;
        if insert.raw_execute()? == 0 {
            return Ok(copy(&mut self.copy, row)?.unwrap_or(Verdict::Duplicate));
        }
        self.growing.turn_to(self.connection, self.next_seq)?;
        for cell in batch.cells(row) {
            if let (true, Value::Text(slice)) = (TEXTS.contains(&cell.field), cell.value) {
                self.growing.text(batch.text(slice));
            }
        }
        if row.deleted {
            let hide = "UPDATE entries SET ended = ?2 WHERE seq = ?1";
            self.connection.execute(hide, [self.next_seq, schema::DELETED])?;
        }
        self.next_seq += 1;
        self.count(batch, row)?;
        Ok(Verdict::Stored)
    }

    fn count(&mut self, batch: &Batch, row: &Row) -> rusqlite::Result<()> {
        let (mut running, mut exchange, mut weight) = (false, None, 1.0);
        for cell in batch.cells(row) {
            match (cell.field, cell.value) {
                (Field::Kind, Value::Integer(kind)) => running = kind == running::KIND,
                (Field::ExchangeId, Value::Bytes16(id)) => exchange = Some(id),
                (Field::Weight, Value::Real(w)) => weight = w,
                _ => {}
            }
        }
        if running {
            return exchange.map_or(Ok(()), |id| self.awaited.begun(self.connection, id));
        }
        self.awaited.stored(self.connection, row.id)?;
        let service = batch.text(row.service);
        if row.deleted {
            let counted = params![schema::HIDDEN, service, row.level.code(), 1, weight - 1.0, row.created_at];
            return self.connection.execute(ADD, counted).map(drop);
        }
        if !self.tally.contains_key(service) {
            self.tally.insert(service.to_owned(), [Counted::NOTHING; Level::ALL.len()]);
        }
        let levels = self.tally.get_mut(service);
        if let Some(counted) = levels.and_then(|levels| levels.get_mut(usize::from(row.level.code()))) {
            counted.entries += 1;
            counted.extra += weight - 1.0;
            counted.last_at = counted.last_at.max(row.created_at);
        }
        Ok(())
    }

    /// Writes the counts; the last step before the commit.
    pub(super) fn finish(self) -> rusqlite::Result<()> {
        let mut add = self.connection.prepare(ADD)?;
        for (service, levels) in self.tally {
            for (level, counted) in Level::ALL.iter().zip(levels).filter(|(_, counted)| counted.entries > 0) {
                let Counted { entries, extra, last_at } = counted;
                add.execute(params![DEFAULT_PROJECT, service, level.code(), entries, extra, last_at])?;
            }
        }
        Ok(())
    }
}

/// The place of the next row: behind all that were ever taken.
pub(super) fn next_seq(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(schema::LAST, [], |row| row.get::<_, i64>(0)).map(|last| last + 1)
}

const ADD: &str =
    "INSERT INTO tally (project, service, level, entries, extra, last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT DO UPDATE SET entries = entries + excluded.entries, extra = extra + excluded.extra,
      last_at = max(last_at, excluded.last_at)";
const COPY: &str = "SELECT hash FROM entries WHERE project = ?1 AND id = ?2";
const GONE: &str = "SELECT hash FROM gone WHERE project = ?1 AND id = ?2";

/// What a row is if a file holds its id already: a copy of the one that is there, or another one.
fn copy(statement: &mut Statement<'_>, row: &Row) -> rusqlite::Result<Option<Verdict>> {
    let id = &row.id.as_bytes()[..];
    let there: Option<Option<i32>> =
        statement.query_row(params![DEFAULT_PROJECT, id], |found| found.get(0)).optional()?;
    let same = |hash: Option<i32>| hash.is_none_or(|hash| hash == row.hash);
    Ok(there.map(|hash| if same(hash) { Verdict::Duplicate } else { Verdict::Conflict }))
}
