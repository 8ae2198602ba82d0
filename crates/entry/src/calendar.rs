//! Dates out of seconds, and back: the proleptic Gregorian calendar, for file names and readable times.

use std::fmt;

const DAY: u64 = 86_400;

/// A moment in UTC, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// The year, from 1970 on.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    /// 0 to 23.
    pub hour: u64,
    /// 0 to 59.
    pub minute: u64,
    /// 0 to 59; there are no leap seconds.
    pub second: u64,
}

impl Civil {
    /// Seconds since the Unix epoch.
    #[must_use]
    pub fn from_unix(seconds: u64) -> Self {
        let (days, time) = (seconds / DAY, seconds % DAY);
        // Years begin in March, so that the leap day is the last one; eras of 400 years are all alike.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: of_year - (153 * from_march + 2) / 5 + 1,
            hour: time / 3_600,
            minute: time / 60 % 60,
            second: time % 60,
        }
    }

    /// The seconds since the Unix epoch; `None` where there is no such moment, or it is before 1970.
    #[must_use]
    pub fn to_unix(self) -> Option<u64> {
        let in_range = (1970..10_000).contains(&self.year) && (1..=12).contains(&self.month) && self.day >= 1;
        if !in_range {
            return None;
        }
        let year = self.year - u64::from(self.month <= 2);
        let (era, year_of_era) = (year / 400, year % 400);
        let from_march = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let of_year = (153 * from_march + 2) / 5 + self.day - 1;
        let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        let unix = days.checked_sub(719_468)? * DAY + self.hour * 3_600 + self.minute * 60 + self.second;
        // Days, hours and so on that are out of range come out as another moment.
        (Self::from_unix(unix) == self).then_some(unix)
    }
}

/// RFC 3339, without fraction and zone: `2025-06-01T13:05:09`.
impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_moments_are_their_dates() {
        for (unix, text) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_709_210_096, "2024-02-29T12:34:56"),
            (4_107_542_400, "2100-03-01T00:00:00"),
        ] {
            assert_eq!(Civil::from_unix(unix).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn every_second_reads_back(unix in 0u64..253_402_300_800) {
            prop_assert_eq!(Civil::from_unix(unix).to_unix(), Some(unix));
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        let day = Civil { year: 2023, month: 2, day: 29, hour: 0, minute: 0, second: 0 };
        assert_eq!(day.to_unix(), None);
        assert_eq!(Civil { day: 28, hour: 24, ..day }.to_unix(), None);
        assert_eq!(Civil { month: 13, day: 1, ..day }.to_unix(), None);
        assert_eq!(Civil { year: 1969, month: 12, day: 31, ..day }.to_unix(), None);
    }
}
