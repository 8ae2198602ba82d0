//! Searching bytes, many at a time, by loops that the compiler turns into vector instructions.

/// Whether a byte passes the test; sixteen are looked at together.
#[inline]
pub(crate) fn any(text: &[u8], test: impl Fn(u8) -> bool) -> bool {
    let Some(last) = text.last_chunk::<16>() else { return text.iter().any(|&b| test(b)) };
    let mut found = [0; 16];
    let mut look = |block: &[u8; 16]| {
        for (found, &b) in found.iter_mut().zip(block) {
            *found |= u8::from(test(b));
        }
    };
    text.as_chunks().0.iter().for_each(&mut look);
    // May overlap the block before.
    look(last);
    u128::from_ne_bytes(found) != 0
}

/// Whether the text is ASCII without this byte of it; eight are looked at together, by arithmetic. For short texts.
#[inline]
pub(crate) fn is_ascii_without(byte: u8, text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<8>() else { return text.iter().all(|&b| b < 0x80 && b != byte) };
    let wrong = |eight: &[u8; 8]| {
        let eight = u64::from_ne_bytes(*eight);
        // A byte that is zero borrows from its highest bit, which it had not set.
        let zero_where_equal = eight ^ u64::from_ne_bytes([byte; 8]);
        eight | (zero_where_equal.wrapping_sub(u64::from_ne_bytes([1; 8])) & !zero_where_equal)
    };
    // The last may overlap the one before.
    let found = text.as_chunks().0.iter().fold(wrong(last), |found, eight| found | wrong(eight));
    found & u64::from_ne_bytes([0x80; 8]) == 0
}

/// Whether `len` bytes or more stand between two separators, or before the first or after the last. Looks from the end
/// of each stretch that could be one: few bytes where separators are near to each other.
#[inline]
pub(crate) fn has_long_part(text: &[u8], separator: u8, len: usize) -> bool {
    let mut rest = text;
    while let Some(stretch) = rest.get(..len) {
        match stretch.iter().rposition(|&b| b == separator) {
            None => return true,
            Some(at) => rest = &rest[at + 1..],
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{any, has_long_part, is_ascii_without};

    #[test]
    fn a_long_part_is_found_wherever_it_stands() {
        for text in ["abcde", "/abcde", "abcde/", "a/bc/abcde", "a//abcde/b", "abcdefgh"] {
            assert!(has_long_part(text.as_bytes(), b'/', 5), "{text}");
        }
        for text in ["", "abcd", "/abcd/", "abcd/abcd", "////////", "a/bc/d/efgh"] {
            assert!(!has_long_part(text.as_bytes(), b'/', 5), "{text}");
        }
    }

    #[test]
    fn a_byte_is_found_wherever_it_stands() {
        for len in 0..70 {
            let mut text = vec![b'x'; len];
            assert!(!any(&text, |b| b == b'!'), "in {len} others");
            assert!(is_ascii_without(b'!', &text), "{len} others");
            for place in 0..len {
                text[place] = b'!';
                assert!(any(&text, |b| b == b'!'), "at {place} of {len}");
                assert!(!is_ascii_without(b'!', &text), "at {place} of {len}");
                text[place] = 0x80;
                assert!(!is_ascii_without(b'!', &text), "at {place} of {len}");
                text[place] = b'x';
            }
        }
    }
}
