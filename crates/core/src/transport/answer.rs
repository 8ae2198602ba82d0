//! What an answer means for the batch it answers.

use std::time::{Duration, SystemTime};

use serde::Deserialize;

/// The longest that a server's `Retry-After` is honoured.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// An HTTP answer, reduced to what matters.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// What to do with the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is stored; these counts add up to the batch.
    Delivered { stored: u64, duplicates: u64, rejected: u64 },
    /// Send the same bytes again, not before the server's own wait is over.
    Retry { after: Option<Duration>, why: &'static str },
    /// It will not be taken as long as the configuration is what it is: keep it, try rarely, say so.
    Paused { why: &'static str },
    /// It will never be taken.
    Refused { why: &'static str },
}

/// The native answer; every other key is ignored.
#[derive(Deserialize)]
struct Body {
    count: Option<u64>,
    accepted: Option<u64>,
    duplicates: Option<u64>,
    rejected: Option<Vec<serde::de::IgnoredAny>>,
}

impl Verdict {
    /// The answer's meaning for a batch of `entries`.
    pub(crate) fn of(answer: &Answer, entries: u64, now: SystemTime) -> Self {
        let after = || answer.retry_after.as_deref().and_then(|text| retry_after(text, now));
        match answer.status {
            200..=299 => Self::of_body(&answer.body, entries),
            408 | 425 => Self::Retry { after: None, why: "the collector timed out" },
            429 => Self::Retry { after: after(), why: "the collector asks to slow down" },
            501 | 505 => Self::Paused { why: "the endpoint does not take this request; check the endpoint" },
            500..=599 => Self::Retry { after: after(), why: "the collector cannot store at the moment" },
            401 | 403 => {
                Self::Paused { why: "the collector refused the key; check HOPLOG_API_KEY and its scope" }
            }
            404 | 405 => Self::Paused { why: "there is no collector at the endpoint; check HOPLOG_ENDPOINT" },
            300..=399 => {
                Self::Paused { why: "the endpoint redirects, which is not followed; check HOPLOG_ENDPOINT" }
            }
            413 => Self::Refused { why: "the collector found the batch too large" },
            _ => Self::Refused { why: "the collector refused the batch" },
        }
    }

    fn of_body(body: &[u8], entries: u64) -> Self {
        const UNUSABLE: Verdict = Verdict::Retry { after: None, why: "the answer does not add up" };
        let Ok(body) = serde_json::from_slice::<Body>(body) else { return UNUSABLE };
        match body {
            Body { accepted: Some(stored), duplicates, rejected, .. } => {
                let duplicates = duplicates.unwrap_or(0);
                let rejected = rejected.map_or(0, |r| r.len() as u64);
                if stored.checked_add(duplicates).and_then(|n| n.checked_add(rejected)) == Some(entries) {
                    Self::Delivered { stored, duplicates, rejected }
                } else {
                    UNUSABLE
                }
            }
            // An old log-collector server says how many it took and nothing else.
            Body { count: Some(count), .. } if count == entries => {
                Self::Delivered { stored: count, duplicates: 0, rejected: 0 }
            }
            _ => UNUSABLE,
        }
    }
}

/// RFC 9110 §10.2.3: seconds, or an HTTP date. Nonsense counts as absent; more than 15 minutes as 15 minutes.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => http_date(text)?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(LONGEST_WAIT))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7; the obsolete forms are not read).
fn http_date(text: &str) -> Option<SystemTime> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day: u64 = parts.next()?.parse().ok()?;
    let month = parts.next()?;
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|m| *m == month)? as u64 + 1;
    let year: u64 = parts.next().filter(|y| y.len() == 4)?.parse().ok()?;
    let mut clock = parts.next()?.split(':').map(str::parse::<u64>);
    let (h, m, s) = (clock.next()?.ok()?, clock.next()?.ok()?, clock.next()?.ok()?);
    if parts.next()? != "GMT" || year < 1970 || day == 0 || day > 31 || h > 23 || m > 59 || s > 60 {
        return None;
    }
    // Days from the epoch for the civil date, counted in years that begin in March.
    let (y, m2) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m2 + 2) / 5 + day - 1 - 719_468;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400 + h * 3_600 + m * 60 + s))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, retry_after: Option<&str>, body: &str) -> Verdict {
        let answer =
            Answer { status, retry_after: retry_after.map(Into::into), body: body.as_bytes().to_vec() };
        // 06 Nov 1994 08:49:07 GMT
        Verdict::of(&answer, 3, SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_747))
    }

    fn wait(text: &str) -> Option<u64> {
        match verdict(503, Some(text), "") {
            Verdict::Retry { after, .. } => after.map(|d| d.as_secs()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_counts_only_if_its_sums_are_right() {
        let delivered = |stored, duplicates, rejected| Verdict::Delivered { stored, duplicates, rejected };
        assert_eq!(verdict(200, None, r#"{"accepted":3,"duplicates":0,"rejected":[]}"#), delivered(3, 0, 0));
        assert_eq!(
            verdict(200, None, r#"{"accepted":1,"duplicates":1,"rejected":[{"index":2}]}"#),
            delivered(1, 1, 1)
        );
        assert_eq!(verdict(202, None, r#"{"status":"ok","count":3}"#), delivered(3, 0, 0));
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"accepted":2}"#,
            r#"{"count":2}"#,
            r#"{"accepted":18446744073709551615,"duplicates":4}"#,
            "<html>",
        ] {
            assert!(matches!(verdict(200, None, bad), Verdict::Retry { .. }), "{bad}");
        }
    }

    #[test]
    fn each_status_has_its_verdict() {
        for (status, expected) in [
            (408, "retry"),
            (425, "retry"),
            (429, "retry"),
            (500, "retry"),
            (502, "retry"),
            (503, "retry"),
            (504, "retry"),
            (507, "retry"),
            (599, "retry"),
            (301, "paused"),
            (401, "paused"),
            (403, "paused"),
            (404, "paused"),
            (405, "paused"),
            (501, "paused"),
            (400, "refused"),
            (413, "refused"),
            (415, "refused"),
            (422, "refused"),
            (101, "refused"),
        ] {
            let got = match verdict(status, None, "") {
                Verdict::Delivered { .. } => "delivered",
                Verdict::Retry { .. } => "retry",
                Verdict::Paused { .. } => "paused",
                Verdict::Refused { .. } => "refused",
            };
            assert_eq!(got, expected, "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date_and_capped() {
        assert_eq!(wait("7"), Some(7));
        assert_eq!(wait(" 0 "), Some(0));
        assert_eq!(wait("86400"), Some(900));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(30));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0), "in the past");
        assert_eq!(wait("Thu, 29 Feb 2024 00:00:00 GMT"), Some(900));
        for nonsense in
            ["-1", "soon", "1.5", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", ""]
        {
            assert_eq!(wait(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn http_dates_are_the_right_second() {
        let unix = |text| http_date(text).unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(unix("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
        assert_eq!(unix("Thu, 29 Feb 2024 12:00:00 GMT"), 1_709_208_000);
        assert_eq!(unix("Sun, 06 Nov 1994 08:49:37 GMT"), 784_111_777);
    }
}
