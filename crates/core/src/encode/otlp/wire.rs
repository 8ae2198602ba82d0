//! The wire format of Protocol Buffers, written straight into a buffer: no message is built up first.

use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint, encoded_len_varint};

/// A field of text; left out where it is empty, which is its default.
pub(super) fn text(out: &mut Vec<u8>, tag: u32, text: &str) {
    if !text.is_empty() {
        bytes(out, tag, text.as_bytes());
    }
}

/// What stands before a field of so many bytes.
pub(super) fn head(out: &mut Vec<u8>, tag: u32, len: usize) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(len as u64, out);
}

/// A field of bytes.
pub(super) fn bytes(out: &mut Vec<u8>, tag: u32, bytes: &[u8]) {
    head(out, tag, bytes.len());
    out.extend_from_slice(bytes);
}

/// A field of type `fixed64` or `double`.
pub(super) fn fixed64(out: &mut Vec<u8>, tag: u32, value: u64) {
    encode_key(tag, WireType::SixtyFourBit, out);
    out.extend_from_slice(&value.to_le_bytes());
}

/// A field of type `int64`, `uint32`, `bool` or of an enum.
pub(super) fn varint(out: &mut Vec<u8>, tag: u32, value: u64) {
    encode_key(tag, WireType::Varint, out);
    encode_varint(value, out);
}

/// A field that is a message. One byte is kept for its length, and more made room for where that is not enough: most
/// messages here are short.
pub(super) fn message(out: &mut Vec<u8>, tag: u32, write: impl FnOnce(&mut Vec<u8>)) {
    encode_key(tag, WireType::LengthDelimited, out);
    let at = out.len();
    out.push(0);
    write(out);
    let len = out.len() - at - 1;
    let room = encoded_len_varint(len as u64);
    if room > 1 {
        out.resize(out.len() + room - 1, 0);
        out.copy_within(at + 1..at + 1 + len, at + room);
    }
    encode_varint(len as u64, &mut out.get_mut(at..at + room).unwrap_or_default());
}

/// The bytes that [`bytes`] writes for a field of that many.
pub(super) fn len_of_bytes(tag: u32, len: usize) -> usize {
    prost::encoding::key_len(tag) + encoded_len_varint(len as u64) + len
}

/// The bytes of the first field, which is one of bytes, and what stands behind it.
pub(super) fn field(mut message: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, ty) = decode_key(&mut message).ok()?;
    let len = decode_varint(&mut message).ok().filter(|_| ty == WireType::LengthDelimited)?;
    message.split_at_checked(usize::try_from(len).ok()?)
}
