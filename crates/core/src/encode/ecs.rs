//! An entry as a line of JSON with the names of the Elastic Common Schema 8
//! (<https://www.elastic.co/guide/en/ecs/8.17/ecs-field-reference.html>), keys dotted, as its logging libraries write them.
//! What the schema has no name for stands under `hoplog.`, the application's own fields under `hoplog.metadata`.

use std::fmt::Write as _;

use hoplog_entry::{Civil, Field, Kind, Level, Malformed, Outcome, Record, Value};

use super::entry::Entry;
use super::json::{self, Utf8};
use crate::destination::Source;

/// The schema's version that the names are taken from.
const VERSION: &str = "8.17.0";

/// Appends one line.
pub(crate) fn entry_ecs(out: &mut Vec<u8>, record: &Record<'_>, source: &Source) -> Result<(), Malformed> {
    let start = out.len();
    let result = line(out, record, source);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn line(out: &mut Vec<u8>, record: &Record<'_>, source: &Source) -> Result<(), Malformed> {
    let ns = record.created_unix_ns();
    let _ = write!(
        Utf8(out),
        "{{\"@timestamp\":\"{}.{:06}Z\",\"log.level\":\"{}\"",
        Civil::from_unix(ns / 1_000_000_000),
        ns / 1_000 % 1_000_000,
        level(record.level())
    );
    let entry = Entry::read(record)?;
    let about_http = matches!(record.kind(), Kind::Request | Kind::Outgoing | Kind::Running);
    if let Some(message) = entry.message() {
        text(out, "message", &message);
    }
    text(out, "ecs.version", VERSION);
    text(out, "service.name", &source.service);
    text(out, "service.environment", &source.environment);
    text(out, "service.version", &source.service_version);
    text(out, "host.hostname", &source.host);
    json::key(out, "process.pid");
    json::uint(out, source.pid.into());
    json::key(out, "event.id");
    json::quoted(out, &record.id().to_ascii());
    text(out, "event.kind", "event");
    if about_http {
        out.extend_from_slice(b",\"event.category\":[\"web\"]");
    }
    text(out, "hoplog.kind", record.kind().as_str());
    if let Some(outcome) = record.outcome() {
        text(out, "hoplog.outcome", outcome.as_str());
        let well = outcome == Outcome::Completed || outcome == Outcome::Upgraded;
        let failed = !well || entry.uint(Field::StatusCode).is_some_and(|status| status >= 500);
        text(out, "event.outcome", if failed { "failure" } else { "success" });
    }
    fields(out, &entry);
    Ok(())
}

fn fields(out: &mut Vec<u8>, entry: &Entry<'_>) {
    for (field, value) in entry.fields() {
        match (field, value) {
            (Field::Message, _) => {}
            // The schema counts nanoseconds here.
            (Field::Duration, Value::Nanos(ns)) => {
                json::key(out, "event.duration");
                json::uint(out, ns);
            }
            _ => {
                match ecs_name(field) {
                    Some(name) => json::key(out, name),
                    None => {
                        let _ = write!(Utf8(out), ",\"hoplog.{}\":", field.name());
                    }
                }
                json::value(out, value);
            }
        }
    }
    for (header, name) in FROM_REQUEST {
        header_value(out, name, entry.request_headers().find(|(n, _)| n == header));
    }
    header_value(
        out,
        "hoplog.response_content_type",
        entry.response_headers().find(|(n, _)| *n == "content-type"),
    );
    header_object(out, Field::RequestHeader, entry.request_headers());
    header_object(out, Field::ResponseHeader, entry.response_headers());
    let mut first = true;
    for (name, value) in entry.custom() {
        out.extend_from_slice(if std::mem::take(&mut first) { b",\"hoplog.metadata\":{" } else { b"," });
        json::string(out, name);
        out.push(b':');
        json::value(out, value);
    }
    out.extend_from_slice(if first { b"}\n" } else { b"}}\n" });
}

fn header_value(out: &mut Vec<u8>, key: &str, found: Option<(&str, &[u8])>) {
    if let Some((_, value)) = found {
        json::key(out, key);
        json::lossy(out, value);
    }
}

/// Kept headers that have names of their own, here or in the native JSON. The schema's `mime_type` is for what a body
/// was found to be, not for what its header says.
const FROM_REQUEST: &[(&str, &str)] = &[
    ("user-agent", "user_agent.original"),
    ("referer", "http.request.referrer"),
    ("content-type", "hoplog.content_type"),
];

/// Headers as in the native JSON: name to a list of values. Values of one name come next to each other.
fn header_object<'a>(out: &mut Vec<u8>, field: Field, pairs: impl Iterator<Item = (&'a str, &'a [u8])>) {
    let mut last = None;
    for (name, value) in pairs {
        match last {
            Some(before) if before == name => out.push(b','),
            Some(_) => out.extend_from_slice(b"],"),
            None => {
                let _ = write!(Utf8(out), ",\"hoplog.{}\":{{", field.name());
            }
        }
        if last != Some(name) {
            json::string(out, name);
            out.extend_from_slice(b":[");
        }
        json::lossy(out, value);
        last = Some(name);
    }
    if last.is_some() {
        out.extend_from_slice(b"]}");
    }
}

