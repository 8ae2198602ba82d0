//! When a file is due: by its size, or because an hour or a day is over.

/// How often a file begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Every {
    Hour,
    Day,
}

/// Where days begin.
#[derive(Debug, Clone, Default)]
pub(crate) enum Zone {
    #[default]
    Utc,
    #[cfg(feature = "local-time")]
    Local(jiff::tz::TimeZone),
    #[cfg(test)]
    By(fn(u64) -> i64),
}

impl Zone {
    #[cfg(feature = "local-time")]
    pub(crate) fn local() -> Self {
        Self::Local(jiff::tz::TimeZone::system())
    }

    /// Seconds to be added to UTC at that moment.
    fn offset(&self, unix: u64) -> i64 {
        match self {
            Self::Utc => {
                let _ = unix;
                0
            }
            #[cfg(feature = "local-time")]
            Self::Local(zone) => i64::try_from(unix)
                .ok()
                .and_then(|unix| jiff::Timestamp::from_second(unix).ok())
                .map_or(0, |at| i64::from(zone.to_offset(at).seconds())),
            #[cfg(test)]
            Self::By(offset) => offset(unix),
        }
    }
}

impl Every {
    /// The number of the hour or day in which a moment lies; it grows with time, but for the hour that is lived twice
    /// when clocks go back.
    pub(crate) fn number(self, unix: u64, zone: &Zone) -> u64 {
        let length = match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
        };
        unix.saturating_add_signed(zone.offset(unix)) / length
    }
}

/// When a file is rotated. The default: never.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rotation {
    pub(crate) max_bytes: Option<u64>,
    pub(crate) every: Option<Every>,
    pub(crate) zone: Zone,
}

impl Rotation {
    /// Whether a file of this length, last written to at `modified`, belongs to an hour or day that is over. An empty
    /// one belongs to none. A clock that was set back rotates nothing.
    pub(crate) fn is_over(&self, len: u64, modified: u64, now: u64) -> bool {
        len > 0
            && self
                .every
                .is_some_and(|every| every.number(now, &self.zone) > every.number(modified, &self.zone))
    }

    /// How many of these lines' bytes a file of this length still takes: whole lines only, 0 if it is to be rotated
    /// first. An empty file takes at least one line, however long that is.
    pub(crate) fn fitting(&self, len: u64, lines: &[u8]) -> usize {
        let Some(max) = self.max_bytes else { return lines.len() };
        let room = usize::try_from(max.saturating_sub(len)).unwrap_or(usize::MAX);
        if lines.len() <= room {
            return lines.len();
        }
        let whole = lines[..room].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        if whole > 0 || len > 0 {
            return whole;
        }
        lines.iter().position(|&byte| byte == b'\n').map_or(lines.len(), |at| at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;
    const DAY: u64 = 24 * HOUR;

    #[test]
    fn hours_and_days_end_where_the_zone_says() {
        let daily = Rotation { every: Some(Every::Day), ..Rotation::default() };
        let hourly = Rotation { every: Some(Every::Hour), ..Rotation::default() };
        let east = Rotation { every: Some(Every::Day), zone: Zone::By(|_| 2 * 3_600), ..Rotation::default() };
        let west =
            Rotation { every: Some(Every::Day), zone: Zone::By(|_| -5 * 3_600), ..Rotation::default() };
        let day = 20_000 * DAY;
        for (rotation, len, modified, now, over) in [
            (&Rotation::default(), 1, day, day + 9 * DAY, false),
            (&daily, 1, day, day + DAY - 1, false),
            (&daily, 1, day + DAY - 1, day + DAY, true),
            (&daily, 0, day, day + 9 * DAY, false),
            (&daily, 1, day + DAY, day, false),
            (&hourly, 1, day, day + HOUR - 1, false),
            (&hourly, 1, day + HOUR - 1, day + HOUR, true),
            (&east, 1, day + 22 * HOUR - 1, day + 22 * HOUR, true),
            (&east, 1, day + DAY - 1, day + DAY, false),
            (&west, 1, day + 5 * HOUR - 1, day + 5 * HOUR, true),
            (&west, 1, day - 1, day, false),
        ] {
            assert_eq!(rotation.is_over(len, modified, now), over, "{rotation:?} {len} {modified} {now}");
        }
    }

    #[test]
    fn a_day_with_a_change_of_clocks_has_one_midnight() {
        // From +1 to +2 hours at 01:00 UTC, and back.
        let forth = Rotation {
            every: Some(Every::Day),
            zone: Zone::By(|unix| if unix % DAY >= HOUR { 7_200 } else { 3_600 }),
            ..Rotation::default()
        };
        let midnights = |r: &Rotation| {
            let of_the_day = (0..DAY).step_by(60).filter(|m| r.is_over(1, 10 * DAY + m, 10 * DAY + m + 60));
            of_the_day.count()
        };
        assert_eq!(midnights(&forth), 1);
        let back =
            Rotation { zone: Zone::By(|unix| if unix % DAY >= HOUR { 3_600 } else { 7_200 }), ..forth };
        assert_eq!(midnights(&back), 1);
    }

    #[cfg(feature = "local-time")]
    #[test]
    fn a_time_zone_of_the_system_has_its_midnights_in_summer_and_in_winter() {
        let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let daily = Rotation { every: Some(Every::Day), zone: Zone::Local(zone), ..Rotation::default() };
        // 2024-07-01T22:00:00Z and 2024-12-01T23:00:00Z
        for midnight in [1_719_871_200, 1_733_094_000] {
            assert!(daily.is_over(1, midnight - 1, midnight));
            assert!(!daily.is_over(1, midnight, midnight + DAY - 1));
            assert!(!daily.is_over(1, midnight - DAY, midnight - 1));
        }
    }

    #[test]
    fn a_file_takes_whole_lines_up_to_its_size_and_an_empty_one_at_least_one() {
        let all = Rotation::default();
        let ten = Rotation { max_bytes: Some(10), ..Rotation::default() };
        for (rotation, len, lines, fits) in [
            (&all, 1 << 40, "aaa\nbbb\n", 8),
            (&ten, 0, "aaa\nbbb\n", 8),
            (&ten, 2, "aaa\nbbb\n", 8),
            (&ten, 3, "aaa\nbbb\n", 4),
            (&ten, 7, "aaa\nbbb\n", 0),
            (&ten, 99, "aaa\n", 0),
            (&ten, 0, "a line of more than ten\nb\n", 24),
            (&ten, 0, "no line feed at all", 19),
        ] {
            assert_eq!(rotation.fitting(len, lines.as_bytes()), fits, "{len} {lines:?}");
        }
    }
}
