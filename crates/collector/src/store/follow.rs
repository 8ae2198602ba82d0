//! Following what arrives.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How far a follower has come; only the store that gave it out reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Commits seen. Where there were no others, there is nothing to look for.
    pub(crate) commits: u64,
    /// The last arrival seen, by day's file.
    pub(crate) arrivals: BTreeMap<i32, i64>,
}

/// An entry that arrived, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) day: i32,
    pub(crate) seq: i64,
    /// A JSON object.
    pub(crate) json: String,
}

/// What arrived since.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// In the order of their arrival, day by day.
    pub(crate) entries: Vec<Arrival>,
    /// How many arrivals were passed over, whatever they are like, as there were too many to look at.
    pub(crate) skipped: u64,
    /// Where to go on.
    pub(crate) position: Position,
    /// There may be more already.
    pub(crate) more: bool,
}

/// Days that the text of a position names: those in which nearly all arrives.
const NAMED: usize = 3;

impl Position {
    /// A text by which a follower comes back later: the latest days, and any other in which `last` arrived.
    pub(crate) fn to_text(&self, last: Option<i32>) -> String {
        let mut text = String::new();
        let latest: Vec<i32> = self.arrivals.keys().rev().take(NAMED).copied().collect();
        for day in latest.iter().copied().chain(last.filter(|day| !latest.contains(day))) {
            let seq = self.arrivals.get(&day).copied().unwrap_or_default();
            // Writing to a String does not fail.
            let _ = write!(text, "{}{day}.{seq}", if text.is_empty() { "" } else { "_" });
        }
        text
    }

    /// Where to go on from a text, given where following begins now. A day that it does not name has begun since, and is
    /// seen from its beginning; but one before all of those it names was left out of it, and is seen from now on.
    pub(crate) fn resume(text: &str, mut now: Self) -> Option<Self> {
        let mut named = BTreeMap::new();
        for part in text.split('_').filter(|_| !text.is_empty()) {
            let (day, seq) = part.split_once('.')?;
            let seq = seq.parse().ok().filter(|seq: &i64| *seq >= 0)?;
            named.insert(day.parse::<i32>().ok()?, seq);
        }
        if named.len() > NAMED + 1 {
            return None;
        }
        let oldest = named.keys().rev().nth(NAMED - 1).copied();
        for (day, seq) in &mut now.arrivals {
            match named.get(day) {
                Some(seen) => *seq = *seen,
                None if oldest.is_some_and(|oldest| *day < oldest) => {}
                None => *seq = 0,
            }
        }
        // No number of commits: it is looked at once, whatever there was.
        now.commits = u64::MAX;
        Some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(arrivals: &[(i32, i64)]) -> Position {
        Position { commits: 9, arrivals: arrivals.iter().copied().collect() }
    }

    #[test]
    fn a_follower_comes_back_to_where_it_was() {
        let left = position(&[(10, 7), (20, 5), (21, 6), (22, 0)]);
        assert_eq!(left.to_text(None), "22.0_21.6_20.5");
        assert_eq!(left.to_text(Some(10)), "22.0_21.6_20.5_10.7");
        let now = position(&[(9, 1), (10, 8), (15, 2), (20, 5), (21, 9), (22, 3), (23, 4)]);
        let back = Position::resume("22.0_21.6_20.5_10.7", now.clone()).unwrap();
        let expected = [(9, 1), (10, 7), (15, 2), (20, 5), (21, 6), (22, 0), (23, 0)];
        assert_eq!(back.arrivals, expected.into_iter().collect());
        let few = Position::resume("22.0_21.6", now.clone()).unwrap();
        assert_eq!((few.arrivals[&9], few.arrivals[&23], few.arrivals[&21]), (0, 0, 6), "all were named");
        assert_eq!(Position::resume("", now.clone()).unwrap().arrivals[&9], 0, "nothing was there");
        for bad in ["1", "1.", ".1", "1.2_", "1.-2", "x.1", "1.2_3.4_5.6_7.8_9.0", "1.2.3"] {
            assert_eq!(Position::resume(bad, now.clone()), None, "{bad}");
        }
    }
}
