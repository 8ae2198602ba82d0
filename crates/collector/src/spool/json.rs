//! An entry as JSON, in the form that `POST /logs` takes. Not the form in which the SDK sends it, byte for byte: nothing
//! is made up here that is not in the record.

use hoplog_entry::spool::Source;
use hoplog_entry::{Item, Malformed, Record, Value as Found};
use serde_json::{Map, Value};

/// One entry as one line, with what is known of the process that wrote it.
pub(super) fn line(record: &Record<'_>, source: Option<&Source>) -> Result<String, Malformed> {
    let mut entry = Map::new();
    let mut put = |name: &str, value: Value| drop(entry.insert(name.to_owned(), value));
    put("id", record.id().to_string().into());
    put("kind", record.kind().as_str().into());
    put("level", record.level().as_str().into());
    put("created_at", (record.created_unix_ns() as f64 / 1e9).into());
    if let Some(outcome) = record.outcome() {
        put("outcome", outcome.as_str().into());
    }
    if let Some(source) = source {
        for (name, text) in [
            ("service", Some(&source.service)),
            ("environment", Some(&source.environment)),
            ("service_version", Some(&source.service_version)),
            ("log_type", source.log_type.as_ref()),
            ("host", Some(&source.host)),
            ("sdk", Some(&source.sdk)),
            ("sdk_version", Some(&source.sdk_version)),
        ] {
            text.filter(|text| !text.is_empty()).into_iter().for_each(|text| put(name, text.as_str().into()));
        }
        put("pid", source.pid.into());
    }
    let (mut request, mut response, mut metadata) = (Map::new(), Map::new(), Map::new());
    for item in record.items() {
        match item? {
            Item::Field(field, value) => put(field.name(), json(value)),
            Item::RequestHeader(name, value) => header(&mut request, name, value),
            Item::ResponseHeader(name, value) => header(&mut response, name, value),
            Item::Custom(name, value) => drop(metadata.insert(name.to_owned(), json(value))),
        }
    }
    for (field, map) in [
        (hoplog_entry::Field::RequestHeader.name(), request),
        (hoplog_entry::Field::ResponseHeader.name(), response),
        ("metadata", metadata),
    ] {
        if !map.is_empty() {
            put(field, map.into());
        }
    }
    Ok(Value::Object(entry).to_string())
}

fn header(map: &mut Map<String, Value>, name: &str, value: &[u8]) {
    let values = map.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(values) = values {
        values.push(String::from_utf8_lossy(value).into());
    }
}

fn json(value: Found<'_>) -> Value {
    match value {
        Found::Text(text) => text.into(),
        Found::Uint(n) => n.into(),
        Found::Int(n) => n.into(),
        Found::Float(n) => n.into(),
        Found::Bool(b) => b.into(),
        // Milliseconds, as everywhere on the wire.
        Found::Nanos(ns) => (ns as f64 / 1e6).into(),
        Found::Uuid(id) => id.to_string().into(),
        Found::TraceId(id) => id.to_string().into(),
        Found::SpanId(id) => id.to_string().into(),
        Found::Ip(ip) => ip.to_string().into(),
        // What is no JSON after all is kept as a text.
        Found::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    }
}
