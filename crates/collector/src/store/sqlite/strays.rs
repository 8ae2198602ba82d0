//! Entries whose ids name a day that is yet to come. They lie in the day they came, and when the named day is there
//! their ids would lead a copy past them: so they are remembered, and lead it to the first one.

use super::ids;
use crate::store::batch::{Batch, DEFAULT_PROJECT, Home, Row};
use crate::time::Day;
use rusqlite::{Connection, params};
use std::collections::HashMap;

/// Of more, on days that came to nothing but clocks gone wrong, copies may be stored twice.
const MOST: usize = 100_000;

/// The ids, and where they lie.
#[derive(Default)]
pub(super) struct Strays(HashMap<[u8; 16], Day>);

impl Strays {
    fn is_one(row: &Row) -> bool {
        row.home == Home::Arrival && Day::named_by(row.id).is_some_and(|named| named > row.day)
    }

    /// Reads those of one day's file.
    pub(super) fn read(&mut self, connection: &Connection, day: Day) -> rusqlite::Result<()> {
        let mut statement = connection.prepare("SELECT id FROM strays WHERE project = ?1 LIMIT ?2")?;
        let left = i64::try_from(MOST.saturating_sub(self.0.len())).unwrap_or(0);
        for id in statement.query_map(params![DEFAULT_PROJECT, left], |row| row.get(0))? {
            self.0.insert(id?, day);
        }
        Ok(())
    }

    /// Leads copies to where the first ones lie.
    pub(super) fn lead(&self, batch: &mut Batch) {
        if self.0.is_empty() {
            return;
        }
        for row in &mut batch.rows {
            row.day = self.0.get(row.id.as_bytes()).copied().unwrap_or(row.day);
        }
    }

    /// Takes note of a batch's rows as they are written into a day's file.
    pub(super) fn note(&mut self, connection: &Connection, batch: &Batch, day: Day) -> rusqlite::Result<()> {
        for row in batch.rows.iter().filter(|row| row.day == day && Self::is_one(row)) {
            let id = row.id.as_bytes();
            connection
                .execute("INSERT OR IGNORE INTO strays VALUES (?1, ?2)", params![DEFAULT_PROJECT, &id[..]])?;
            if self.0.len() < MOST {
                self.0.entry(*id).or_insert(day);
            }
        }
        Ok(())
    }

    /// Forgets those of which no copy is awaited any more.
    pub(super) fn forget(&mut self, today: Day) {
        self.0.retain(|_, day| *day >= today.back(ids::KEPT_DAYS));
    }
}
