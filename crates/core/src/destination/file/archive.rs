//! Archives: what rotated files are called, and which of them go.
//!
//! `shop.jsonl` becomes `shop.jsonl.20250601T215959Z`, after its last write in UTC, so that names sort by time whatever
//! the zone; `-2` and so on where that is taken; `.gz` once it is compressed, `.gz.tmp` while it is being.

use std::cmp::Reverse;
use std::time::Duration;

use super::Keep;
use hoplog_entry::Civil;

/// A file that was rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Archive {
    /// Seconds since the Unix epoch of its last write.
    until: u64,
    /// From 1 on.
    number: u32,
}

/// In which state it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Plain,
    Gzip,
    /// Being compressed, or left from an attempt that did not end.
    Unfinished,
}

impl Archive {
    /// The first name for a file that was last written to at `until`.
    pub(super) fn new(until: u64) -> Self {
        Self { until, number: 1 }
    }

    /// The next name to try.
    pub(super) fn next(self) -> Self {
        Self { number: self.number.saturating_add(1), ..self }
    }

    /// Its name as a rotated file of `base`.
    pub(super) fn name(self, base: &str, state: State) -> String {
        let c = Civil::from_unix(self.until);
        let number = if self.number > 1 { format!("-{}", self.number) } else { String::new() };
        let suffix = match state {
            State::Plain => "",
            State::Gzip => ".gz",
            State::Unfinished => ".gz.tmp",
        };
        format!(
            "{base}.{:04}{:02}{:02}T{:02}{:02}{:02}Z{number}{suffix}",
            c.year, c.month, c.day, c.hour, c.minute, c.second
        )
    }

    /// Reads such a name; `None` for every other file. A file that is read wrongly would be one that is removed
    /// wrongly, so only names that would be written just so are read.
    pub(super) fn parse(base: &str, name: &str) -> Option<(Self, State)> {
        let rest = name.strip_prefix(base)?.strip_prefix('.')?;
        let (rest, state) = match (rest.strip_suffix(".gz.tmp"), rest.strip_suffix(".gz")) {
            (Some(rest), _) => (rest, State::Unfinished),
            (_, Some(rest)) => (rest, State::Gzip),
            _ => (rest, State::Plain),
        };
        let (stamp, number) = match rest.split_once('-') {
            Some((stamp, number)) => (stamp, number.parse().ok()?),
            None => (rest, 1),
        };
        let number_at = |range: std::ops::Range<usize>| stamp.get(range)?.parse().ok();
        let civil = Civil {
            year: number_at(0..4)?,
            month: number_at(4..6)?,
            day: number_at(6..8)?,
            hour: number_at(9..11)?,
            minute: number_at(11..13)?,
            second: number_at(13..15)?,
        };
        let archive = Self { until: civil.to_unix()?, number };
        (archive.name(base, state) == name).then_some((archive, state))
    }
}

/// Of the files of a directory, those to remove: archives of `base` that are too many or too old, in every state, and
/// what is left of attempts to compress an archive that is not there any more.
pub(super) fn surplus<'a>(names: &'a [String], base: &str, keep: Keep, now: u64) -> Vec<&'a str> {
    let found: Vec<(Archive, State, &str)> = names
        .iter()
        .filter_map(|name| Archive::parse(base, name).map(|(archive, state)| (archive, state, name.as_str())))
        .collect();
    let mut archives: Vec<Archive> = found
        .iter()
        .filter(|(_, state, _)| *state != State::Unfinished)
        .map(|(archive, ..)| *archive)
        .collect();
    // What bears a time that is still to come was named by a clock that has been set back since. It ranks last: what is
    // archived now must not be the first to go.
    archives.sort_unstable_by_key(|archive| Reverse((archive.until <= now, *archive)));
    archives.dedup();
    let oldest = now.saturating_sub(keep.age.map_or(now, |age: Duration| age.as_secs()));
    archives.truncate(keep.files);
    archives.retain(|archive| archive.until >= oldest);
    let stays = |archive: &Archive| archives.contains(archive);
    found.iter().filter(|(archive, ..)| !stays(archive)).map(|(.., name)| *name).collect()
}

/// Of the files of a directory, the archives of `base` that are not compressed yet.
pub(super) fn plain(names: &[String], base: &str) -> Vec<Archive> {
    let archives = names.iter().filter_map(|name| Archive::parse(base, name));
    archives.filter(|(_, state)| *state == State::Plain).map(|(archive, _)| archive).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: &str = "shop.jsonl";

    #[test]
    fn names_sort_by_time_and_nobody_elses_file_is_taken_for_an_archive() {
        let archive = Archive::new(1_709_210_096);
        assert_eq!(archive.name(BASE, State::Plain), "shop.jsonl.20240229T123456Z");
        assert_eq!(archive.next().name(BASE, State::Gzip), "shop.jsonl.20240229T123456Z-2.gz");
        for other in [
            "shop.jsonl",
            "shop.jsonl.1",
            "shop.jsonl.gz",
            "shop.jsonl.20240230T123456Z",
            "shop.jsonl.20240229T123456",
            "shop.jsonl.20240229T123456Z-1",
            "shop.jsonl.20240229T123456Z-02",
            "shop.jsonl.20240229T123456Z.bz2",
            "shop.jsonl.+0240229T123456Z",
            "shop.jsonl.p7.20240229T123456Z",
            "other.jsonl.20240229T123456Z",
            "shop.jsonl.20240229T12345ä",
        ] {
            assert_eq!(Archive::parse(BASE, other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_name_reads_back(until in 0u64..253_402_300_800, number in 1u32..99) {
            for state in [State::Plain, State::Gzip, State::Unfinished] {
                let archive = Archive { until, number };
                prop_assert_eq!(Archive::parse(BASE, &archive.name(BASE, state)), Some((archive, state)));
            }
        }

        #[test]
        fn any_name_is_read_or_refused(name in ".{0,40}") {
            let _ = Archive::parse(BASE, &format!("{BASE}.{name}"));
        }
    }

    #[test]
    fn the_newest_stay_and_the_too_old_go() {
        let at = |hour: u64, state| Archive::new(hour * 3_600).name(BASE, state);
        let names = vec![
            BASE.to_owned(),
            "passwd".to_owned(),
            at(1, State::Gzip),
            at(2, State::Gzip),
            at(2, State::Plain),
            at(3, State::Plain),
            at(3, State::Unfinished),
            at(9, State::Unfinished),
            at(4, State::Gzip),
        ];
        let keep =
            |files, hours: Option<u64>| Keep { files, age: hours.map(|h| Duration::from_secs(h * 3_600)) };
        let gone = |keep| surplus(&names, BASE, keep, 5 * 3_600);
        assert_eq!(gone(keep(9, None)), [&names[7]]);
        assert_eq!(gone(keep(3, None)), [&names[2], &names[7]]);
        assert_eq!(gone(keep(2, None)), [&names[2], &names[3], &names[4], &names[7]]);
        assert_eq!(gone(keep(9, Some(2))), [&names[2], &names[3], &names[4], &names[7]]);
        assert_eq!(gone(keep(0, None)).len(), names.len() - 2);
        let back = surplus(&names, BASE, keep(2, None), 3 * 3_600);
        assert_eq!(back, [&names[2], &names[7], &names[8]], "a clock set back does not cost what is new");
        assert_eq!(plain(&names, BASE), [Archive::new(2 * 3_600), Archive::new(3 * 3_600)]);
    }
}
