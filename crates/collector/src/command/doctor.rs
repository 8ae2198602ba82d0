//! `hoplog doctor`: what is wrong, in sentences, and what to do about it.
//!
//! Exit codes: 0 nothing is wrong; 1 something is; 2 a wrong call.

use super::serve::Flags;
use clap::Args;
use hoplog_entry::{ApiKey, NotAnApiKey, Visible};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Looks at a configuration, a data directory and a running collector, and says what is wrong and what to do.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The collector's address; without one, only this machine is looked at.
    #[arg(long, value_name = "URL", env = "HOPLOG_ENDPOINT")]
    url: Option<String>,
    /// A key to try.
    #[arg(long, value_name = "KEY", env = "HOPLOG_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    #[command(flatten)]
    flags: Flags,
}

/// A clock that is off by more than this many seconds mixes up the order of entries.
const SKEW: i64 = 5;

/// What was found.
#[derive(Default)]
struct Findings {
    lines: Vec<String>,
    wrong: bool,
}

impl Findings {
    fn fine(&mut self, what: impl AsRef<str>) {
        self.lines.push(format!("ok     {}", Visible(what.as_ref())));
    }

    fn doubtful(&mut self, what: impl AsRef<str>) {
        self.lines.push(format!("doubt  {}", Visible(what.as_ref())));
    }

    fn wrong(&mut self, what: impl AsRef<str>) {
        self.wrong = true;
        self.lines.push(format!("wrong  {}", Visible(what.as_ref())));
    }
}

impl Doctor {
    pub(crate) async fn run(self) -> ExitCode {
        let mut found = Findings::default();
        match self.flags.settings() {
            Ok(effective) => {
                found.fine("the configuration can be read; `hoplog config check` shows it");
                match effective.data_directory() {
                    Ok(directory) => look_at(&directory, &mut found),
                    Err(error) => found.wrong(error.to_string()),
                }
                match effective.database().await {
                    Ok(parts) => parts.iter().for_each(|part| database(part, &mut found)),
                    Err(error) => found.wrong(error.to_string()),
                }
            }
            Err(complaints) => complaints.lines().for_each(|line| found.wrong(line)),
        }
        let key = self.api_key.filter(|key| !key.is_empty());
        if key.as_deref().map(ApiKey::parse) == Some(Err(NotAnApiKey::Damaged)) {
            found.wrong("the key is mistyped or cut off: its checksum does not fit; copy it again");
        }
        match &self.url {
            Some(url) => ask(url.trim_end_matches('/'), key.as_deref(), &mut found).await,
            None => found.doubtful("no collector was asked: pass --url http://127.0.0.1:8000"),
        }
        // With stdout gone there is nobody to tell but by the exit code.
        let _ = writeln!(std::io::stdout(), "{}", found.lines.join("\n"));
        if found.wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

fn look_at(directory: &Path, found: &mut Findings) {
    let shown = directory.display();
    let metadata = match fs::metadata(directory) {
        Ok(metadata) => metadata,
        Err(error) => {
            return found.doubtful(format!("{shown}: {error}; `hoplog serve` makes the directory"));
        }
    };
    if metadata.mode() & 0o077 != 0 {
        found.wrong(format!(
            "others may read {shown} (mode {:03o}): chmod 700 {shown}",
            metadata.mode() & 0o777
        ));
    }
    match rustix::fs::statvfs(directory) {
        Ok(space) if space.f_bavail * 100 < space.f_blocks * 5 => found.wrong(format!(
            "the disk of {shown} has {} MiB free, less than 5 %: entries are refused with 507 at the floor; free some or keep \
             fewer (`retention.bytes`)",
            (space.f_bavail * space.f_frsize) >> 20
        )),
        Ok(space) => {
            found.fine(format!("the disk of {shown} has {} MiB free", (space.f_bavail * space.f_frsize) >> 20));
        }
        Err(error) => found.doubtful(format!("the disk of {shown} does not say how much is free: {error}")),
    }
    let names = fs::read_dir(directory).into_iter().flatten().flatten();
    let days = names.filter(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name.starts_with("logs-") && name.ends_with(".db"))
    });
    let (mut whole, mut newer) = (0, 0);
    for day in days {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let layout = rusqlite::Connection::open_with_flags(day.path(), flags)
            .and_then(|file| file.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)));
        match layout {
            Ok(layout) if layout > hoplog_collector::STORE_LAYOUT => newer += 1,
            Ok(_) => whole += 1,
            Err(error) => found.wrong(format!(
                "{} cannot be read ({error}): the next start sets it aside and goes on without it",
                day.path().display()
            )),
        }
    }
    match newer {
        0 if whole == 0 => {}
        0 => found.fine(format!("{whole} days of entries have a layout that this hoplog knows")),
        _ => found.wrong(format!("{newer} days of entries were written by a newer hoplog: run that one")),
    }
}

