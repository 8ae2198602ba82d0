//! Counts over time: the question, and the bars that a store fills.

use super::search::Filter;
use hoplog_entry::Level;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What tells the parts of a bar apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Level,
    /// 2xx, 4xx, …; `none` where there is no status.
    Status,
    Service,
}

/// How many entries there were, step by step. The filter's period has both ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HistogramSearch {
    pub(crate) filter: Filter,
    pub(crate) by: By,
    /// Microseconds, at least 1.
    pub(crate) step: i64,
}

/// Services that a histogram tells apart; those beyond share one name, so that the memory of an answer is bounded.
const MOST_SERVICES: usize = 100;
const OTHERS: &str = "(others)";

/// A part of a bar, as a store reads it from an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    Level(i64),
    Status(Option<i64>),
    Service(&'a str),
}

impl Part<'_> {
    fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Level(code) => {
                let level = u8::try_from(*code).ok().and_then(Level::from_code);
                level.map_or("none", Level::as_str).into()
            }
            Self::Status(Some(status @ 100..=999)) => format!("{}xx", status / 100).into(),
            Self::Status(_) => "none".into(),
            Self::Service(name) => (*name).into(),
        }
    }
}

/// Weights by part and by bar. A bar begins at a multiple of the step.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Bars {
    pub(crate) stored: u64,
    parts: BTreeMap<String, BTreeMap<i64, f64>>,
}

impl Bars {
    /// Counts `stored` entries of the bar that begins at `bar` steps after the epoch; they stand for `weight`.
    pub(crate) fn add(&mut self, bar: i64, part: Part<'_>, stored: u64, weight: f64) {
        self.stored += stored;
        let mut name = part.name();
        if !self.parts.contains_key(name.as_ref()) {
            if self.parts.len() >= MOST_SERVICES {
                name = OTHERS.into();
            }
            self.parts.entry(name.clone().into_owned()).or_default();
        }
        if let Some(bars) = self.parts.get_mut(name.as_ref()) {
            *bars.entry(bar).or_default() += weight;
        }
    }

    /// The names of the parts, and for each the weights of its bars.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, &BTreeMap<i64, f64>)> {
        self.parts.iter().map(|(name, bars)| (name.as_str(), bars))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_a_part_for_each_name_and_one_for_the_names_beyond_the_bound() {
        let mut bars = Bars::default();
        for n in 0..MOST_SERVICES + 5 {
            bars.add(1, Part::Service(&format!("s{n:03}")), 1, 2.0);
        }
        bars.add(2, Part::Service("s000"), 1, 0.5);
        let parts: BTreeMap<_, _> = bars.parts().collect();
        assert_eq!((parts.len(), bars.stored), (MOST_SERVICES + 1, 106));
        assert_eq!(parts["s000"], &BTreeMap::from([(1, 2.0), (2, 0.5)]));
        assert_eq!(parts[OTHERS], &BTreeMap::from([(1, 10.0)]));
        for (part, name) in [
            (Part::Level(4), "ERROR"),
            (Part::Level(99), "none"),
            (Part::Status(Some(404)), "4xx"),
            (Part::Status(Some(7)), "none"),
            (Part::Status(None), "none"),
        ] {
            assert_eq!(part.name(), name);
        }
    }
}
