//! Fields of known lengths that are written together, so that room for them is asked for one time and each of their places
//! is known when it is compiled.

use super::writer::tag;
use super::{MAX_RECORD, RecordWriter, Type};
use crate::{Field, SpanId, TraceId};

/// Of a number with its tag.
const NUMBER: usize = 12;

impl RecordWriter {
    /// Numbers side by side: counts, codes and durations in nanoseconds, as their fields have it. All are kept, or none
    /// where there is no room for all.
    ///
    /// ```
    /// use hoplog_entry::{EntryId, Field, Kind, Level, RecordWriter};
    ///
    /// let mut record = RecordWriter::default();
    /// record.begin(Kind::Request, EntryId::generate(0), 0);
    /// record.numbers([(Field::StatusCode, 200), (Field::Ttfb, 1_000)]);
    /// assert_eq!(record.end(Level::Info, None).len(), 32 + 12 + 12);
    /// ```
    #[inline(always)] // so that every place is known
    pub fn numbers<const N: usize>(&mut self, fields: [(Field, u64); N]) {
        if let Some(room) = self.buf.get_mut(self.len..).and_then(|room| room.get_mut(..N * NUMBER)) {
            for (room, (field, value)) in room.as_chunks_mut::<NUMBER>().0.iter_mut().zip(fields) {
                room[..4].copy_from_slice(&tag(field, field.ty(), 8));
                room[4..].copy_from_slice(&value.to_le_bytes());
            }
            self.len += N * NUMBER;
        } else {
            self.numbers_in_more_room(fields);
        }
    }

    #[cold]
    fn numbers_in_more_room<const N: usize>(&mut self, fields: [(Field, u64); N]) {
        if self.grow(self.len + N * NUMBER, MAX_RECORD) {
            self.numbers(fields);
        }
    }

    /// The ids of a hop.
    #[inline]
    pub fn hop(&mut self, trace_id: &TraceId, span_id: &SpanId) {
        if let Some(room) = self.buf.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut::<32>) {
            room[..4].copy_from_slice(&tag(Field::TraceId, Type::TraceId, 16));
            room[4..20].copy_from_slice(trace_id.as_bytes());
            room[20..24].copy_from_slice(&tag(Field::SpanId, Type::SpanId, 8));
            room[24..].copy_from_slice(span_id.as_bytes());
            self.len += 32;
        } else {
            self.trace_id(Field::TraceId, trace_id);
            self.span_id(Field::SpanId, span_id);
        }
    }
}
