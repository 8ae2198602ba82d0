//! Rows as the bytes of a binary COPY, with the columns that any of them fills: into the staging table, or straight to
//! where they stay.

use super::wire::{date, timestamp};
use crate::fields::{Field, Shape};
use crate::json::quote;
use crate::store::batch::{Batch, Home, Row, Value};
use std::collections::HashSet;

/// Where rows are copied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// The staging table.
    Staging,
    /// `logs` itself: they are of this project, and numbered from the one after `base` on.
    Logs { project: i64, base: i64 },
}

/// Rows on their way.
pub(super) struct Rows {
    target: Target,
    bytes: Vec<u8>,
    /// The columns after the fixed ones, in their order.
    fields: Vec<Field>,
    /// By a field's number: its place among them.
    places: [Option<u8>; Field::ALL.len()],
    metadata: bool,
    detail: bool,
}

/// The columns that every row fills.
const STAGED: &str = "n, created_at, id_day, hash, arrival, id, level, service";
const STORED: &str = "seq, created_at, id_day, hash, project_id, id, level, service";
const FIXED_COUNT: usize = 8;

/// What tells one set of columns from another: a bit per field, and two more.
pub(super) type ColumnSet = u128;

impl Rows {
    /// For rows of these batches, which are to follow.
    pub(super) fn new<'b>(batches: impl Iterator<Item = &'b Batch> + Clone, target: Target) -> Self {
        let mut seen = [false; Field::ALL.len()];
        let (mut metadata, mut detail, mut text) = (false, false, 0);
        for batch in batches {
            for row in &batch.rows {
                metadata |= row.metadata.is_some();
                detail |= row.detail.is_some();
                for cell in batch.cells(row) {
                    if let Some(seen) = seen.get_mut(cell.field as usize) {
                        *seen = true;
                    }
                }
            }
            text += batch.bytes();
        }
        let fields: Vec<Field> = Field::columns()
            .filter(|f| seen.get(*f as usize) == Some(&true) || f.default_text().is_some())
            .collect();
        let mut places = [None; Field::ALL.len()];
        for (place, field) in fields.iter().enumerate() {
            if let Some(entry) = places.get_mut(*field as usize) {
                *entry = u8::try_from(place).ok();
            }
        }
        let mut bytes = Vec::with_capacity(text);
        // Signature, flags, and no further header (PostgreSQL's COPY, "Binary Format").
        bytes.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
        Self { target, bytes, fields, places, metadata, detail }
    }

    /// The columns that it fills, but for `n` and `arrival`.
    pub(super) fn columns(&self) -> String {
        let mut list = String::new();
        for field in &self.fields {
            list.push_str(", ");
            list.push_str(field.name());
        }
        if self.metadata {
            list.push_str(", metadata");
        }
        if self.detail {
            list.push_str(", detail");
        }
        list
    }

    pub(super) fn target(&self) -> Target {
        self.target
    }

    /// A number for [`columns`](Self::columns).
    pub(super) fn shape(&self) -> ColumnSet {
        let fields = self.fields.iter().fold(0, |mask, field| mask | 1_u128 << (*field as u32));
        fields | u128::from(self.metadata) << 126 | u128::from(self.detail) << 127
    }

    /// The statement that takes the bytes.
    pub(super) fn statement(&self) -> String {
        let (table, fixed) = match self.target {
            Target::Staging => ("log_staging", STAGED),
            Target::Logs { .. } => ("logs", STORED),
        };
        format!("COPY {table} ({fixed}{}) FROM STDIN (FORMAT binary)", self.columns())
    }

    /// Appends a row, the `n`th of its transaction. Where PostgreSQL would not take its metadata as JSON, `as_text` keeps that as a text.
    pub(super) fn push(&mut self, n: i64, batch: &Batch, row: &Row, as_text: bool) {
        let columns = FIXED_COUNT + self.fields.len() + usize::from(self.metadata) + usize::from(self.detail);
        self.bytes.extend_from_slice(&u16::try_from(columns).unwrap_or(u16::MAX).to_be_bytes());
        let number = match self.target {
            Target::Staging => n,
            Target::Logs { base, .. } => base.saturating_add(n),
        };
        self.value(&number.to_be_bytes());
        self.value(&timestamp(row.created_at).to_be_bytes());
        self.value(&date(row.day).to_be_bytes());
        self.value(&row.hash.to_be_bytes());
        match self.target {
            Target::Staging => self.value(&[u8::from(row.home == Home::Arrival)]),
            Target::Logs { project, .. } => self.value(&project.to_be_bytes()),
        }
        self.value(row.id.as_bytes());
        self.value(row.level.as_str().as_bytes());
        self.value(batch.text(row.service).as_bytes());
        let mut values = [None; Field::ALL.len()];
        for cell in batch.cells(row) {
            let place = self.places.get(cell.field as usize).copied().flatten();
            if let Some(value) = place.and_then(|place| values.get_mut(usize::from(place))) {
                *value = Some(cell.value);
            }
        }
        for place in 0..self.fields.len() {
            let (Some(field), Some(value)) = (self.fields.get(place).copied(), values.get(place)) else {
                continue;
            };
            match value {
                Some(value) => self.field(batch, field, *value),
                None => match field.default_text() {
                    Some(text) => self.value(text.as_bytes()),
                    None => self.null(),
                },
            }
        }
        if self.metadata {
            match row.metadata.map(|slice| batch.text(slice)) {
                Some(json) if as_text => {
                    self.value(format!("\u{1}{}", kept_as_text("metadata", json)).as_bytes())
                }
                Some(json) => {
                    self.length(json.len() + 1);
                    self.bytes.push(1); // the version of jsonb's binary form
                    self.bytes.extend_from_slice(json.as_bytes());
                }
                None => self.null(),
            }
        }
        if self.detail {
            match row.detail.map(|slice| batch.text(slice)) {
                Some(json) if as_text => self.value(kept_as_text("detail", json).as_bytes()),
                Some(json) => self.value(json.as_bytes()),
                None => self.null(),
            }
        }
    }

    /// All bytes, with the mark of their end.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        self.bytes
    }

    fn field(&mut self, batch: &Batch, field: Field, value: Value) {
        match (value, field.shape()) {
            (Value::Integer(code), Shape::Word(words)) => {
                match u8::try_from(code).ok().and_then(|c| words.word(c)) {
                    Some(word) => self.value(word.as_bytes()),
                    None => self.null(),
                }
            }
            (Value::Integer(n), Shape::Bool) => self.value(&[u8::from(n != 0)]),
            (Value::Integer(n), _) => self.value(&n.to_be_bytes()),
            (Value::Real(n), _) => self.value(&n.to_be_bytes()),
            (Value::Text(slice), _) => self.value(batch.text(slice).as_bytes()),
            (Value::Bytes16(id), Shape::Id) => self.value(&id),
            (Value::Bytes16(id), _) => self.hex(&id),
            (Value::Bytes8(id), _) => self.hex(&id),
        }
    }

    fn length(&mut self, bytes: usize) {
        // Bodies are capped far below 2 GiB.
        self.bytes.extend_from_slice(&i32::try_from(bytes).unwrap_or(i32::MAX).to_be_bytes());
    }

    fn value(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    fn null(&mut self) {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    fn hex(&mut self, id: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.length(2 * id.len());
        for byte in id {
            for digit in [byte >> 4, byte & 15] {
                self.bytes.extend(DIGITS.get(usize::from(digit)));
            }
        }
    }
}

/// An object that holds `json` as a text, and says so.
fn kept_as_text(name: &str, json: &str) -> String {
    let mut out = format!("{{\"{name}\":");
    quote(json, &mut out);
    out.push_str(",\"hoplog_flags\":[\"replaced_values\"]}");
    out
}

/// The rows that are kept as text, by batch and index.
pub(super) type AsText = HashSet<(usize, usize)>;
