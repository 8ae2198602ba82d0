//! Writing: fields are copied straight into the buffer.

use std::net::IpAddr;

use super::{FLAG_CUT, HEAD_LEN, HEADER_ROOM, MAX_NAME, MAX_RECORD, NAMED_HEADER, NO_OUTCOME, Type, VERSION};
use crate::{EntryId, Field, Kind, KnownHeader, Level, Outcome, SpanId, TraceId};

/// Room that text truncation needs for its mark.
const MARK_ROOM: usize = 48;

/// What a first record's buffer begins with: fits most.
const SMALLEST: usize = 1024;

/// Writes one record into a buffer that it keeps from use to use.
///
/// What exceeds a limit is cut (`…[truncated N bytes]`) or left out, and the record says so ([`super::Record::is_cut`]);
/// no call fails.
///
/// ```
/// use hoplog_entry::{EntryId, Field, Kind, Level, Outcome, Record, RecordWriter};
///
/// let mut record = RecordWriter::default();
/// record.begin(Kind::Request, EntryId::generate(1_700_000_000_000), 1_700_000_000_000_000_000);
/// record.text(Field::Path, "/users/7");
/// record.uint(Field::StatusCode, 200);
/// let bytes = record.end(Level::Info, Some(Outcome::Completed));
/// let (record, rest) = Record::read(bytes)?;
/// assert!(rest.is_empty());
/// assert_eq!(record.items().count(), 2);
/// # Ok::<(), hoplog_entry::Malformed>(())
/// ```
#[derive(Debug, Default)]
pub struct RecordWriter {
    /// The record, and behind it room that was written to before or is zero. Never longer than `MAX_RECORD`.
    pub(super) buf: Vec<u8>,
    /// How much of it is the record.
    pub(super) len: usize,
}

impl RecordWriter {
    /// Starts a record; what was written before is forgotten, its memory is kept.
    #[inline]
    pub fn begin(&mut self, kind: Kind, id: EntryId, created_unix_ns: u64) {
        self.len = 0;
        let Some(head) = self.claim(HEAD_LEN, MAX_RECORD) else { return };
        head[..8].copy_from_slice(&[0, 0, 0, VERSION, kind.code(), 0, 0, 0]);
        head[8..24].copy_from_slice(id.as_bytes());
        head[24..].copy_from_slice(&created_unix_ns.to_le_bytes());
    }

    /// Starts a record with what another one holds so far, its time included, under a kind and an id of its own.
    /// Returns the other's id; `None` if that one has not begun.
    pub fn begin_as(&mut self, other: &Self, kind: Kind, id: EntryId) -> Option<EntryId> {
        let (head, fields) = other.buf.get(..other.len)?.split_first_chunk::<HEAD_LEN>()?;
        let mut other_id = [0; 16];
        other_id.copy_from_slice(&head[8..24]);
        self.begin(kind, id, 0);
        self.claim(fields.len(), MAX_RECORD)?.copy_from_slice(fields);
        if let Some(own) = self.buf.first_chunk_mut::<HEAD_LEN>() {
            own[7] |= head[7] & FLAG_CUT;
            own[24..].copy_from_slice(&head[24..]);
        }
        Some(EntryId::from_bytes(other_id))
    }

    /// Appends every field of another record, or none where there is no room for all.
    pub fn append(&mut self, other: &Self) {
        let cut = other.buf.get(7).is_some_and(|flags| flags & FLAG_CUT != 0);
        self.append_fields(other.buf.get(HEAD_LEN..other.len).unwrap_or_default(), cut);
    }

    pub(super) fn append_fields(&mut self, fields: &[u8], cut: bool) {
        if let Some(room) = self.claim(fields.len(), MAX_RECORD) {
            room.copy_from_slice(fields);
        }
        if cut {
            self.mark_cut();
        }
    }

    /// Completes the record and lends its bytes. May be called again after more fields.
    #[inline]
    pub fn end(&mut self, level: Level, outcome: Option<Outcome>) -> &[u8] {
        let [a, b, c, ..] = (self.len as u32).to_le_bytes();
        if let Some(head) = self.buf.first_chunk_mut::<HEAD_LEN>() {
            (head[0], head[1], head[2]) = (a, b, c);
            head[5] = level.code();
            head[6] = outcome.map_or(NO_OUTCOME, Outcome::code);
        }
        self.buf.get(..self.len).unwrap_or_default()
    }

    /// Takes every item of a field out again.
    pub fn remove(&mut self, field: Field) {
        let (mut from, mut to) = (HEAD_LEN, HEAD_LEN);
        while let Some(tag) = self.buf.get(from..self.len).and_then(<[u8]>::first_chunk::<4>) {
            let end = (from + 4 + (u32::from_le_bytes(*tag) >> 12) as usize).min(self.len);
            if tag[0] != field.id() {
                self.buf.copy_within(from..end, to);
                to += end - from;
            }
            from = end;
        }
        self.len = to.min(self.len);
    }

