//! A batch on its way to the store: all its text in one buffer, all its values in one list, so that ten thousand
//! entries cost a handful of allocations.

use crate::budget::Grant;
use crate::fields::Field;
use crate::time::Day;
use hoplog_entry::{EntryId, Level};

/// The one project, until projects have names of their own. It is part of every key.
pub(crate) const DEFAULT_PROJECT: i64 = 0;

/// A piece of a batch's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice {
    start: u32,
    end: u32,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    Integer(i64),
    Real(f64),
    Text(Slice),
    /// A trace id or an entry's id.
    Bytes16([u8; 16]),
    /// A span id.
    Bytes8([u8; 8]),
}

/// A field and what it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cell {
    pub(crate) field: Field,
    pub(crate) value: Value,
}

/// Which day's file an entry belongs to, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// The day that its id names: the same at every delivery.
    Id,
    /// The day it came: its id names none, so a copy may lie in the days before.
    Arrival,
    /// Its id was made here: there is no copy of it.
    New,
}

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// Its place in what was sent.
    pub(crate) index: usize,
    pub(crate) id: EntryId,
    pub(crate) day: Day,
    pub(crate) home: Home,
    /// Microseconds since the Unix epoch.
    pub(crate) created_at: i64,
    pub(crate) level: Level,
    /// Of the entry as it came, to tell a copy from another entry under the same id.
    pub(crate) hash: i32,
    pub(crate) service: Slice,
    /// JSON object of the known fields that have no column.
    pub(crate) detail: Option<Slice>,
    /// JSON object of everything else.
    pub(crate) metadata: Option<Slice>,
    /// It came marked as deleted: kept, and in no answer.
    pub(crate) deleted: bool,
    first_cell: usize,
    end_cell: usize,
}

/// What a batch says of its sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sender {
    /// The sending process's life.
    pub(crate) boot_id: String,
    pub(crate) batch_id: String,
    /// The entries that the sender had sealed before this batch.
    pub(crate) seq: Option<i64>,
    /// The entries of this batch, and how many of them were refused on reading.
    pub(crate) entries: usize,
    pub(crate) rejected: usize,
    /// JSON texts, as they came.
    pub(crate) source: Option<String>,
    pub(crate) ledger: Option<String>,
    pub(crate) losses: Option<String>,
    /// The last batch of a clean end.
    pub(crate) closing: bool,
}

/// Rows, and what they point into.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    text: String,
    cells: Vec<Cell>,
    pub(crate) rows: Vec<Row>,
    pub(crate) sender: Option<Sender>,
    /// Microseconds since the Unix epoch.
    pub(crate) received_at: i64,
    /// The batch's part of the memory for bodies, given back with it.
    pub(crate) share: Option<Grant>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Stored,
    /// It was there already.
    Duplicate,
    /// Another entry was there under its id, and stays.
    Conflict,
}

/// A place to return to, when an entry turns out not to be one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    text: usize,
    cells: usize,
}

/// A row without its cells.
pub(crate) struct Head {
    pub(crate) index: usize,
    pub(crate) id: EntryId,
    pub(crate) day: Day,
    pub(crate) home: Home,
    pub(crate) created_at: i64,
    pub(crate) level: Level,
    pub(crate) hash: i32,
    pub(crate) service: Slice,
    pub(crate) detail: Option<Slice>,
    pub(crate) metadata: Option<Slice>,
    pub(crate) deleted: bool,
}

impl Batch {
    pub(crate) fn with_capacity(text: usize, entries: usize, received_at: i64) -> Self {
        Self {
            text: String::with_capacity(text),
            cells: Vec::with_capacity(entries * 16),
            rows: Vec::with_capacity(entries),
            sender: None,
            received_at,
            share: None,
        }
    }

    /// The memory that it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity()
            + self.cells.capacity() * size_of::<Cell>()
            + self.rows.capacity() * size_of::<Row>()
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { text: self.text.len(), cells: self.cells.len() }
    }

    pub(crate) fn return_to(&mut self, mark: Mark) {
        self.text.truncate(mark.text);
        self.cells.truncate(mark.cells);
    }

    /// Appends what `write` writes, and says where it stands. Bodies are capped far below 4 GiB, so the places
    /// fit; if they did not, the piece would be empty.
    pub(crate) fn write<R>(&mut self, write: impl FnOnce(&mut String) -> R) -> (Slice, R) {
        let start = self.text.len();
        let result = write(&mut self.text);
        let place = |at: usize| u32::try_from(at).unwrap_or(0);
        (Slice { start: place(start), end: place(self.text.len()) }, result)
    }

    pub(crate) fn text(&self, slice: Slice) -> &str {
        self.text.get(slice.start as usize..slice.end as usize).unwrap_or_default()
    }

    /// Sets a field of the row that began at `mark`; the last value of a name wins.
    pub(crate) fn set(&mut self, mark: Mark, again: bool, cell: Cell) {
        let before = self.cells.iter_mut().skip(mark.cells).find(|c| again && c.field == cell.field);
        match before {
            Some(before) => *before = cell,
            None => self.cells.push(cell),
        }
    }

    /// The values set since `mark`.
    pub(crate) fn cells_since(&self, mark: Mark) -> &[Cell] {
        self.cells.get(mark.cells..).unwrap_or_default()
    }

    /// Takes the values set since `mark` out again; their text stays.
    pub(crate) fn take_cells(&mut self, mark: Mark) -> Vec<Cell> {
        self.cells.split_off(mark.cells.min(self.cells.len()))
    }

    pub(crate) fn extend(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.cells.extend(cells);
    }

    /// Makes a row of what was set since `mark`.
    pub(crate) fn finish(&mut self, mark: Mark, head: Head) {
        let Head { index, id, day, home, created_at, level, hash, service, detail, metadata, deleted } = head;
        let (first_cell, end_cell) = (mark.cells, self.cells.len());
        self.rows.push(Row {
            index,
            id,
            day,
            home,
            created_at,
            level,
            hash,
            service,
            detail,
            metadata,
            deleted,
            first_cell,
            end_cell,
        });
    }

    pub(crate) fn cells(&self, row: &Row) -> &[Cell] {
        self.cells.get(row.first_cell..row.end_cell).unwrap_or_default()
    }
}