fn ecs_name(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::Method => "http.request.method",
        Field::Path => "url.path",
        Field::Query => "url.query",
        Field::Scheme => "url.scheme",
        Field::HttpVersion => "http.version",
        Field::Ip => "client.ip",
        Field::ClientPort => "client.port",
        Field::Peer => "source.ip",
        Field::StatusCode => "http.response.status_code",
        Field::RequestSize => "http.request.body.bytes",
        Field::ResponseSize => "http.response.body.bytes",
        Field::RequestBody => "http.request.body.content",
        Field::ResponseBody => "http.response.body.content",
        Field::UserAgent => "user_agent.original",
        Field::Referer => "http.request.referrer",
        Field::RequestId => "http.request.id",
        Field::TraceId => "trace.id",
        Field::SpanId => "span.id",
        Field::UserId => "user.id",
        Field::TenantId => "organization.id",
        Field::ErrorType => "error.type",
        Field::ErrorMessage => "error.message",
        Field::StackTrace => "error.stack_trace",
        Field::FunctionName => "log.origin.function",
        Field::FilePath => "log.origin.file.name",
        Field::Line => "log.origin.file.line",
        Field::Target => "log.logger",
        Field::ActionType => "event.action",
        Field::TlsVersion => "tls.version",
        _ => return None,
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
        Level::Fatal => "fatal",
    }
}

fn text(out: &mut Vec<u8>, key: &str, value: &str) {
    json::key(out, key);
    json::string(out, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use hoplog_entry::{EntryId, KnownHeader, RecordWriter, TraceId};
    use serde_json::{Value as Json, json};

    fn ecs(kind: Kind, outcome: Option<Outcome>, build: impl FnOnce(&mut RecordWriter)) -> Json {
        let mut w = RecordWriter::default();
        w.begin(kind, EntryId::generate(1), 1_709_210_096_123_456_789);
        build(&mut w);
        let bytes = w.end(Level::Warn, outcome).to_vec();
        let source = Source { service: "shop".into(), pid: 7, ..Source::default() };
        let mut out = Vec::new();
        entry_ecs(&mut out, &Record::read(&bytes).unwrap().0, &source).unwrap();
        assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), 1);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn a_request_has_the_schemas_names() {
        let trace = TraceId::generate();
        let entry = ecs(Kind::Request, Some(Outcome::Completed), |w| {
            w.text(Field::Method, "GET");
            w.text(Field::Path, "/users/7");
            w.text(Field::Route, "/users/{id}");
            w.uint(Field::StatusCode, 503);
            w.nanos(Field::Duration, 1_234_567);
            w.ip(Field::Ip, [203, 0, 113, 7].into());
            w.trace_id(Field::TraceId, &trace);
            w.known_header(Field::RequestHeader, KnownHeader::UserAgent, b"curl/8");
            w.known_header(Field::RequestHeader, KnownHeader::Accept, b"a");
            w.known_header(Field::RequestHeader, KnownHeader::Accept, b"b");
            w.known_header(Field::ResponseHeader, KnownHeader::ContentType, b"text/plain");
        });
        for (key, value) in [
            ("@timestamp", json!("2024-02-29T12:34:56.123456Z")),
            ("log.level", json!("warn")),
            ("message", json!("GET /users/{id} 503")),
            ("ecs.version", json!(VERSION)),
            ("service.name", json!("shop")),
            ("process.pid", json!(7)),
            ("event.category", json!(["web"])),
            ("event.outcome", json!("failure")),
            ("event.duration", json!(1_234_567)),
            ("http.request.method", json!("GET")),
            ("http.response.status_code", json!(503)),
            ("hoplog.response_content_type", json!("text/plain")),
            ("url.path", json!("/users/7")),
            ("client.ip", json!("203.0.113.7")),
            ("trace.id", json!(trace.to_string())),
            ("user_agent.original", json!("curl/8")),
            ("hoplog.route", json!("/users/{id}")),
            ("hoplog.kind", json!("request")),
            ("hoplog.outcome", json!("completed")),
            ("hoplog.request_headers", json!({"user-agent": ["curl/8"], "accept": ["a", "b"]})),
        ] {
            assert_eq!(entry[key], value, "{key}");
        }
    }

    #[test]
    fn an_event_keeps_its_message_and_the_last_of_each_field() {
        let entry = ecs(Kind::Event, None, |w| {
            w.text(Field::Message, "low on \"tea\"\n");
            w.text(Field::UserId, "u1");
            w.text(Field::UserId, "u2");
            w.custom_json("cups", "1");
            w.custom_json("cups", "{\"n\":2}");
        });
        assert_eq!(entry["message"], "low on \"tea\"\n");
        assert_eq!(entry["user.id"], "u2");
        assert_eq!(entry["hoplog.metadata"], json!({"cups": {"n": 2}}));
        assert!(entry.get("event.outcome").is_none() && entry.get("event.category").is_none());
    }
}
