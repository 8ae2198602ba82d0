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
    use super::{any, has_long_part};

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
            for place in 0..len {
                text[place] = b'!';
                assert!(any(&text, |b| b == b'!'), "at {place} of {len}");
                text[place] = b'x';
            }
        }
    }
}
