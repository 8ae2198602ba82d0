//! Query parameters, read strictly: what is not known is an error that names it, since a filter that was silently
//! left out answers another question.

use super::parameters::{METADATA, Parameter, Parameters, Shape};
use crate::fields::Words;
use crate::http::Problem;
use crate::store::histogram::By;
use crate::store::search::{Filter, Period, Status, TraceKey};
use crate::time;
use axum::extract::{FromRequestParts, Query};
use hoplog_entry::Level;
use hyper::http::request::Parts;

/// The parameters of a request, in order.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl From<Vec<(String, String)>> for Params {
    fn from(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|e| Problem::bad(format!("the query cannot be read: {e}")))?;
        for (i, (name, _)) in pairs.iter().enumerate() {
            if pairs.iter().take(i).any(|(before, _)| before == name) {
                return Err(Problem::parameter(name, format!("`{name}` is given twice: give it once")));
            }
        }
        Ok(Self(pairs))
    }
}

/// The most filters on `metadata` in one question: each reads every entry's metadata.
const MOST_METADATA: usize = 8;
/// The most words of one text.
const MOST_WORDS: usize = 16;

/// What was asked; what was not given is empty.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) filter: Filter,
    pub(crate) limit: usize,
    pub(crate) cursor: Option<String>,
    pub(crate) by: Option<By>,
    /// Microseconds.
    pub(crate) step: Option<i64>,
    pub(crate) dry_run: Option<bool>,
}

impl Params {
    /// No parameter is known.
    pub(crate) fn none(self) -> Result<(), Problem> {
        self.read(&[], 0).map(drop)
    }

    /// The parameters that have no meaning here though others take them.
    pub(crate) fn without(&self, names: &[&str], why: &str) -> Result<(), Problem> {
        match self.0.iter().find(|(name, _)| names.contains(&name.as_str())) {
            Some((name, _)) => {
                Err(Problem::parameter(name, format!("`{name}` has no meaning {why}: leave it out")))
            }
            None => Ok(()),
        }
    }

    /// Reads what a route takes. An empty value is none, as forms send it. `now` is what times count back from.
    pub(crate) fn read(self, known: Parameters, now: i64) -> Result<Asked, Problem> {
        let mut asked = Asked::default();
        for parameter in known.iter().copied().flatten() {
            if let Shape::Limit { default, .. } = parameter.shape {
                asked.limit = default;
            }
        }
        for (name, value) in self.0 {
            let parameter = find(known, &name).ok_or_else(|| unknown(&name, known))?;
            if !value.is_empty() {
                asked.take(parameter, &name, value, now)?;
            }
        }
        Ok(asked)
    }
}

fn find(known: Parameters, name: &str) -> Option<&'static Parameter> {
    let is_it = |parameter: &&Parameter| match name.strip_prefix(METADATA) {
        Some(member) => !member.is_empty() && parameter.name.starts_with(METADATA),
        None => parameter.name == name,
    };
    known.iter().copied().flatten().find(is_it)
}

fn unknown(name: &str, known: Parameters) -> Problem {
    let names: Vec<&str> = known.iter().copied().flatten().map(|parameter| parameter.name).collect();
    let known = if names.is_empty() {
        "there are none here".to_owned()
    } else {
        format!("known are {}", names.join(", "))
    };
    Problem::parameter(name, format!("unknown parameter `{name}`: {known}"))
}

fn wrong(name: &str, value: &str, expected: &str) -> Problem {
    Problem::parameter(name, format!("`{name}` is `{value}`; expected {expected}"))
}