/// A part of a database.
fn database((part, complaints): &(String, Vec<String>), found: &mut Findings) {
    if complaints.is_empty() {
        found.fine(format!("PostgreSQL, {part}: nothing is wrong"));
    }
    for complaint in complaints {
        found.wrong(format!("PostgreSQL, {part}: {complaint}"));
    }
}

async fn ask(url: &str, key: Option<&str>, found: &mut Findings) {
    let client = match Client::builder().timeout(Duration::from_secs(5)).build() {
        Ok(client) => client,
        Err(error) => return found.wrong(format!("no client for HTTP: {error}")),
    };
    let alive = match client.get(format!("{url}/healthz")).send().await {
        Ok(answer) => answer,
        Err(error) => return found.wrong(unreachable(url, &error)),
    };
    match alive.status() {
        StatusCode::OK => found.fine(format!("{url} answers")),
        StatusCode::MISDIRECTED_REQUEST => found.wrong(format!(
            "{url} is a name that it does not answer to without a key: allow it with --allow-host, or use a key"
        )),
        status => found.wrong(format!("{url} answers /healthz with {status}: is it hoplog that listens there?")),
    }
    let date = alive.headers().get("date").and_then(|date| httpdate(date.to_str().ok()?));
    match date.map(|date| date - now()) {
        Some(skew) if skew.abs() > SKEW => found.wrong(format!(
            "the collector's clock is {} s {} this machine's: set both by NTP, or entries stand in a wrong order",
            skew.abs(),
            if skew > 0 { "ahead of" } else { "behind" }
        )),
        Some(_) => found.fine("its clock and this machine's agree"),
        None => found.doubtful("it does not say what time it is"),
    }
    if let Ok(ready) = client.get(format!("{url}/readyz")).send().await {
        let (status, body) = (ready.status(), json(ready).await);
        match status {
            StatusCode::OK => found.fine("it takes entries"),
            _ => found.wrong(format!(
                "it does not take entries now: {}",
                body["detail"].as_str().unwrap_or("no word why")
            )),
        }
        for warning in body["warnings"].as_array().into_iter().flatten() {
            found.doubtful(warning.as_str().unwrap_or_default());
        }
    }
    let here = ["http://127.", "http://localhost", "http://[::1]"].iter().any(|start| url.starts_with(start));
    match key {
        Some(_) if url.starts_with("http:") && !here => {
            found.wrong("the key would go there in the clear: use https");
        }
        key => try_key(&client, url, key, found).await,
    }
}

