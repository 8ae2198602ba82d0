//! Query parameters, read strictly: what is not known is an error that names it, since a filter that was silently
//! left out answers another question.

use crate::fields::Words;
use crate::http::Problem;
use crate::store::completeness::Question;
use crate::store::search::{Cursor, Filter, Period, Search, Status, TraceKey};
use crate::time;
use axum::extract::{FromRequestParts, Query};
use hoplog_entry::Level;
use hyper::http::request::Parts;

/// The parameters of a request, in order.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|e| Problem::bad(format!("the query cannot be read: {e}")))?;
        for (i, (name, _)) in pairs.iter().enumerate() {
            if pairs.iter().take(i).any(|(before, _)| before == name) {
                return Err(Problem::bad(format!("`{name}` is given twice")));
            }
        }
        Ok(Self(pairs))
    }
}

const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 1000;
/// The most filters on `metadata` in one question: each reads every entry's metadata.
const MOST_METADATA: usize = 8;

impl Params {
    /// No parameter is known.
    pub(crate) fn none(self) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(unknown(name, "there are none here")),
        }
    }

    pub(crate) fn period(self) -> Result<Period, Problem> {
        let mut period = Period::default();
        for (name, value) in self.0 {
            match name.as_str() {
                "from" => period.from = moment(&name, &value)?,
                "to" => period.to = moment(&name, &value)?,
                _ => return Err(unknown(&name, "known are from, to")),
            }
        }
        Ok(period)
    }

    /// The senders of the last 24 hours before `now`, if nothing else is asked for.
    pub(crate) fn completeness(self, now: i64) -> Result<Question, Problem> {
        let (mut from, mut to, mut service) = (None, None, None);
        for (name, value) in self.0 {
            match name.as_str() {
                "service" => service = Some(value).filter(|service| !service.is_empty()),
                "from" => from = moment(&name, &value)?,
                "to" => to = moment(&name, &value)?,
                _ => return Err(unknown(&name, "known are service, from, to")),
            }
        }
        let to = to.unwrap_or(now.saturating_add(1));
        Ok(Question { from: from.unwrap_or(to.saturating_sub(time::DAY)), to, service })
    }

    /// What to follow: any filter, but for times and pages.
    pub(crate) fn filter(self) -> Result<Filter, Problem> {
        let unfit =
            self.0.iter().find(|(name, _)| ["from", "to", "limit", "cursor"].contains(&name.as_str()));
        if let Some((name, _)) = unfit {
            return Err(Problem::bad(format!("`{name}` has no meaning for what is yet to arrive")));
        }
        Ok(self.search()?.filter)
    }

    /// An empty value is no filter, as forms send it.
    pub(crate) fn search(self) -> Result<Search, Problem> {
        let mut filter = Filter::default();
        let (mut limit, mut after) = (DEFAULT_LIMIT, None);
        for (name, value) in self.0.into_iter().filter(|(name, v)| !v.is_empty() || !is_known(name)) {
            match name.as_str() {
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
                "q" => filter.text = Some(value),
                "trace_id" => filter.trace = Some(TraceKey::new(&value)),
                "level" => {
                    let level = Level::parse_lenient(&value);
                    filter.level = Some(level.ok_or_else(|| wrong(&name, &value, "a level such as ERROR"))?);
                }
                "status" => filter.status = Some(status(&value)?),
                "slow" => {
                    let slow = value.parse();
                    filter.slow = Some(slow.map_err(|_| wrong(&name, &value, "true or false"))?);
                }
                "kind" => filter.kinds = kinds(&value)?,
                "outcome" => filter.outcome = Some(word(Words::Outcome, &name, &value)?),
                "from" => filter.period.from = moment(&name, &value)?,
                "to" => filter.period.to = moment(&name, &value)?,
                "limit" => {
                    let given = value.parse().ok().filter(|n| (1..=MOST).contains(n));
                    limit = given.ok_or_else(|| wrong(&name, &value, "a number from 1 to 1000"))?;
                }
                "cursor" => {
                    let cursor = Cursor::parse(&value);
                    after = Some(cursor.ok_or_else(|| wrong(&name, &value, "the next_cursor of an answer"))?);
                }
                _ => match name.strip_prefix("metadata.").filter(|member| !member.is_empty()) {
                    Some(member) if filter.metadata.len() < MOST_METADATA => {
                        filter.metadata.push((member.to_owned(), value));
                    }
                    Some(_) => {
                        return Err(Problem::bad(format!("more than {MOST_METADATA} filters on metadata")));
                    }
                    None => {
                        let known = format!("known are {}, metadata.<name>", KNOWN.join(", "));
                        return Err(unknown(&name, &known));
                    }
                },
            }
        }
        Ok(Search { filter, limit, after })
    }
}

const KNOWN: [&str; 21] = [
    "service",
    "level",
    "path",
    "route",
    "method",
    "status",
    "trace_id",
    "request_id",
    "user_id",
    "session_id",
    "tenant_id",
    "client_type",
    "ip",
    "outcome",
    "kind",
    "slow",
    "q",
    "from",
    "to",
    "limit",
    "cursor",
];

fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

fn unknown(name: &str, known: &str) -> Problem {
    Problem::bad(format!("unknown parameter `{name}`: {known}"))
}

fn wrong(name: &str, value: &str, expected: &str) -> Problem {
    Problem::bad(format!("`{name}` is `{value}`; expected {expected}"))
}

fn moment(name: &str, value: &str) -> Result<Option<i64>, Problem> {
    if value.is_empty() {
        return Ok(None);
    }
    // An unescaped `+` of an offset arrives as a blank.
    let text = match value.rsplit_once(' ') {
        Some((at, offset)) if at.contains([':']) => format!("{at}+{offset}"),
        _ => value.to_owned(),
    };
    let micros = match text.parse::<f64>() {
        Ok(number) => time::from_number(number),
        Err(_) => time::parse_rfc3339(&text),
    };
    micros.map(Some).ok_or_else(|| wrong(name, value, "an RFC 3339 time, Unix seconds or milliseconds"))
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
    let known = || (0..).map_while(|code| words.word(code)).collect::<Vec<_>>().join(", ");
    words.code(value).ok_or_else(|| wrong(name, value, &format!("one of {}", known())))
}