impl Asked {
    fn take(&mut self, parameter: &Parameter, name: &str, value: String, now: i64) -> Result<(), Problem> {
        let filter = &mut self.filter;
        match parameter.name {
            "service" => filter.service = Some(value),
            "path" => filter.path = Some(value),
            "route" => filter.route = Some(value),
            "method" => filter.method = Some(value),
            "request_id" => filter.request_id = Some(value),
            "user_id" => filter.user_id = Some(value),
            "session_id" => filter.session_id = Some(value),
            "tenant_id" => filter.tenant_id = Some(value),
            "client_type" => filter.client_type = Some(value),
            "ip" => filter.ip = Some(value),
            "trace_id" => filter.trace = Some(TraceKey::new(&value)),
            "level" => filter.level = Some(level(name, &value)?),
            "min_level" => filter.min_level = Some(level(name, &value)?),
            "status" => filter.status = Some(status(&value)?),
            "kind" => filter.kinds = kinds(&value)?,
            "outcome" => filter.outcome = Some(word(Words::Outcome, name, &value)?),
            "slow" => filter.slow = Some(truth(name, &value)?),
            "failed" => filter.min_level = truth(name, &value)?.then_some(Level::Error).or(filter.min_level),
            "min_duration_ms" => {
                let ms = value.parse().ok().filter(|ms: &f64| ms.is_finite());
                filter.min_duration_ms =
                    Some(ms.ok_or_else(|| wrong(name, &value, "milliseconds, such as 250"))?);
            }
            "q" => filter.texts = words(&value)?,
            "from" => filter.period.from = Some(moment(name, &value, now)?),
            "to" => filter.period.to = Some(moment(name, &value, now)?),
            "by" => {
                let by = match value.as_str() {
                    "level" => By::Level,
                    "status" => By::Status,
                    "service" => By::Service,
                    _ => return Err(wrong(name, &value, "one of level, status, service")),
                };
                self.by = Some(by);
            }
            "step" => {
                let step = span(&value).or_else(|| seconds(&value)).filter(|step| *step > 0);
                let expected = "a time such as 500ms, 30s, 5m, 1h or 1d";
                self.step = Some(step.ok_or_else(|| wrong(name, &value, expected))?);
            }
            "dry_run" => self.dry_run = Some(truth(name, &value)?),
            "limit" => {
                let Shape::Limit { most, .. } = parameter.shape else { return Ok(()) };
                let given = value.parse().ok().filter(|n| (1..=most).contains(n));
                self.limit =
                    given.ok_or_else(|| wrong(name, &value, &format!("a number from 1 to {most}")))?;
            }
            "cursor" => self.cursor = Some(value),
            _ => {
                let member = name.strip_prefix(METADATA).unwrap_or_default().to_owned();
                if filter.metadata.len() >= MOST_METADATA {
                    let why = format!("more than {MOST_METADATA} filters on metadata: leave some out");
                    return Err(Problem::parameter(name, why));
                }
                filter.metadata.push((member, value));
            }
        }
        Ok(())
    }

    /// Reads the cursor by its kind.
    pub(crate) fn cursor<C>(&self, parse: impl Fn(&str) -> Option<C>) -> Result<Option<C>, Problem> {
        let Some(text) = &self.cursor else { return Ok(None) };
        parse(text)
            .map(Some)
            .ok_or_else(|| wrong("cursor", text, "the next_cursor of an answer to the same question"))
    }

    /// Both ends of the period; without them the time before `now` that is `length` long.
    pub(crate) fn bounded(&mut self, now: i64, length: i64) -> (i64, i64) {
        let Period { from, to } = self.filter.period;
        let to = to.unwrap_or(now.saturating_add(1));
        let from = from.unwrap_or(to.saturating_sub(length));
        self.filter.period = Period { from: Some(from), to: Some(to) };
        (from, to)
    }
}

fn level(name: &str, value: &str) -> Result<Level, Problem> {
    Level::parse_lenient(value).ok_or_else(|| wrong(name, value, "a level such as ERROR"))
}

fn truth(name: &str, value: &str) -> Result<bool, Problem> {
    value.parse().map_err(|_| wrong(name, value, "true or false"))
}

