//! Fields of known lengths that are written together, so that room for them is made one time.

use super::{RecordWriter, Type};
use crate::{Field, SpanId, TraceId};

/// What fits one group.
const ROOM: usize = 64;

/// A few fields side by side, each of a length that is known when it is compiled; ready for
/// [`RecordWriter::group`]. What does not fit its 64 bytes is left out.
///
/// ```
/// use hoplog_entry::{EntryId, Field, Group, Kind, Level, RecordWriter};
///
/// let mut record = RecordWriter::default();
/// record.begin(Kind::Request, EntryId::generate(0), 0);
/// record.group(&Group::default().uint(Field::StatusCode, 200).nanos(Field::Ttfb, 1_000));
/// assert_eq!(record.end(Level::Info, None).len(), 32 + 12 + 12);
/// ```
#[derive(Debug)]
pub struct Group {
    bytes: [u8; ROOM],
    len: usize,
}

impl Default for Group {
    #[inline]
    fn default() -> Self {
        Self { bytes: [0; ROOM], len: 0 }
    }
}

impl Group {
    /// A count or a code.
    #[inline(always)] // so that every place in it is known
    #[must_use]
    pub fn uint(self, field: Field, value: u64) -> Self {
        self.put(field, Type::Uint, &value.to_le_bytes())
    }

    /// A duration in nanoseconds.
    #[inline(always)] // so that every place in it is known
    #[must_use]
    pub fn nanos(self, field: Field, value: u64) -> Self {
        self.put(field, Type::Nanos, &value.to_le_bytes())
    }

    /// A trace id.
    #[inline(always)] // so that every place in it is known
    #[must_use]
    pub fn trace_id(self, field: Field, value: &TraceId) -> Self {
        self.put(field, Type::TraceId, value.as_bytes())
    }

    /// A span id.
    #[inline(always)] // so that every place in it is known
    #[must_use]
    pub fn span_id(self, field: Field, value: &SpanId) -> Self {
        self.put(field, Type::SpanId, value.as_bytes())
    }

    #[inline(always)]
    fn put<const N: usize>(mut self, field: Field, ty: Type, value: &[u8; N]) -> Self {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + 4 + N)
            && let Some((tag, room)) = room.split_first_chunk_mut()
        {
            *tag = super::writer::tag(field, ty, N);
            room.copy_from_slice(value);
            self.len += 4 + N;
        }
        self
    }
}

impl RecordWriter {
    /// Writes the fields of a group, in their order.
    #[inline(always)] // so that the group is made in its place
    pub fn group(&mut self, group: &Group) {
        // All of its room is copied, which are few stores; what is behind its fields is written over by the next one.
        if let Some(room) = self.buf.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut) {
            *room = group.bytes;
            self.len += group.len;
        } else {
            self.append_fields(&group.bytes[..group.len], false);
        }
    }
}