async fn try_key(client: &Client, url: &str, key: Option<&str>, found: &mut Findings) {
    let with = |request: reqwest::RequestBuilder| match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    let whose = if key.is_some() { "the key" } else { "whoever has no key" };
    let body = (reqwest::header::CONTENT_TYPE, "application/json");
    let sends =
        with(client.post(format!("{url}/logs"))).header(body.0, body.1).body(r#"{"logs":[]}"#).send().await;
    match sends.map(|answer| answer.status()) {
        Ok(StatusCode::OK) => found.fine(format!("{whose} may send entries")),
        Ok(StatusCode::UNAUTHORIZED) if key.is_none() => {
            return found.doubtful("a key is needed: pass --api-key, or make one with `hoplog keys create`");
        }
        Ok(StatusCode::UNAUTHORIZED) => {
            return found.wrong("the key is not valid: it is unknown, revoked, expired, or not for this address; `hoplog keys \
                                list` on the collector's machine says which");
        }
        Ok(StatusCode::FORBIDDEN) => {
            found.doubtful(format!("{whose} may not send entries: it takes the scope ingest"));
        }
        Ok(StatusCode::TOO_MANY_REQUESTS) => {
            found.wrong("too much was asked from here: wait a minute and look again")
        }
        Ok(status) => found.wrong(format!("sending is answered with {status}")),
        Err(error) => found.wrong(unreachable(url, &error)),
    }
    let asks = with(client.get(format!("{url}/api/v1/logs?limit=500"))).send().await;
    match asks {
        Ok(answer) if answer.status() == StatusCode::OK => {
            found.fine(format!("{whose} may ask"));
            let logs = json(answer).await;
            secrets(logs["logs"].as_array().map_or(&[], Vec::as_slice), found);
        }
        Ok(answer) if answer.status() == StatusCode::FORBIDDEN => {
            found.doubtful(format!("{whose} may not ask: it takes the scope query"));
        }
        Ok(answer) => found.wrong(format!("asking is answered with {}", answer.status())),
        Err(error) => found.wrong(unreachable(url, &error)),
    }
}

/// Services whose latest entries hold what looks like a secret.
fn secrets(logs: &[Value], found: &mut Findings) {
    let mut services = BTreeSet::new();
    for entry in logs {
        if leaks(entry, 0) {
            services.insert(entry["service"].as_str().unwrap_or("unknown").to_owned());
        }
    }
    match services.len() {
        0 => found.fine(format!("none of the latest {} entries holds what looks like a secret", logs.len())),
        _ => found.wrong(format!(
            "{} sends what looks like a secret (authorization, cookie, password or a token): turn redaction on in that client, \
             and change the secret",
            services.into_iter().collect::<Vec<_>>().join(", ")
        )),
    }
}

fn leaks(value: &Value, depth: usize) -> bool {
    const NAMES: [&str; 7] =
        ["authorization", "cookie", "set-cookie", "password", "passwd", "x-api-key", "x-api-secret"];
    match value {
        Value::Object(members) if depth < 8 => members.iter().any(|(name, value)| {
            let text = match value {
                Value::Array(values) => values.first().unwrap_or(&Value::Null),
                value => value,
            };
            let open = text.as_str().is_some_and(|text| !text.is_empty() && !text.starts_with('['));
            NAMES.contains(&name.to_ascii_lowercase().as_str()) && open || leaks(value, depth + 1)
        }),
        Value::Array(values) if depth < 8 => values.iter().any(|value| leaks(value, depth + 1)),
        Value::String(text) => text.split_whitespace().any(|word| {
            word.len() > 20
                && (word.starts_with("eyJ") && word.matches('.').count() == 2 || ApiKey::parse(word).is_ok())
        }),
        _ => false,
    }
}

/// A body as JSON; null where it is none.
async fn json(answer: reqwest::Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.unwrap_or_default()).unwrap_or_default()
}

fn unreachable(url: &str, error: &reqwest::Error) -> String {
    let cause = std::iter::successors(std::error::Error::source(error), |cause| cause.source()).last();
    let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
    let advice = match (error.is_timeout(), error.is_connect()) {
        (true, _) => "it did not answer within 5 s: look at its load, and for a firewall between",
        (_, true) => "start it with `hoplog serve`, or correct the address, port and scheme",
        _ => "is it hoplog that listens there?",
    };
    format!("{url} cannot be reached ({cause}): {advice}")
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
fn httpdate(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = 1 + MONTHS.iter().position(|name| *name == month)?;
    let mut time = time.split(':').map(|part| part.parse::<u64>().ok());
    let civil = hoplog_entry::Civil {
        year: year.parse().ok()?,
        month: u64::try_from(month).ok()?,
        day: day.parse().ok()?,
        hour: time.next()??,
        minute: time.next()??,
        second: time.next()??,
    };
    civil.to_unix().and_then(|seconds| i64::try_from(seconds).ok())
}
