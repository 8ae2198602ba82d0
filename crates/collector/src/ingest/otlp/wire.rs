//! The wire format of Protocol Buffers, read in place: no message is built up, so that a body of many empty ones takes
//! no more memory than it has bytes.

use prost::encoding::{WireType, decode_key, decode_varint};
use std::borrow::Cow;

/// A text, which may not be UTF-8 though it should be, and may hold NUL: both become U+FFFD.
pub(super) fn text<'a>(bytes: &'a [u8], replaced: &mut bool) -> Cow<'a, str> {
    let text = String::from_utf8_lossy(bytes);
    let text = if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text };
    *replaced |= matches!(text, Cow::Owned(_));
    text
}

/// Not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// The fields of a message with their tags, as they come.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Field<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(Malformed);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u32, Field<'a>)> {
        let (tag, ty) = decode_key(&mut self.0).ok()?;
        let field = match ty {
            WireType::Varint => Field::Varint(decode_varint(&mut self.0).ok()?),
            WireType::SixtyFourBit => Field::Fixed64(u64::from_le_bytes(self.array()?)),
            WireType::ThirtyTwoBit => Field::Fixed32(u32::from_le_bytes(self.array()?)),
            WireType::LengthDelimited => {
                let len = decode_varint(&mut self.0).ok()?;
                let (bytes, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
                self.0 = rest;
                Field::Bytes(bytes)
            }
            // Groups are of a time before this protocol.
            WireType::StartGroup | WireType::EndGroup => return None,
        };
        Some((tag, field))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }
}
