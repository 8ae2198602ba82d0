//! Reading base64 (RFC 4648) without keeping what is read.

/// Whether `text` says `name:password` in base64, of either alphabet, padded or not.
pub(super) fn holds_credentials(text: &[u8]) -> bool {
    let mut colon = false;
    for quad in text.trim_ascii_end().chunks(4) {
        let mut bits = 0_u32;
        let mut letters = 0;
        for &letter in quad.iter().take_while(|&&b| b != b'=') {
            let Some(value) = value(letter) else { return false };
            bits = bits << 6 | value;
            letters += 1;
        }
        bits <<= 6 * (4 - letters);
        let [_, bytes @ ..] = bits.to_be_bytes();
        for &byte in &bytes[..(letters * 6 / 8) as usize] {
            if byte.is_ascii_control() {
                return false;
            }
            colon |= byte == b':';
        }
    }
    colon
}

fn value(letter: u8) -> Option<u32> {
    Some(u32::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}
