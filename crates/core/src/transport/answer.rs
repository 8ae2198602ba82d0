//! What an answer means for the batch it answers.

mod log_collector;
#[cfg(feature = "otlp")]
mod otlp;

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use hoplog_entry::DropReason;
use serde::Deserialize;

#[cfg(feature = "otlp")]
pub(crate) use otlp::remark as otlp_remark;

/// The longest that a server's `Retry-After` is honoured.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// Nothing that hoplog's collector says: something stands before it, or in its place.
const STRANGE: &str = "the endpoint does not answer like a collector; check HOPLOG_ENDPOINT";

/// An HTTP answer, reduced to what matters.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    /// What the server takes (RFC 7694); zstd alone has to be negotiated.
    #[cfg(feature = "zstd")]
    pub(crate) accept_encoding: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// What `Retry-After` asks for.
    fn wait(&self, now: SystemTime) -> Option<Duration> {
        self.retry_after.as_deref().and_then(|text| retry_after(text, now))
    }
}

/// What to do with the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is stored; these counts add up to the batch.
    Delivered { stored: u64, duplicates: u64, rejected: u64 },
    /// Send the same bytes again, not before the server's own wait is over.
    Retry { after: Option<Duration>, cause: Cause, why: Cow<'static, str> },
    /// It will not be taken as long as the configuration is what it is: keep it, try rarely, say so.
    Paused { why: Cow<'static, str> },
    /// It will never be taken.
    #[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "only OTLP forbids to ask again"))]
    Refused { why: &'static str, reason: DropReason },
    /// One of its entries may be to blame: it is sent in parts, down to that one. `sure`: if it is refused by itself,
    /// it is to blame and not the server.
    Spoiled { why: &'static str, sure: bool, reason: DropReason },
}

/// What stood in the way of a batch that is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The server itself, or it was lost on the way: five in a row, of these and of those below, open the breaker.
    Away,
    /// Nothing got so far as to the server.
    Unreachable,
    /// The server works, and asks to slow down.
    Throttled,
    /// It answered as no server of its kind does: the batch may be stored or not.
    BadAnswer,
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
    fn retry(after: Option<Duration>, cause: Cause, why: &'static str) -> Self {
        Self::Retry { after, cause, why: why.into() }
    }

    fn paused(why: &'static str) -> Self {
        Self::Paused { why: why.into() }
    }

    /// The answer of hoplog's collector to a batch of `entries`.
    pub(crate) fn of_native(answer: &Answer, entries: u64, now: SystemTime) -> Self {
        let after = || answer.wait(now);
        match answer.status {
            200..=299 => Self::of_body(&answer.body, entries),
            408 | 425 => Self::retry(None, Cause::Throttled, "the collector timed out"),
            429 => Self::retry(after(), Cause::Throttled, "the collector asks to slow down"),
            501 | 505 => Self::paused("the endpoint does not take this request; check HOPLOG_ENDPOINT"),
            500..=599 => Self::retry(after(), Cause::Away, "the collector cannot store at the moment"),
            401 | 403 => Self::paused("the collector refused the key; check HOPLOG_API_KEY and its scope"),
            404 | 405 => Self::paused("there is no collector at the endpoint; check HOPLOG_ENDPOINT"),
            300..=399 => Self::paused("the endpoint redirects, which is not followed; check HOPLOG_ENDPOINT"),
            413 => Self::Spoiled {
                why: "the collector found an entry too large",
                sure: true,
                reason: DropReason::EntryTooLarge,
            },
            400 | 422 => {
                let why = "the collector refused an entry";
                Self::Spoiled { why, sure: true, reason: DropReason::Poison }
            }
            409 => match Self::of_body(&answer.body, entries) {
                had_before @ Self::Delivered { .. } => had_before,
                _ => Self::paused(STRANGE),
            },
            _ => Self::paused(STRANGE),
        }
    }

    fn of_body(body: &[u8], entries: u64) -> Self {
        let unusable = || Self::retry(None, Cause::BadAnswer, "the answer does not add up");
        let Ok(body) = serde_json::from_slice::<Body>(body) else { return unusable() };
        match body {
            Body { accepted: Some(stored), duplicates, rejected, .. } => {
                let duplicates = duplicates.unwrap_or(0);
                let rejected = rejected.map_or(0, |r| r.len() as u64);
                if stored.checked_add(duplicates).and_then(|n| n.checked_add(rejected)) == Some(entries) {
                    Self::Delivered { stored, duplicates, rejected }
                } else {
                    unusable()
                }
            }
            // An old log-collector server says how many it took and nothing else.
            Body { count: Some(count), .. } if count == entries => {
                Self::Delivered { stored: count, duplicates: 0, rejected: 0 }
            }
            _ => unusable(),
        }
    }
}

/// Whether an `Accept-Encoding` (RFC 9110 §12.5.3, in an answer by RFC 7694) names a coding, and not to forbid it. `*`
/// names none.
#[cfg(feature = "zstd")]
pub(crate) fn accepts(list: &str, coding: &str) -> bool {
    list.split(',').any(|each| {
        let mut parts = each.split(';').map(str::trim);
        let weight = |part: &str| part.strip_prefix("q=").or(part.strip_prefix("Q="))?.parse::<f32>().ok();
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding))
            && parts.find_map(weight).is_none_or(|q| q > 0.0)
    })
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

/// A `Retry-After` that is a date, in seconds from the answer's own `Date` on: the clock here may be another.
pub(super) fn by_the_servers_clock(retry_after: String, date: Option<&str>) -> String {
    match (http_date(&retry_after), date.and_then(http_date)) {
        (Some(until), Some(now)) => until.duration_since(now).unwrap_or_default().as_secs().to_string(),
        _ => retry_after,
    }
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
mod tests;