fn moment(name: &str, value: &str, now: i64) -> Result<i64, Problem> {
    // An unescaped `+` of an offset arrives as a blank.
    let text = match value.rsplit_once(' ') {
        Some((at, offset)) if at.contains([':']) => format!("{at}+{offset}"),
        _ => value.to_owned(),
    };
    let before = || span(text.strip_prefix('-')?).map(|long| now.saturating_sub(long));
    let micros = match text.parse::<f64>() {
        Ok(number) => time::from_number(number),
        Err(_) if text == "now" => Some(now),
        Err(_) => before().or_else(|| time::parse_rfc3339(&text)),
    };
    micros.ok_or_else(|| {
        wrong(name, value, "an RFC 3339 time, Unix seconds or milliseconds, or before now as in -15m")
    })
}

/// `15m` in microseconds.
fn span(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits)? {
        "ms" => 1_000,
        "s" => time::SECOND,
        "m" => 60 * time::SECOND,
        "h" => 3_600 * time::SECOND,
        "d" => time::DAY,
        "w" => 7 * time::DAY,
        _ => return None,
    };
    let digits = Some(digits).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse::<i64>().ok()?.checked_mul(unit)
}

/// `0.5` seconds in microseconds.
fn seconds(text: &str) -> Option<i64> {
    text.parse().ok().filter(|s: &f64| *s <= 1e9).and_then(time::from_number)
}

fn status(value: &str) -> Result<Status, Problem> {
    let expected = || wrong("status", value, "a status such as 404, or a class such as 4xx");
    match value.as_bytes() {
        [class @ b'1'..=b'9', b'x' | b'X', b'x' | b'X'] => Ok(Status::Class(class - b'0')),
        _ => value.parse().ok().filter(|n| (100..1000).contains(n)).map(Status::Code).ok_or_else(expected),
    }
}

/// One kind, or several with commas between.
fn kinds(value: &str) -> Result<Vec<u8>, Problem> {
    let mut codes =
        value.split(',').map(|kind| word(Words::Kind, "kind", kind)).collect::<Result<Vec<_>, _>>()?;
    codes.sort_unstable();
    codes.dedup();
    Ok(codes)
}

fn word(words: Words, name: &str, value: &str) -> Result<u8, Problem> {
    words.code(value).ok_or_else(|| wrong(name, value, &format!("one of {}", words.all().join(", "))))
}

/// Words with blanks between; what stands in double quotes is one. A quote that is not closed is a part of its word.
fn words(text: &str) -> Result<Vec<String>, Problem> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|inner| inner.split_once('"'));
        let (word, after) = match quoted {
            Some((word, after)) => (word, after),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        if !word.is_empty() {
            words.push(word.to_owned());
        }
        rest = after.trim_start();
    }
    if words.len() > MOST_WORDS {
        return Err(Problem::parameter("q", format!("`q` has more than {MOST_WORDS} words: leave some out")));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_words_and_phrases() {
        for (text, found) in [
            ("a", vec!["a"]),
            ("  order   42 ", vec!["order", "42"]),
            ("\"of all\" 50%", vec!["of all", "50%"]),
            ("say \"open", vec!["say", "\"open"]),
            ("\"\"", vec![]),
            ("a\"b c\"", vec!["a\"b", "c\""]),
            ("\"a\"\"b\"", vec!["a", "b"]),
        ] {
            assert_eq!(words(text).unwrap(), found, "{text}");
        }
        assert!(words(&"a ".repeat(MOST_WORDS)).is_ok() && words(&"a ".repeat(MOST_WORDS + 1)).is_err());
    }

    #[test]
    fn times_are_said_or_counted_back_from_now() {
        let now = 1_773_144_000 * time::SECOND;
        for (text, ago) in
            [("now", 0), ("-0s", 0), ("-15m", 900), ("-2h", 7_200), ("-1d", 86_400), ("1773143999", 1)]
        {
            assert_eq!(moment("from", text, now).unwrap(), now - ago * time::SECOND, "{text}");
        }
        assert_eq!(moment("from", "-5", now).unwrap(), -5 * time::SECOND);
        for wrong in
            ["yesterday", "-", "-m", "-15x", "-1.5h", "--15m", "15m", "-9999999999999999999w", "2026-03-10"]
        {
            assert!(moment("from", wrong, now).is_err(), "{wrong}");
        }
    }
}
