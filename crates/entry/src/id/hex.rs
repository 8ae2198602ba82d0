//! Hex digits in and out.

use std::fmt;

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
    for (pair, &byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [byte >> 4, byte & 0xf];
    }
    for digit in &mut out {
        *digit += if *digit < 10 { b'0' } else { b'a' - 10 };
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

/// Which letters count as digits; the number is the bit in which the cases of a letter may differ.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    Lower = 0,
    Any = 0x20,
}

/// Reads exactly `M` digits; `M` is `2 * N`.
#[inline(never)] // inlined, the second loop would be taken apart byte by byte
pub(crate) fn decode<const N: usize, const M: usize>(
    text: &[u8],
    case: Case,
) -> Result<[u8; N], ParseIdError> {
    const { assert!(M == 2 * N) };
    let text: &[u8; M] = text.try_into().map_err(|_| ParseIdError)?;
    // Two loops without a branch in them: the compiler turns each into vector instructions.
    let mut values = [0u8; M];
    let mut all = 0;
    for (value, &c) in values.iter_mut().zip(text) {
        let digit = c.wrapping_sub(b'0');
        let letter = (c | case as u8).wrapping_sub(b'a');
        *value = if digit < 10 {
            digit
        } else if letter < 6 {
            letter + 10
        } else {
            u8::MAX
        };
        all |= *value;
    }
    if all > 0xf {
        return Err(ParseIdError);
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(values.as_chunks::<2>().0) {
        let pair = u16::from_le_bytes(*pair);
        *byte = (pair << 4 | pair >> 8) as u8;
    }
    Ok(out)
}

/// 32 hex digits of any case, or the same with hyphens at the four places of RFC 9562 §4.
pub(super) fn parse_uuid(text: &[u8]) -> Result<[u8; 16], ParseIdError> {
    let Ok(text) = <&[u8; 36]>::try_from(text) else { return decode::<16, 32>(text, Case::Any) };
    if [text[8], text[13], text[18], text[23]] != *b"----" {
        return Err(ParseIdError);
    }
    let mut hex = [0; 32];
    hex[..8].copy_from_slice(&text[..8]);
    hex[8..12].copy_from_slice(&text[9..13]);
    hex[12..16].copy_from_slice(&text[14..18]);
    hex[16..20].copy_from_slice(&text[19..23]);
    hex[20..].copy_from_slice(&text[24..]);
    decode::<16, 32>(&hex, Case::Any)
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
                assert_eq!(decode::<4, 8>(&text, Case::Any), by_hand, "{byte:#x} at {place}");
                let lower = if byte.is_ascii_uppercase() { Err(ParseIdError) } else { by_hand };
                assert_eq!(
                    decode::<4, 8>(&text, Case::Lower),
                    lower,
                    "{byte:#x} at {place}, lower case only"
                );
            }
        }
    }

    #[test]
    fn another_length_is_refused() {
        for len in (0..=20).filter(|&len| len != 16) {
            assert_eq!(decode::<8, 16>(&vec![b'1'; len], Case::Lower), Err(ParseIdError), "{len}");
        }
        assert_eq!(decode::<8, 16>(b"1111111111111111", Case::Lower), Ok([0x11; 8]));
    }
}
