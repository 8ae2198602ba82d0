//! What a request's head tells between the lines: the kind of its client, where that comes from, and the version of
//! the API that it speaks.

use hoplog_entry::{Field, KnownHeader, RecordWriter};

use super::trust::printable;
use crate::pipeline::Pipeline;
use crate::redact::{REDACTED, Verdict};

/// The headers that it is told by, at most one value of each.
#[derive(Debug, Default)]
struct Hints<'h> {
    user_agent: &'h [u8],
    referer: Option<&'h [u8]>,
    origin: Option<&'h [u8]>,
    client_type: Option<&'h [u8]>,
    caller: [Option<&'h [u8]>; 2],
    mini_program: [Option<&'h [u8]>; 2],
    app: [Option<&'h [u8]>; 3],
}

/// No user agent is read beyond this.
const MAX_USER_AGENT: usize = 2 * 1024;

/// Writes them all; an origin that is unknown and a version that is none are left out.
#[cold] // where it is not asked for it does not lie in the way
pub(super) fn write<'h>(
    record: &mut RecordWriter,
    pipeline: &Pipeline,
    path: &str,
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
) {
    if let Some(version) = api_version(path) {
        record.text(Field::ApiVersion, version);
    }
    let hints = Hints::of(headers);
    let kind = hints.client_type();
    record.text(Field::ClientType, &pipeline.redactor.text(kind));
    match kind {
        "web" => write_web_origin(record, pipeline, &hints),
        "miniprogram" => write_origin(record, pipeline, kind, &hints.mini_program, ""),
        "app" => write_origin(record, pipeline, kind, &hints.app, "/"),
        "server" => write_origin(record, pipeline, kind, &hints.caller, "/"),
        _ => {}
    }
}

/// `v1` of `/api/v1` and `/api/v1/…`.
fn api_version(path: &str) -> Option<&str> {
    let version = path.strip_prefix("/api/")?.split('/').next()?;
    let digits = version.strip_prefix('v')?;
    ((1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())).then_some(version)
}

impl<'h> Hints<'h> {
    fn of(headers: impl Iterator<Item = (&'h str, &'h [u8])>) -> Self {
        let mut hints = Self::default();
        for (name, value) in headers {
            let slot = match name {
                "user-agent" => {
                    hints.user_agent = &value[..value.len().min(MAX_USER_AGENT)];
                    continue;
                }
                "referer" => &mut hints.referer,
                "origin" => &mut hints.origin,
                "x-client-type" => &mut hints.client_type,
                "x-caller-service" => &mut hints.caller[0],
                "x-caller-version" => &mut hints.caller[1],
                "x-miniprogram-appid" => &mut hints.mini_program[0],
                "x-miniprogram-path" => &mut hints.mini_program[1],
                "x-app-name" => &mut hints.app[0],
                "x-app-version" => &mut hints.app[1],
                "x-app-scene" => &mut hints.app[2],
                _ => continue,
            };
            *slot = Some(value);
        }
        hints
    }

    fn client_type(&self) -> &'h str {
        if let Some(said) = self.client_type.and_then(word) {
            said
        } else if is_mini_program(self.user_agent) {
            "miniprogram"
        } else if self.caller[0].is_some() {
            "server"
        } else if (self.referer.is_some() || self.origin.is_some()) && is_browser(self.user_agent) {
            "web"
        } else {
            "other"
        }
    }
}

/// 1 to 32 letters, digits, `-` and `_`.
fn word(value: &[u8]) -> Option<&str> {
    let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let word = (1..=32).contains(&value.len()) && value.iter().all(fits);
    word.then(|| std::str::from_utf8(value).ok())?
}

/// All of them call themselves so, for the sake of pages that ask.
fn is_browser(user_agent: &[u8]) -> bool {
    user_agent.starts_with(b"Mozilla/") || user_agent.starts_with(b"Opera/")
}

fn is_mini_program(user_agent: &[u8]) -> bool {
    let stands_at = |at: usize, name: &[u8]| {
        user_agent[at..].get(..name.len()).is_some_and(|part| part.eq_ignore_ascii_case(name))
    };
    let mut starts = user_agent.iter().enumerate().filter(|(_, b)| matches!(b, b'm' | b'M'));
    starts.any(|(at, _)| stands_at(at, b"micromessenger") || stands_at(at, b"miniprogram"))
}

/// What the headers' own rules leave of the referer, else of the origin header.
fn write_web_origin(record: &mut RecordWriter, pipeline: &Pipeline, hints: &Hints<'_>) {
    let told = [(KnownHeader::Referer, hints.referer), (KnownHeader::Origin, hints.origin)];
    for (header, value) in told {
        let Some(value) = value else { continue };
        let (name, mut out) = (header.as_str(), Vec::new());
        let left = match pipeline.redactor.header_value(pipeline.known_header(header), name, value, &mut out)
        {
            Verdict::Unchanged => value,
            Verdict::Masked => &out,
            Verdict::Dropped => continue,
        };
        if let Ok(origin) = std::str::from_utf8(left) {
            return record.text(Field::Origin, origin);
        }
    }
}

/// `kind:` and the parts with `between` them, masked as a path and its query.
fn write_origin(
    record: &mut RecordWriter,
    pipeline: &Pipeline,
    kind: &str,
    parts: &[Option<&[u8]>],
    between: &str,
) {
    let parts: Vec<&str> = parts.iter().map(|part| part.and_then(printable).unwrap_or_default()).collect();
    if parts.iter().all(|part| part.is_empty()) {
        return;
    }
    let place = parts.join(between);
    if place.contains(' ') {
        // No URL, but the name of an app for people.
        return record.text(Field::Origin, &format!("{kind}:{}", pipeline.redactor.text(&place)));
    }
    let mut origin = format!("{kind}:").into_bytes();
    match pipeline.redactor.url(place.as_bytes(), &mut origin) {
        Verdict::Unchanged => origin.extend_from_slice(place.as_bytes()),
        Verdict::Masked => {}
        Verdict::Dropped => return,
    }
    record.text(Field::Origin, std::str::from_utf8(&origin).unwrap_or(REDACTED));
}

#[cfg(test)]
mod tests;
