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
pub(crate) fn write_ascii(f: &mut fmt::Formatter<'_>, ascii: &[u8]) -> fmt::Result {
    f.pad(std::str::from_utf8(ascii).map_err(|_| fmt::Error)?)
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// Reads exactly `2 * N` lower-case digits; `N` is a multiple of four.
pub(crate) fn decode_lower<const N: usize>(text: &[u8]) -> Result<[u8; N], ParseIdError> {
    decode(text, u64::from_be_bytes)
}

/// Reads exactly `2 * N` digits, as `load` takes them from the text.
pub(super) fn decode<const N: usize>(
    text: &[u8],
    load: impl Fn([u8; 8]) -> u64,
) -> Result<[u8; N], ParseIdError> {
    const { assert!(N.is_multiple_of(4)) };
    let (eights, []) = text.as_chunks::<8>() else { return Err(ParseIdError) };
    if eights.len() * 4 != N {
        return Err(ParseIdError);
    }
    let mut out = [0; N];
    let mut wrong = 0;
    for (four, eight) in out.as_chunks_mut::<4>().0.iter_mut().zip(eights) {
        let (value, bad) = eight_digits(load(*eight));
        *four = value.to_be_bytes();
        wrong |= bad;
    }
    if wrong == 0 { Ok(out) } else { Err(ParseIdError) }
}

/// Loads digits with their letters in lower case. Bytes that are no letters stay as they are.
pub(super) fn any_case(text: [u8; 8]) -> u64 {
    let chars = u64::from_be_bytes(text);
    chars | (chars & (0x40 * ONES)) >> 1
}

/// The value of eight lower-case digits, all lanes of a word at once; the second number is zero if all were digits.
pub(crate) fn eight_digits(chars: u64) -> (u32, u64) {
    let letters = chars >> 6 & ONES;
    let nibbles = (chars & (0x0f * ONES)) + 9 * letters; // at most 24 a lane: nothing carries over
    // A digit prints back as itself. What is no digit prints as another character or has a value past 15.
    let past_nine = (nibbles + 6 * ONES) >> 4 & ONES;
    let printed = nibbles + u64::from(b'0') * ONES + u64::from(b'a' - b'0' - 10) * past_nine;
    let bad = (printed ^ chars) | (nibbles & (0xf0 * ONES));

    let bytes = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let pairs = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    ((pairs | pairs >> 16) as u32, bad)
}

/// 32 hex digits of any case, or the same with hyphens at the four places of RFC 9562 §4.
pub(super) fn parse_uuid(text: &[u8]) -> Result<[u8; 16], ParseIdError> {
    let Ok(text) = <&[u8; 36]>::try_from(text) else { return decode(text, any_case) };
    if [text[8], text[13], text[18], text[23]] != *b"----" {
        return Err(ParseIdError);
    }
    let mut hex = [0; 32];
    hex[..8].copy_from_slice(&text[..8]);
    hex[8..12].copy_from_slice(&text[9..13]);
    hex[12..16].copy_from_slice(&text[14..18]);
    hex[16..20].copy_from_slice(&text[19..23]);
    hex[20..].copy_from_slice(&text[24..]);
    decode(&hex, any_case)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_read_as_the_digit_it_is_or_refused() {
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut text = *b"0a9f3c7e";
                text[place] = byte;
                let by_hand = std::str::from_utf8(&text)
                    .ok()
                    .filter(|t| t.bytes().all(|c| c.is_ascii_hexdigit()))
                    .and_then(|t| u32::from_str_radix(t, 16).ok())
                    .map(u32::to_be_bytes)
                    .ok_or(ParseIdError);
                assert_eq!(decode::<4>(&text, any_case), by_hand, "{byte:#x} at {place}");
                let lower = if byte.is_ascii_uppercase() { Err(ParseIdError) } else { by_hand };
                assert_eq!(decode_lower::<4>(&text), lower, "{byte:#x} at {place}, lower case only");
            }
        }
    }

    #[test]
    fn another_length_is_refused() {
        for len in (0..=20).filter(|&len| len != 16) {
            assert_eq!(decode_lower::<8>(&vec![b'1'; len]), Err(ParseIdError), "{len}");
        }
        assert_eq!(decode_lower::<8>(b"1111111111111111"), Ok([0x11; 8]));
    }
}
