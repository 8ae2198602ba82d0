//! An entry as a `LogRecord` of opentelemetry.proto.logs.v1.

use hoplog_entry::{Field, Kind, Level, Outcome, Value};

use super::{names, value, wire};
use crate::encode::entry::Entry;

// The tags of `LogRecord`.
const TIME: u32 = 1;
const SEVERITY_NUMBER: u32 = 2;
const SEVERITY_TEXT: u32 = 3;
const BODY: u32 = 5;
const ATTRIBUTES: u32 = 6;
const TRACE_ID: u32 = 9;
const SPAN_ID: u32 = 10;
const OBSERVED_TIME: u32 = 11;
const EVENT_NAME: u32 = 12;

/// The methods that `http.request.method` knows; others are `_OTHER` and stand in `http.request.method_original`.
const METHODS: [&str; 10] =
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "QUERY"];

pub(super) fn write(out: &mut Vec<u8>, entry: &Entry<'_>) {
    let record = &entry.record;
    wire::fixed64(out, TIME, record.created_unix_ns());
    wire::fixed64(out, OBSERVED_TIME, record.created_unix_ns());
    wire::varint(out, SEVERITY_NUMBER, severity(record.level()));
    wire::text(out, SEVERITY_TEXT, record.level().as_str());
    if let Some(message) = entry.message() {
        wire::message(out, BODY, |out| value::text(out, &message));
    }
    if let Some(Value::TraceId(id)) = entry.get(Field::TraceId) {
        wire::bytes(out, TRACE_ID, id.as_bytes());
    }
    if let Some(Value::SpanId(id)) = entry.get(Field::SpanId) {
        wire::bytes(out, SPAN_ID, id.as_bytes());
    }
    wire::text(out, EVENT_NAME, event_name(record.kind()));
    text(out, "hoplog.kind", record.kind().as_str());
    value::attribute(out, ATTRIBUTES, "log.record.uid", |out| {
        value::value(out, Value::Uuid(record.id()));
    });
    if let Some(outcome) = record.outcome() {
        text(out, "hoplog.outcome", outcome.as_str());
    }
    if record.is_cut() {
        value::attribute(out, ATTRIBUTES, "hoplog.cut", |out| value::value(out, Value::Bool(true)));
    }
    for (field, each) in entry.fields() {
        // A masked address stands in the place of the address.
        let masked = field == Field::Ip && entry.get(Field::IpHash).is_some();
        if let Some(name) = names::attribute(field).filter(|_| !masked) {
            value::attribute(out, ATTRIBUTES, name, |out| value::value(out, each));
        }
    }
    method(out, entry);
    server(out, entry);
    error(out, entry);
    headers(out, entry);
    if entry.get(Field::HttpVersion).is_some() {
        text(out, "network.protocol.name", "http");
    }
    if entry.get(Field::GrpcStatus).is_some() {
        text(out, "rpc.system", "grpc");
    }
    for (name, each) in entry.custom() {
        if names::is_ours(name) {
            let name = format!("field.{name}");
            value::attribute(out, ATTRIBUTES, &name, |out| value::value(out, each));
        } else {
            value::attribute(out, ATTRIBUTES, name, |out| value::value(out, each));
        }
    }
}

fn text(out: &mut Vec<u8>, name: &str, text: &str) {
    value::attribute(out, ATTRIBUTES, name, |out| value::text(out, text));
}

const fn severity(level: Level) -> u64 {
    match level {
        Level::Trace => 1,
        Level::Debug => 5,
        Level::Info => 9,
        Level::Warn => 13,
        Level::Error => 17,
        Level::Fatal => 21,
    }
}

/// What a record is of; a line that the application wrote is no event of a kind.
const fn event_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Request => "http.server.request",
        Kind::Outgoing => "http.client.request",
        Kind::Running => "http.server.request.running",
        Kind::Losses => "hoplog.losses",
        Kind::Event => "",
    }
}

