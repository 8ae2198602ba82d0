//! Short names as numbers, for the tables of this module: few instructions, and no defence against collisions, as
//! every table is bounded.

/// The ends of a name, and its length. Up to 16 bytes that is the whole name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ends {
    head: u64,
    tail: u64,
    len: usize,
}

impl Ends {
    pub(super) const NONE: Self = Self { head: 0, tail: 0, len: 0 };

    #[inline]
    pub(super) fn of(name: &[u8]) -> Self {
        let (head, tail) = if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
            (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        } else if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
            (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail)))
        } else {
            (name.iter().fold(0, |bits, &b| bits << 8 | u64::from(b)), 0)
        };
        Self { head, tail, len: name.len() }
    }

    /// Those of the name in any case.
    #[inline]
    pub(super) fn folded(name: &[u8]) -> Self {
        const CASE: u64 = 0x2020_2020_2020_2020;
        let Self { head, tail, len } = Self::of(name);
        Self { head: head | CASE, tail: tail | CASE, len }
    }

    #[inline]
    pub(super) fn are_all(&self) -> bool {
        self.len <= 16
    }

    #[inline]
    pub(super) fn hash(&self) -> usize {
        let mixed = self.head ^ self.tail.rotate_left(7) ^ self.len as u64;
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
    }
}
