//! Hex digits in and out.

use std::fmt;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The text is not an id: another length, another character, or all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id: expected hex digits, not all zero")
    }
}

impl std::error::Error for ParseIdError {}

pub(super) fn encode<const N: usize, const M: usize>(bytes: &[u8; N]) -> [u8; M] {
    let mut out = [0; M];
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
    out
}

pub(super) fn hyphenated(bytes: &[u8; 16]) -> [u8; 36] {
    let hex: [u8; 32] = encode(bytes);
    let mut out = [b'-'; 36];
    out[..8].copy_from_slice(&hex[..8]);
    out[9..13].copy_from_slice(&hex[8..12]);
    out[14..18].copy_from_slice(&hex[12..16]);
    out[19..23].copy_from_slice(&hex[16..20]);
    out[24..].copy_from_slice(&hex[20..]);
    out
}

/// Prints bytes that are ASCII by construction.
pub(super) fn write_ascii(f: &mut fmt::Formatter<'_>, ascii: &[u8]) -> fmt::Result {
    f.pad(std::str::from_utf8(ascii).map_err(|_| fmt::Error)?)
}

pub(super) fn decode_lower<const N: usize>(text: &[u8]) -> Result<[u8; N], ParseIdError> {
    if text.iter().any(u8::is_ascii_uppercase) {
        return Err(ParseIdError);
    }
    decode(text)
}

fn decode<const N: usize>(text: &[u8]) -> Result<[u8; N], ParseIdError> {
    if text.len() != N * 2 {
        return Err(ParseIdError);
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(out)
}

fn digit(c: u8) -> Result<u8, ParseIdError> {
    match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        b'A'..=b'F' => Ok(c - b'A' + 10),
        _ => Err(ParseIdError),
    }
}

/// 32 hex digits, or the same with hyphens at the four places of RFC 9562 §4.
pub(super) fn parse_uuid(text: &[u8]) -> Result<[u8; 16], ParseIdError> {
    if text.len() != 36 {
        return decode(text);
    }
    let mut hex = [0; 32];
    let mut digits = hex.iter_mut();
    for (i, &c) in text.iter().enumerate() {
        match (matches!(i, 8 | 13 | 18 | 23), c) {
            (true, b'-') => {}
            (false, _) => *digits.next().ok_or(ParseIdError)? = c,
            (true, _) => return Err(ParseIdError),
        }
    }
    decode(&hex)
}