fn method(out: &mut Vec<u8>, entry: &Entry<'_>) {
    let Some(method) = entry.text(Field::Method) else { return };
    if METHODS.contains(&method) {
        text(out, "http.request.method", method);
    } else {
        text(out, "http.request.method", "_OTHER");
        text(out, "http.request.method_original", method);
    }
}

/// `server.address` and `server.port` of the host that was asked for.
fn server(out: &mut Vec<u8>, entry: &Entry<'_>) {
    let Some(host) = entry.text(Field::HostHeader) else { return };
    let (address, port) = match host.rsplit_once(':') {
        // An address of IPv6 without a port has colons too, but within brackets.
        Some((address, port)) if !port.contains(']') => (address, port.parse::<u16>().ok()),
        _ => (host, None),
    };
    let address = if port.is_some() { address } else { host };
    // Brackets are of the URL, not of the address.
    let bare = address.strip_prefix('[').and_then(|address| address.strip_suffix(']'));
    text(out, "server.address", bare.unwrap_or(address));
    if let Some(port) = port {
        value::attribute(out, ATTRIBUTES, "server.port", |out| value::int(out, port.into()));
    }
}

/// `error.type`: what the application said, else how an exchange failed: its outcome, or a status that is an error on
/// this side.
fn error(out: &mut Vec<u8>, entry: &Entry<'_>) {
    if let Some(said) = entry.text(Field::ErrorType) {
        text(out, "error.type", said);
        text(out, "exception.type", said);
        return;
    }
    let from = match entry.record.kind() {
        Kind::Request => 500,
        Kind::Outgoing => 400,
        _ => return,
    };
    match (entry.record.outcome(), entry.uint(Field::StatusCode)) {
        (_, Some(status)) if status >= from => text(out, "error.type", &status.to_string()),
        (Some(outcome), _) if !matches!(outcome, Outcome::Completed | Outcome::Upgraded) => {
            text(out, "error.type", outcome.as_str());
        }
        _ => {}
    }
}

/// Headers as arrays of text; those that have a field too, wherever their value stands.
fn headers(out: &mut Vec<u8>, entry: &Entry<'_>) {
    let (mut user_agent, mut referer) = (entry.text(Field::UserAgent).map(Into::into), true);
    let (mut content_type, mut response_content_type) = (true, true);
    header(out, "http.request.header.", entry.request_headers(), |name, value| match name {
        "user-agent" => user_agent = Some(String::from_utf8_lossy(value)),
        "referer" => referer = false,
        "content-type" => content_type = false,
        _ => {}
    });
    header(out, "http.response.header.", entry.response_headers(), |name, _| {
        response_content_type &= name != "content-type";
    });
    if let Some(user_agent) = user_agent {
        text(out, "user_agent.original", &user_agent);
    }
    for (missing, field, name) in [
        (referer, Field::Referer, "http.request.header.referer"),
        (content_type, Field::ContentType, "http.request.header.content-type"),
        (response_content_type, Field::ResponseContentType, "http.response.header.content-type"),
    ] {
        if let Some(value) = entry.text(field).filter(|_| missing) {
            value::attribute(out, ATTRIBUTES, name, |out| value::texts(out, [value.into()].into_iter()));
        }
    }
}

/// One attribute per name; values of one name are next to each other. `each` is shown every pair.
fn header<'a>(
    out: &mut Vec<u8>,
    prefix: &str,
    pairs: impl Iterator<Item = (&'a str, &'a [u8])>,
    mut each: impl FnMut(&'a str, &'a [u8]),
) {
    let mut pairs = pairs.peekable();
    let mut key = String::from(prefix);
    while let Some(&(name, _)) = pairs.peek() {
        key.truncate(prefix.len());
        key.push_str(name);
        value::attribute(out, ATTRIBUTES, &key, |out| {
            let same = std::iter::from_fn(|| {
                let (name, value) = pairs.next_if(|(next, _)| *next == name)?;
                each(name, value);
                Some(String::from_utf8_lossy(value))
            });
            value::texts(out, same);
        });
    }
}
