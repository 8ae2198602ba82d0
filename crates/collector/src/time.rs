//! Time as the collector keeps it: microseconds since the Unix epoch in an `i64`, and UTC days for the files.

use hoplog_entry::EntryId;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds per second.
pub(crate) const SECOND: i64 = 1_000_000;
/// Microseconds per day.
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// Where the time of day comes from; tests move it by hand.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    pub(crate) fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Microseconds since the Unix epoch; 0 for a clock set before it.
    pub(crate) fn now(&self) -> i64 {
        let since = (self.0)().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(SystemTime::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// A UTC day, as the number of days since 1970-01-01. Prints as `2026-01-31`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(pub(crate) i32);

impl Day {
    pub(crate) fn of(micros: i64) -> Self {
        Self(i32::try_from(micros.div_euclid(DAY)).unwrap_or(0))
    }

    /// The day in which an id says that it was made; `None` for an id without a time.
    pub(crate) fn named_by(id: EntryId) -> Option<Self> {
        i64::try_from(id.unix_ms()?).ok()?.checked_mul(1_000).map(Self::of)
    }

    pub(crate) fn back(self, days: u32) -> Self {
        Self(self.0.saturating_sub_unsigned(days))
    }

    /// Reads what `Display` prints.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (year, rest) = number(text, 4)?;
        let (month, rest) = number(rest.strip_prefix('-')?, 2)?;
        let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
        let found = Self(i32::try_from(days_from_civil(year, month, day)?).ok()?);
        rest.is_empty().then_some(found)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(i64::from(self.0));
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Reads an RFC 3339 time with 0 to 9 fraction digits; a blank for the `T` and a missing offset (UTC) are
/// accepted, as several clients write them.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let days = i64::from(Day::parse(date)?.0);
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 2)?;
    let (second, mut rest) = number(rest.strip_prefix(':')?, 2)?;
    // A leap second (60) is read as the first moment after it.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > 9 {
            return None;
        }
        for i in 0..6 {
            let digit = fraction.as_bytes().get(i).filter(|_| i < digits).map_or(0, |d| d - b'0');
            micros = micros * 10 + i64::from(digit);
        }
        rest = fraction.get(digits..)?;
    }
    let offset = match rest {
        "" | "Z" | "z" => 0,
        _ => {
            let (sign, rest) = match rest.split_at_checked(1)? {
                ("+", rest) => (1, rest),
                ("-", rest) => (-1, rest),
                _ => return None,
            };
            let (hours, rest) = number(rest, 2)?;
            let (minutes, rest) = number(rest.strip_prefix(':').unwrap_or(rest), 2)?;
            if hours > 23 || minutes > 59 || !rest.is_empty() {
                return None;
            }
            sign * (hours * 3_600 + minutes * 60)
        }
    };
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second - offset) * SECOND + micros)
}

/// Reads Unix seconds with a fraction, or milliseconds above 1e11 (protocols §1).
pub(crate) fn from_number(number: f64) -> Option<i64> {
    let micros = if number.abs() > 1e11 { number * 1e3 } else { number * 1e6 };
    // 9e18 is below `i64::MAX`; NaN fails the comparison.
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (micros.abs() < 9e18).then(|| micros.round() as i64)
}

/// Appends seconds with just the fraction digits that are needed, as a JSON number.
pub(crate) fn write_seconds(out: &mut String, micros: i64) {
    use fmt::Write as _;
    let (sign, micros) = if micros < 0 { ("-", micros.unsigned_abs()) } else { ("", micros.unsigned_abs()) };
    let (whole, fraction) = (micros / 1_000_000, micros % 1_000_000);
    // Writing to a String does not fail.
    let _ = write!(out, "{sign}{whole}");
    if fraction != 0 {
        let digits = format!("{fraction:06}");
        let _ = write!(out, ".{}", digits.trim_end_matches('0'));
    }
}

fn number(text: &str, digits: usize) -> Option<(i64, &str)> {
    let (head, rest) = text.split_at_checked(digits)?;
    head.bytes().all(|b| b.is_ascii_digit()).then(|| head.parse().ok()).flatten().map(|n| (n, rest))
}

/// Days since 1970-01-01 of a proleptic Gregorian date, by counting in 400-year eras that begin on 1 March.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_centuries_reads_back_from_its_name() {
        let mut last = String::new();
        for n in -150_000..150_000 {
            let name = Day(n).to_string();
            assert!(name > last || n == -150_000, "{name} after {last}");
            assert_eq!(Day::parse(&name), Some(Day(n)), "{name}");
            last = name;
        }
        assert_eq!(Day(0).to_string(), "1970-01-01");
        assert_eq!(Day(20_000).to_string(), "2024-10-04");
        for bad in ["2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-1-01", "", "2024-01-011"] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn rfc_3339_is_read_with_any_fraction_and_offset() {
        let base = 1_700_000_000 * SECOND; // 2023-11-14T22:13:20Z
        for (text, micros) in [
            ("2023-11-14T22:13:20Z", base),
            ("2023-11-14t22:13:20z", base),
            ("2023-11-14 22:13:20", base),
            ("2023-11-15T07:13:20+09:00", base),
            ("2023-11-15T07:13:20+0900", base),
            ("2023-11-14T17:43:20.5-04:30", base + 500_000),
            ("2023-11-14T22:13:20.123456789Z", base + 123_456),
            ("1970-01-01T00:00:00.000001Z", 1),
            ("0001-01-01T00:00:00Z", -62_135_596_800 * SECOND),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_800 * SECOND - 1),
        ] {
            assert_eq!(parse_rfc3339(text), Some(micros), "{text}");
        }
        for bad in ["", "2023-11-14", "2023-11-14T22:13", "2023-11-14T24:00:00Z", "2023-11-14T22:13:20.Z"] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
        for bad in ["2023-11-14T22:13:20.1234567890Z", "2023-11-14T22:13:20+25:00", "2023-11-14T22:13:20é"] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_seconds_or_milliseconds() {
        assert_eq!(from_number(1_700_000_000.123_456), Some(1_700_000_000_123_456));
        assert_eq!(from_number(1_700_000_000_123.0), Some(1_700_000_000_123_000));
        assert_eq!(from_number(-1.5), Some(-1_500_000));
        assert_eq!(from_number(f64::NAN), None);
        assert_eq!(from_number(1e300), None);
    }

    #[test]
    fn seconds_are_written_with_the_digits_they_need() {
        for (micros, text) in
            [(0, "0"), (1, "0.000001"), (1_700_000_000_500_000, "1700000000.5"), (-1_500_000, "-1.5")]
        {
            let mut out = String::new();
            write_seconds(&mut out, micros);
            assert_eq!(out, text);
        }
    }
}
