//! Which entries: the filters of `GET /api/v1/logs` as options. The collector judges their values; only what it does not
//! know, times relative to now, is read here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What an entry must be like; all of it must hold.
#[derive(clap::Args, Debug, Default)]
#[command(next_help_heading = "Filters")]
pub(crate) struct Filters {
    /// The service that it is from.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// TRACE, DEBUG, INFO, WARN, ERROR or FATAL.
    #[arg(long)]
    level: Option<String>,
    /// The path, as it was asked for.
    #[arg(long)]
    path: Option<String>,
    /// The route's template, such as /users/{id}.
    #[arg(long)]
    route: Option<String>,
    /// The method, such as GET.
    #[arg(long)]
    method: Option<String>,
    /// A status such as 404, or a class such as 4xx.
    #[arg(long)]
    status: Option<String>,
    /// The value of x-request-id.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// The user.
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// The session.
    #[arg(long, value_name = "ID")]
    session_id: Option<String>,
    /// The tenant.
    #[arg(long, value_name = "ID")]
    tenant_id: Option<String>,
    /// web, server, app, ….
    #[arg(long, value_name = "TYPE")]
    client_type: Option<String>,
    /// The client's address.
    #[arg(long)]
    ip: Option<String>,
    /// How a request ended: completed, cancelled, body_aborted, service_error, panicked, timed_out, upgraded, process_died.
    #[arg(long)]
    outcome: Option<String>,
    /// request, event, outgoing, running or losses; several with commas between.
    #[arg(long)]
    kind: Option<String>,
    /// Only requests above their service's threshold (true), or only others (false).
    #[arg(long, value_name = "BOOL")]
    slow: Option<String>,
    /// Part of message, path, error type or error message.
    #[arg(short, value_name = "TEXT")]
    q: Option<String>,
    /// A field of one's own, such as order=42; several are allowed.
    #[arg(long, value_name = "NAME=VALUE", value_parser = member)]
    metadata: Vec<(String, String)>,
}

/// Between when and when.
#[derive(clap::Args, Debug, Default)]
#[command(next_help_heading = "Filters")]
pub(crate) struct Period {
    /// From when on: RFC 3339, Unix seconds, or before now, as in -15m (s, m, h, d, w).
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = moment)]
    from: Option<Moment>,
    /// Until when, that moment left out: likewise.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = moment)]
    to: Option<Moment>,
}

/// A time as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Moment {
    /// The collector reads it.
    Said(String),
    /// So long before now.
    Before(Duration),
}

impl Filters {
    /// The parameters of the question.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let named = [
            ("service", &self.service),
            ("level", &self.level),
            ("path", &self.path),
            ("route", &self.route),
            ("method", &self.method),
            ("status", &self.status),
            ("request_id", &self.request_id),
            ("user_id", &self.user_id),
            ("session_id", &self.session_id),
            ("tenant_id", &self.tenant_id),
            ("client_type", &self.client_type),
            ("ip", &self.ip),
            ("outcome", &self.outcome),
            ("kind", &self.kind),
            ("slow", &self.slow),
            ("q", &self.q),
        ];
        let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        named
            .chain(self.metadata.iter().map(|(name, value)| (format!("metadata.{name}"), value.clone())))
            .collect()
    }
}

impl Period {
    /// The parameters of the question, asked at `now`.
    pub(crate) fn pairs(&self, now: SystemTime) -> Vec<(String, String)> {
        let ends = [("from", &self.from), ("to", &self.to)];
        ends.into_iter().filter_map(|(name, at)| Some((name.to_owned(), at.as_ref()?.at(now)))).collect()
    }
}

impl Moment {
    fn at(&self, now: SystemTime) -> String {
        match self {
            Self::Said(text) => text.clone(),
            Self::Before(long) => {
                let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
                format!("{:.6}", now.saturating_sub(*long).as_secs_f64())
            }
        }
    }
}

fn moment(text: &str) -> Result<Moment, String> {
    let Some(ago) = text.strip_prefix('-') else {
        let begins_right = text.starts_with(|c: char| c.is_ascii_digit());
        return begins_right.then(|| Moment::Said(text.to_owned())).ok_or_else(expected);
    };
    let digits = ago.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match ago.strip_prefix(digits) {
        Some("s") => 1,
        Some("m") => 60,
        Some("h") => 3_600,
        Some("d") => 86_400,
        Some("w") => 7 * 86_400,
        _ => return Err(expected()),
    };
    let seconds = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    seconds.map(|s| Moment::Before(Duration::from_secs(s))).ok_or_else(expected)
}

fn expected() -> String {
    "expected a time such as 2026-03-10T12:00:00Z, or one before now such as -15m, -2h, -1d".to_owned()
}

fn member(text: &str) -> Result<(String, String), String> {
    let split = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    split
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "expected name=value".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_or_counted_back_from_now() {
        let now = UNIX_EPOCH + Duration::from_millis(1_773_144_000_500);
        for (text, asked) in [
            ("2026-03-10T12:00:00+02:00", "2026-03-10T12:00:00+02:00"),
            ("1773144000", "1773144000"),
            ("-0s", "1773144000.500000"),
            ("-15m", "1773143100.500000"),
            ("-2h", "1773136800.500000"),
            ("-1d", "1773057600.500000"),
            ("-1w", "1772539200.500000"),
            ("-99999999999d", "0.000000"),
        ] {
            assert_eq!(moment(text).unwrap().at(now), asked, "{text}");
        }
        for wrong in [
            "",
            "-",
            "-m",
            "-15",
            "-15x",
            "-1.5h",
            "--15m",
            "yesterday",
            "-99999999999999999999s",
            "-9999999999999999w",
        ] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_field_of_ones_own_is_asked_for_by_name() {
        assert_eq!(member("order=4=2"), Ok(("order".to_owned(), "4=2".to_owned())));
        for wrong in ["order", "=1", "order="] {
            assert!(member(wrong).is_err(), "{wrong}");
        }
    }
}
