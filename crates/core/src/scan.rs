//! Searching bytes, many at a time, by loops that the compiler turns into vector instructions.

/// Whether a byte passes the test; sixteen are looked at together.
#[inline]
pub(crate) fn any(text: &[u8], test: impl Fn(u8) -> bool) -> bool {
    let Some(last) = text.last_chunk::<16>() else { return text.iter().any(|&b| test(b)) };
    let mut found = [0; 16];
    // The first are the last ones, which may overlap others.
    let (mut block, mut rest) = (last, text.as_chunks().0);
    loop {
        for (found, &b) in found.iter_mut().zip(block) {
            *found |= u8::from(test(b));
        }
        let Some((next, others)) = rest.split_first() else { break };
        (block, rest) = (next, others);
    }
    u128::from_ne_bytes(found) != 0
}

/// The places of the bytes that pass a test, in order; so many are looked at together.
pub(crate) struct Places<'a, T> {
    text: &'a [u8],
    test: T,
    /// Where the block under way begins, and one bit for each of its places that is still to be given.
    block: usize,
    bits: u64,
}

const BLOCK: usize = u64::BITS as usize;

impl<'a, T: Fn(u8) -> bool> Places<'a, T> {
    #[inline]
    pub(crate) fn new(text: &'a [u8], test: T) -> Self {
        let bits = look(text, &test);
        Self { text, test, block: 0, bits }
    }
}

impl<T: Fn(u8) -> bool> Iterator for Places<'_, T> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.block += BLOCK;
            let rest = self.text.get(self.block..).filter(|rest| !rest.is_empty());
            let Some(rest) = rest else {
                self.block = self.text.len();
                return None;
            };
            self.bits = look(rest, &self.test);
        }
        let place = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(self.block + place)
    }
}

/// One bit for each byte of the first block that passes the test.
#[inline(never)] // once per block
fn look(text: &[u8], test: impl Fn(u8) -> bool) -> u64 {
    let len = text.len().min(BLOCK);
    let (mut block, mut found) = ([0; BLOCK], [0; BLOCK]);
    block[..len].copy_from_slice(&text[..len]);
    for (found, &b) in found.iter_mut().zip(&block) {
        *found = u8::from(test(b));
    }
    let mut bits = 0;
    for eight in found.as_chunks().0.iter().rev() {
        // Eight bytes of 0 or 1 become eight bits.
        let eight = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits = bits << 8 | eight;
    }
    // Behind the end there is nothing.
    bits & u64::MAX.checked_shr((BLOCK - len) as u32).unwrap_or(0)
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
    use super::{Places, any, has_long_part};

    #[test]
    fn every_place_is_given_once_and_in_order() {
        for len in 0..200 {
            for step in [1, 2, 3, 7, 8, 63, 64, 65, 200] {
                let text: Vec<u8> = (0..len).map(|at| if at % step == 0 { b'!' } else { b'x' }).collect();
                let places: Vec<usize> = (0..len).step_by(step).collect();
                let mut found = Places::new(&text, |b| b == b'!');
                assert_eq!(found.by_ref().collect::<Vec<_>>(), places, "every {step} of {len}");
                assert_eq!((found.next(), found.next()), (None, None));
                assert_eq!(Places::new(&text, |b| b == 0).next(), None, "what pads a block is not its text");
            }
        }
    }

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
