//! What is counted of entries, wherever they are: how many, and how many bytes.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

/// Entries, and the bytes of their records as they were accepted: no server's form, no frame around them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

impl Count {
    /// One entry.
    pub(crate) fn one(record: &[u8]) -> Self {
        Self::of(record, 1)
    }

    /// So many entries, whose records stand one after the other.
    pub(crate) fn of(records: &[u8], entries: usize) -> Self {
        Self { entries: entries as u64, bytes: records.len() as u64 }
    }

    /// Entries by the sizes of their records.
    pub(crate) fn of_sizes(sizes: &[u32]) -> Self {
        Self { entries: sizes.len() as u64, bytes: sizes.iter().map(|size| u64::from(*size)).sum() }
    }

    /// So many of them, where nobody says which: each is taken to be of mean size. All of them are exact, and so is what
    /// is left without them.
    pub(crate) fn share(self, entries: u64) -> Self {
        let entries = entries.min(self.entries);
        let bytes = u128::from(self.bytes) * u128::from(entries) / u128::from(self.entries.max(1));
        Self { entries, bytes: u64::try_from(bytes).unwrap_or(self.bytes) }
    }

    /// Bytes of no entry: there should be none.
    pub(crate) fn left_over(self) -> u64 {
        if self.entries == 0 { self.bytes } else { 0 }
    }

    pub(crate) fn min(self, other: Self) -> Self {
        Self { entries: self.entries.min(other.entries), bytes: self.bytes.min(other.bytes) }
    }

    pub(crate) fn saturating_sub(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_sub(other.entries),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { entries: self.entries + other.entries, bytes: self.bytes + other.bytes }
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Count {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { entries: self.entries - other.entries, bytes: self.bytes - other.bytes }
    }
}

impl SubAssign for Count {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Count {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_mean_size_and_leaves_the_rest() {
        let whole = Count::of_sizes(&[100, 30, 1]);
        assert_eq!(whole, Count { entries: 3, bytes: 131 });
        for (entries, bytes) in [(0, 0), (1, 43), (2, 87), (3, 131), (9, 131)] {
            let share = whole.share(entries);
            assert_eq!(share, Count { entries: entries.min(3), bytes });
            assert_eq!(share + (whole - share), whole);
        }
        assert_eq!(Count::default().share(5), Count::default(), "of an empty batch there is none");
    }
}
