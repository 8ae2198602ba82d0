//! `ExportLogsServiceRequest` as OTLP's JSON: names in lowerCamelCase, ids in hex, enums as numbers, 64-bit numbers as
//! text or numbers; what is not known is passed over.

use super::Sink;
use super::around::{Around, Attribute, Said};
use super::record::LogRecord;
use super::value::{Any, json_key_value};
use super::wire::Malformed;
use crate::ingest::translated::Unread;
use crate::json::{Token, Walk, unescape};
use std::borrow::Cow;

/// Hands every record to `sink`, with what stands around it. `body` is JSON.
pub(super) fn read(body: &str, sink: &mut Sink<'_, '_>) -> Result<(), Unread> {
    for resource_logs in array(body, "resourceLogs")? {
        let mut said = Said::default();
        if let Some(resource) = object(resource_logs, "resource")? {
            said.resource = attributes(resource, &mut said.replaced)?;
        }
        for scope_logs in array(resource_logs, "scopeLogs")? {
            said.scope.clear();
            (said.scope_name, said.scope_version) = Default::default();
            if let Some(scope) = object(scope_logs, "scope")? {
                said.scope = attributes(scope, &mut said.replaced)?;
                said.scope_name = text(scope, "name", &mut said.replaced);
                said.scope_version = text(scope, "version", &mut said.replaced);
            }
            let around = Around::new(&said, sink.depth())?;
            for record in array(scope_logs, "logRecords")? {
                sink.take(record.len(), &around, || log_record(record))?;
            }
        }
    }
    Ok(())
}

/// The last member of that name; null is none.
fn member<'a>(object: &'a str, name: &str) -> Result<Option<&'a str>, Malformed> {
    if !object.starts_with('{') {
        return Err(Malformed);
    }
    let mut walk = Walk::new(object);
    let found = std::iter::from_fn(|| walk.member()).filter(|(found, _)| *found == name).last();
    Ok(found.map(|(_, value)| value).filter(|value| *value != "null"))
}

fn object<'a>(object: &'a str, name: &str) -> Result<Option<&'a str>, Malformed> {
    let value = member(object, name)?;
    if value.is_some_and(|value| !value.starts_with('{')) { Err(Malformed) } else { Ok(value) }
}

fn array<'a>(object: &'a str, name: &str) -> Result<impl Iterator<Item = &'a str> + use<'a>, Malformed> {
    let value = member(object, name)?.unwrap_or("[]");
    if !value.starts_with('[') {
        return Err(Malformed);
    }
    let mut walk = Walk::new(value);
    Ok(std::iter::from_fn(move || walk.value()))
}

fn attributes<'a>(object: &'a str, replaced: &mut bool) -> Result<Vec<Attribute<'a>>, Malformed> {
    array(object, "attributes")?
        .map(|pair| {
            let (key, value) = json_key_value(pair);
            if pair.starts_with('{') {
                Ok((unescaped(key, replaced), Any::Json(value)))
            } else {
                Err(Malformed)
            }
        })
        .collect()
}

fn unescaped<'a>(inner: &'a str, replaced: &mut bool) -> Cow<'a, str> {
    if !inner.contains('\\') {
        return inner.into();
    }
    let mut out = String::with_capacity(inner.len());
    *replaced |= unescape(inner, &mut out);
    out.into()
}

fn text<'a>(object: &'a str, name: &str, replaced: &mut bool) -> Cow<'a, str> {
    match member(object, name).ok().flatten().map(Token::of) {
        Some(Token::Text(inner)) => unescaped(inner, replaced),
        _ => Cow::default(),
    }
}

fn log_record(record: &str) -> Result<LogRecord<'_>, Malformed> {
    if !record.starts_with('{') {
        return Err(Malformed);
    }
    let mut read = LogRecord { attributes: Vec::new(), ..LogRecord::default() };
    read.attributes = attributes(record, &mut read.replaced)?;
    let mut walk = Walk::new(record);
    while let Some((name, raw)) = walk.member() {
        let token = Token::of(raw);
        match (name, token) {
            ("body", Token::Object(_)) => read.body = Some(Any::Json(raw)),
            ("timeUnixNano", _) => read.time = number(token)?,
            ("observedTimeUnixNano", _) => read.observed = number(token)?,
            ("severityNumber", _) => read.severity = number(token)?,
            ("droppedAttributesCount", _) => read.dropped_attributes = number(token)?,
            ("flags", _) => read.flags = number(token)?,
            ("severityText", Token::Text(inner)) => read.severity_text = unescaped(inner, &mut read.replaced),
            ("eventName", Token::Text(inner)) => read.event_name = unescaped(inner, &mut read.replaced),
            ("traceId", Token::Text(inner)) => read.trace_id = unescaped(inner, &mut read.replaced),
            ("spanId", Token::Text(inner)) => read.span_id = unescaped(inner, &mut read.replaced),
            _ => {}
        }
    }
    Ok(read)
}

/// A number, as one or as text.
fn number<N: std::str::FromStr + Default>(token: Token<'_>) -> Result<N, Malformed> {
    match token {
        Token::Text("") | Token::Null => Ok(N::default()),
        Token::Text(digits) | Token::Number(digits) => digits.parse().map_err(|_| Malformed),
        _ => Err(Malformed),
    }
}