    /// The bytes written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was begun.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes that the buffer holds on to.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.buf.capacity()
    }

    /// A text, cut at the field's limit on a character boundary.
    #[inline]
    pub fn text(&mut self, field: Field, value: &str) {
        if value.len() > field.limit() {
            return self.long_text(field, value);
        }
        self.put(field, Type::Text, value.as_bytes());
    }

    /// A text that is ASCII by the caller's word; a reader refuses a text that is not UTF-8. Cut at the field's limit.
    #[inline]
    pub fn ascii(&mut self, field: Field, value: &[u8]) {
        if value.len() > field.limit() {
            self.mark_cut();
        }
        let value = self.cut_bytes(field, value);
        self.put(field, Type::Text, value);
    }

    /// A text, if it is one: what is not UTF-8 is left out. Cut as other texts are.
    #[inline]
    pub fn utf8(&mut self, field: Field, value: &[u8]) {
        // Most texts are ASCII, and that is known at once.
        if value.is_ascii() && value.len() <= field.limit() {
            self.put(field, Type::Text, value);
        } else if let Ok(value) = std::str::from_utf8(value) {
            self.text(field, value);
        }
    }

    #[cold]
    fn long_text(&mut self, field: Field, value: &str) {
        let cut = cut_text(value, field.limit());
        self.mark_cut();
        self.put(field, Type::Text, cut.as_bytes());
    }

    /// A count or a code.
    #[inline]
    pub fn uint(&mut self, field: Field, value: u64) {
        let len = match value {
            0..=0xffff => 2,
            0x1_0000..=0xffff_ffff => 4,
            _ => 8,
        };
        // All eight bytes are copied, which is one store; those beyond `len` are written over by the next field.
        if let Some(room) = self.buf.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut::<12>) {
            room[..4].copy_from_slice(&tag(field, Type::Uint, len));
            room[4..].copy_from_slice(&value.to_le_bytes());
            self.len += 4 + len;
        } else if self.grow(self.len + 12, MAX_RECORD) {
            self.uint(field, value);
        }
    }

    /// A number with a fraction.
    #[inline]
    pub fn float(&mut self, field: Field, value: f64) {
        self.put(field, Type::Float, &value.to_le_bytes());
    }

    /// Yes or no.
    pub fn bool(&mut self, field: Field, value: bool) {
        self.put(field, Type::Bool, &[u8::from(value)]);
    }

    /// A duration in nanoseconds.
    #[inline]
    pub fn nanos(&mut self, field: Field, value: u64) {
        self.put(field, Type::Nanos, &value.to_le_bytes());
    }

    /// An entry's id.
    #[inline]
    pub fn uuid(&mut self, field: Field, value: &EntryId) {
        self.put(field, Type::Uuid, value.as_bytes());
    }

    /// A trace id.
    #[inline]
    pub fn trace_id(&mut self, field: Field, value: &TraceId) {
        self.put(field, Type::TraceId, value.as_bytes());
    }

    /// A span id.
    #[inline]
    pub fn span_id(&mut self, field: Field, value: &SpanId) {
        self.put(field, Type::SpanId, value.as_bytes());
    }

    /// An address.
    #[inline]
    pub fn ip(&mut self, field: Field, value: IpAddr) {
        match value {
            IpAddr::V4(ip) => self.put(field, Type::Ip, &ip.octets()),
            IpAddr::V6(ip) => self.put(field, Type::Ip, &ip.octets()),
        }
    }

    /// A header with a well-known name; `field` is `RequestHeader` or `ResponseHeader`. Headers that would make the
    /// record grow beyond 32 KiB are left out: who sends them must not take the room of what comes behind them.
    #[inline]
    pub fn known_header(&mut self, field: Field, name: KnownHeader, value: &[u8]) {
        let value = self.cut_bytes(field, value);
        self.parts(field, Type::Header, [name.code()], &[], value);
    }

    /// A header of any name, in lower case.
    pub fn header(&mut self, field: Field, name: &str, value: &[u8]) {
        match KnownHeader::from_name(name) {
            Some(known) => self.known_header(field, known, value),
            None => self.named_header(field, name, value),
        }
    }

    /// A header with any other name. Names over 255 bytes are left out.
    pub fn named_header(&mut self, field: Field, name: &str, value: &[u8]) {
        match u8::try_from(name.len()) {
            Ok(len) => {
                let value = self.cut_bytes(field, value);
                self.parts(field, Type::Header, [NAMED_HEADER, len], name.as_bytes(), value);
            }
            Err(_) => self.mark_cut(),
        }
    }

    /// A field of the application's own, its value as one JSON text (the caller vouches that it is one).
    /// Names are cut at 128 bytes; a value over 64 KiB is replaced by a note of its size.
    pub fn custom_json(&mut self, name: &str, json: &str) {
        let name = prefix(name, MAX_NAME);
        if json.len() > Field::Custom.limit() {
            self.mark_cut();
            let note = format!("[left out: {} bytes]", json.len());
            return self.custom(name, Type::Text, note.as_bytes());
        }
        self.custom(name, Type::Json, json.as_bytes());
    }

    /// A field of the application's own, a text; cut as other texts are.
    pub fn custom_text(&mut self, name: &str, value: &str) {
        let name = prefix(name, MAX_NAME);
        if value.len() > Field::Custom.limit() {
            self.mark_cut();
            let cut = cut_text(value, Field::Custom.limit());
            return self.custom(name, Type::Text, cut.as_bytes());
        }
        self.custom(name, Type::Text, value.as_bytes());
    }

    fn custom(&mut self, name: &str, ty: Type, value: &[u8]) {
        // The caller cut the name at MAX_NAME, which fits a byte.
        self.parts(Field::Custom, Type::Custom, [ty as u8, name.len() as u8], name.as_bytes(), value);
    }

    #[inline]
    fn cut_bytes<'v>(&mut self, field: Field, value: &'v [u8]) -> &'v [u8] {
        if value.len() <= field.limit() {
            return value;
        }
        self.mark_cut();
        &value[..field.limit()]
    }

    #[inline]
    fn put(&mut self, field: Field, ty: Type, bytes: &[u8]) {
        self.parts(field, ty, [], &[], bytes);
    }

    #[inline]
    fn parts<const N: usize>(&mut self, field: Field, ty: Type, a: [u8; N], b: &[u8], c: &[u8]) {
        let len = N + b.len() + c.len();
        // Room is taken part by part, so that each bound is checked one time.
        if let Some(room) = self.buf.get_mut(self.len..)
            && let Some((head, room)) = room.split_at_mut_checked(4 + N)
            && let Some((to_tag, to_a)) = head.split_first_chunk_mut()
            && let Ok(to_a) = <&mut [u8; N]>::try_from(to_a)
            && let Some((to_b, room)) = room.split_at_mut_checked(b.len())
            && let Some(to_c) = room.get_mut(..c.len())
        {
            *to_tag = tag(field, ty, len);
            *to_a = a;
            to_b.copy_from_slice(b);
            to_c.copy_from_slice(c);
            self.len += 4 + len;
        } else {
            self.parts_in_more_room(field, ty, a, b, c);
        }
    }

    #[cold]
    fn parts_in_more_room<const N: usize>(&mut self, field: Field, ty: Type, a: [u8; N], b: &[u8], c: &[u8]) {
        let most = if ty as u32 == Type::Header as u32 { HEADER_ROOM } else { MAX_RECORD };
        if self.grow(self.len + 4 + N + b.len() + c.len(), most) {
            self.parts(field, ty, a, b, c);
        }
    }

    /// The next `len` bytes, or a note in the record that there is no room for them: the buffer does not grow beyond
    /// `most` for it.
    #[inline]
    fn claim(&mut self, len: usize, most: usize) -> Option<&mut [u8]> {
        let start = self.len;
        if len > self.buf.len().wrapping_sub(start) {
            return self.claim_more(len, most);
        }
        self.len = start + len;
        self.buf.get_mut(start..)?.get_mut(..len)
    }

    #[cold]
    fn claim_more(&mut self, len: usize, most: usize) -> Option<&mut [u8]> {
        let (start, end) = (self.len, self.len + len);
        if !self.grow(end, most) {
            return None;
        }
        self.len = end;
        self.buf.get_mut(start..end)
    }

    /// Makes the buffer at least `len` bytes long; false where that is more than `most`.
    #[cold]
    pub(super) fn grow(&mut self, len: usize, most: usize) -> bool {
        let fits = len <= most;
        if fits {
            self.buf.resize(len.next_power_of_two().max(SMALLEST), 0);
        } else {
            self.mark_cut();
        }
        fits
    }

    #[cold]
    fn mark_cut(&mut self) {
        if let Some(flags) = self.buf.get_mut(7) {
            *flags |= FLAG_CUT;
        }
    }
}

#[inline]
pub(super) fn tag(field: Field, ty: Type, len: usize) -> [u8; 4] {
    // MAX_RECORD keeps the length within its 20 bits.
    (u32::from(field.id()) | (ty as u32) << 8 | (len as u32) << 12).to_le_bytes()
}

/// `value` within `limit` bytes, its end replaced by a note of what is missing.
fn cut_text(value: &str, limit: usize) -> String {
    let kept = prefix(value, limit.saturating_sub(MARK_ROOM));
    format!("{kept}…[truncated {} bytes]", value.len() - kept.len())
}

/// The longest start of `text` that fits `limit` bytes and ends on a character boundary.
fn prefix(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
