//! The random source behind ids: xoshiro256++ (Blackman, Vigna 2019), 256 bits of state from the system per thread.

use std::hash::BuildHasher as _;

/// One thread's source of ids.
pub(super) struct Generator {
    state: [u64; 4],
    last_ms: u64,
    /// 12 bits `rand_a` and 62 bits `rand_b` of the last UUIDv7, counted up within a millisecond (RFC 9562 §6.2, method 2).
    last_random: u128,
}

/// 74 random bits follow the time in a UUIDv7.
const RANDOM_BITS: u32 = 74;

impl Generator {
    pub(super) fn from_os() -> Self {
        let mut seed = [0u8; 32];
        // Without a system source (never seen on a running host) the standard library's own seed, the time and the
        // process still tell threads apart.
        if getrandom::fill(&mut seed).is_err() {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            let hashed = std::hash::RandomState::new().hash_one(std::process::id());
            seed[..16].copy_from_slice(&now.as_nanos().to_le_bytes());
            seed[16..24].copy_from_slice(&hashed.to_le_bytes());
        }
        let mut state = [1u64; 4];
        for (word, bytes) in state.iter_mut().zip(seed.chunks_exact(8)) {
            *word = bytes.iter().fold(0, |w, b| w << 8 | u64::from(*b));
        }
        Self::from_state(state)
    }

    fn from_state(mut state: [u64; 4]) -> Self {
        if state == [0; 4] {
            state[0] = 1; // the one state that xoshiro never leaves
        }
        Self { state, last_ms: 0, last_random: 0 }
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let out = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let t = b << 17;
        let (c, d) = (c ^ a, d ^ b);
        let (b, a) = (b ^ c, a ^ d);
        self.state = [a, b, c ^ t, d.rotate_left(45)];
        out
    }

    pub(super) fn non_zero<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        while out == [0; N] {
            for part in out.chunks_mut(8) {
                let word = self.next().to_le_bytes();
                for (o, w) in part.iter_mut().zip(word) {
                    *o = w;
                }
            }
        }
        out
    }

    pub(super) fn uuid_v7(&mut self, unix_ms: u64) -> [u8; 16] {
        if unix_ms > self.last_ms {
            self.last_ms = unix_ms;
            // The top bit starts at zero, so that counting up within the millisecond has room.
            self.last_random =
                (u128::from(self.next()) << 64 | u128::from(self.next())) >> (128 - RANDOM_BITS + 1);
        } else {
            self.last_random += u128::from(self.next() >> 32) + 1;
            if self.last_random >> RANDOM_BITS != 0 {
                self.last_ms += 1;
                self.last_random >>= 1;
            }
        }
        let rand_a = (self.last_random >> 62) & 0xfff;
        let rand_b = self.last_random & ((1 << 62) - 1);
        let bits = u128::from(self.last_ms) << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b;
        bits.to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_that_of_the_published_reference() {
        // First outputs of xoshiro256++ for the state {1, 2, 3, 4}, as in the reference implementation.
        let mut g = Generator::from_state([1, 2, 3, 4]);
        let expected = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205];
        assert_eq!(expected.map(|_| g.next()), expected);
    }
}
