use std::collections::BTreeMap;

use hoplog_entry::{EntryId, Field, Kind, KnownHeader, Level, Outcome, RecordWriter, SpanId, TraceId, Value};
use prost::Message as _;
use serde_json::{Value as Json, json};

use super::messages::{Any, AnyValue, KeyValue, LogRecord, Request};
use super::*;

const NS: u64 = 1_763_600_000_123_456_789;

fn source() -> Source {
    Source {
        service: "shop".into(),
        environment: "development".into(),
        service_version: "v1".into(),
        log_type: Some("WORKER".into()),
        host: "h-1".into(),
        pid: 7,
        ..Source::default()
    }
}

fn writer(kind: Kind) -> RecordWriter {
    let mut w = RecordWriter::default();
    w.begin(kind, EntryId::from_bytes([7; 16]), NS);
    w
}

fn request(batch: &mut OtlpBatch) -> Request {
    Request::decode(batch.seal()).unwrap()
}

fn log_record(record: &[u8]) -> LogRecord {
    let mut batch = OtlpBatch::new(&source());
    batch.push(&Record::read(record).unwrap().0).unwrap();
    request(&mut batch).resource_logs.remove(0).scope_logs.remove(0).log_records.remove(0)
}

fn json_of(value: Option<AnyValue>) -> Json {
    match value.and_then(|any| any.value) {
        None => Json::Null,
        Some(Any::String(text)) => text.into(),
        Some(Any::Bool(b)) => b.into(),
        Some(Any::Int(n)) => n.into(),
        Some(Any::Double(n)) => n.into(),
        Some(Any::Array(array)) => array.values.into_iter().map(|v| json_of(Some(v))).collect(),
        Some(Any::List(list)) => json_of_all(list.values),
    }
}

/// No name twice.
fn json_of_all(pairs: Vec<KeyValue>) -> Json {
    let count = pairs.len();
    let members: BTreeMap<String, Json> = pairs.into_iter().map(|p| (p.key, json_of(p.value))).collect();
    assert_eq!(members.len(), count, "a name comes twice");
    json!(members)
}

#[test]
fn a_request_has_the_names_of_the_semantic_conventions() {
    let mut w = writer(Kind::Request);
    w.text(Field::Method, "GET");
    w.text(Field::Path, "/users/7");
    w.text(Field::Query, "a=1");
    w.text(Field::Route, "/users/{id}");
    w.text(Field::Scheme, "https");
    w.text(Field::HostHeader, "shop.example:8443");
    w.text(Field::HttpVersion, "1.1");
    w.trace_id(Field::TraceId, &TraceId::from_bytes([1; 16]).unwrap());
    w.span_id(Field::SpanId, &SpanId::from_bytes([2; 8]).unwrap());
    w.span_id(Field::ParentSpanId, &SpanId::from_bytes([3; 8]).unwrap());
    w.text(Field::UserId, "u-0");
    w.text(Field::UserId, "u-1");
    w.known_header(Field::RequestHeader, KnownHeader::UserAgent, b"curl/8");
    w.known_header(Field::RequestHeader, KnownHeader::Accept, b"a");
    w.known_header(Field::RequestHeader, KnownHeader::Accept, b"caf\xe9");
    w.named_header(Field::ResponseHeader, "x-kind", b"k");
    w.text(Field::Referer, "https://x/");
    w.uint(Field::StatusCode, 503);
    w.uint(Field::RequestSize, 0);
    w.uint(Field::ResponseSize, 3);
    w.nanos(Field::Duration, 1_500_000);
    w.ip(Field::Ip, "::ffff:10.0.0.1".parse().unwrap());
    w.ip(Field::Peer, "fd00::1".parse().unwrap());
    w.uint(Field::ClientPort, 4_711);
    w.custom_json("order", r#"{"id":1,"tags":["a",null,2.5,true],"big":18446744073709551615}"#);
    w.custom_text("note", "first");
    w.custom_text("note", "last");
    w.custom_text("http.route", "mine");
    w.custom_text("my.own", "too");
    w.custom_text("field.http.route", "mine too");
    w.custom_text("", "no name");
    let record = log_record(w.end(Level::Error, Some(Outcome::Completed)));
    assert_eq!((record.time_unix_nano, record.observed_time_unix_nano), (NS, NS));
    assert_eq!((record.severity_number, record.severity_text.as_str()), (17, "ERROR"));
    assert_eq!(json_of(record.body), "GET /users/{id} 503");
    assert_eq!((record.trace_id, record.span_id), (vec![1; 16], vec![2; 8]));
    assert_eq!(record.event_name, "http.server.request");
    let expected = json!({
        "hoplog.kind": "request", "hoplog.outcome": "completed",
        "log.record.uid": "07070707-0707-0707-0707-070707070707", "http.request.method": "GET",
        "url.path": "/users/7", "url.query": "a=1", "url.scheme": "https", "http.route": "/users/{id}",
        "server.address": "shop.example", "server.port": 8443, "network.protocol.name": "http",
        "network.protocol.version": "1.1", "hoplog.parent_span_id": "03".repeat(8), "user.id": "u-1",
        "user_agent.original": "curl/8", "http.request.header.user-agent": ["curl/8"],
        "http.request.header.accept": ["a", "caf\u{fffd}"], "http.response.header.x-kind": ["k"],
        "http.request.header.referer": ["https://x/"], "http.response.status_code": 503,
        "http.request.body.size": 0, "http.response.body.size": 3, "hoplog.duration_ms": 1.5,
        "client.address": "10.0.0.1", "network.peer.address": "fd00::1", "client.port": 4_711,
        "error.type": "503", "note": "last", "field.http.route": "mine", "my.own": "too",
        "field.field.http.route": "mine too", "field.": "no name",
        "order": {"id": 1, "tags": ["a", null, 2.5, true], "big": "18446744073709551615"},
    });
    assert_eq!(json_of_all(record.attributes), expected);
}

/// Every field once, with a value of its type.
fn everything() -> Vec<u8> {
    use hoplog_entry::record::Type;
    let mut w = writer(Kind::Event);
    for &field in Field::ALL {
        match field.ty() {
            Type::Text => w.text(field, field.name()),
            Type::Uint => w.uint(field, 1_000 + u64::from(field.id())),
            Type::Nanos => w.nanos(field, 1_000_000 * u64::from(field.id())),
            Type::Bool => w.bool(field, true),
            Type::Float => w.float(field, f64::from(field.id())),
            Type::Uuid => w.uuid(field, &EntryId::from_bytes([field.id(); 16])),
            Type::TraceId => w.trace_id(field, &TraceId::from_bytes([field.id(); 16]).unwrap()),
            Type::SpanId => w.span_id(field, &SpanId::from_bytes([field.id(); 8]).unwrap()),
            Type::Ip => w.ip(field, [10, 0, 0, field.id()].into()),
            Type::Header => w.header(field, field.name(), b"v"),
            Type::Custom => w.custom_text("mine", "v"),
            Type::Int | Type::Json => unreachable!("no field has that type"),
        }
    }
    w.end(Level::Info, None).to_vec()
}

#[test]
fn every_field_has_a_place_and_no_name_comes_twice() {
    let bytes = everything();
    let record = log_record(&bytes);
    let written = [json_of(record.body.clone()), json_of_all(record.attributes)];
    let [body, attributes] = &written;
    assert_eq!(body, "message");
    for &field in Field::ALL.iter().filter(|field| !matches!(field, Field::Ip | Field::Message)) {
        if let Some(name) = names::attribute(field) {
            assert!(!attributes[name].is_null(), "{field:?} as {name}");
            assert!(names::is_ours(name), "{name}");
        }
    }
    for (name, value) in [
        ("http.request.method", json!("_OTHER")),
        ("http.request.method_original", json!("method")),
        ("server.address", json!("host_header")),
        ("client.address", json!("ip")), // the hash, and not the address
        ("error.type", json!("error_type")),
        ("exception.type", json!("error_type")),
        ("user_agent.original", json!("user_agent")),
        ("http.request.header.referer", json!(["referer"])),
        ("http.request.header.content-type", json!(["content_type"])),
        ("http.response.header.content-type", json!(["response_content_type"])),
        ("http.request.header.request_headers", json!(["v"])),
        ("rpc.system", json!("grpc")),
        ("mine", json!("v")),
    ] {
        assert_eq!(attributes[name], value, "{name}");
    }
    // What is written without a field of its own is taken too, so that no field of an application's collides with it.
    for name in attributes.as_object().unwrap().keys().filter(|name| *name != "mine") {
        assert!(names::is_ours(name), "{name}");
    }
    assert_eq!(record.event_name, "");
}

#[test]
fn an_error_is_named_by_the_application_else_by_its_status_else_by_its_outcome() {
    for (kind, said, status, outcome, expected) in [
        (Kind::Request, Some("Io"), Some(500), Outcome::Panicked, json!("Io")),
        (Kind::Request, None, Some(500), Outcome::Completed, json!("500")),
        (Kind::Request, None, Some(404), Outcome::Completed, json!(null)),
        (Kind::Outgoing, None, Some(404), Outcome::Completed, json!("404")),
        (Kind::Request, None, None, Outcome::Cancelled, json!("cancelled")),
        (Kind::Request, None, Some(200), Outcome::BodyAborted, json!("body_aborted")),
        (Kind::Request, None, Some(101), Outcome::Upgraded, json!(null)),
        (Kind::Running, None, None, Outcome::Cancelled, json!(null)),
    ] {
        let mut w = writer(kind);
        if let Some(said) = said {
            w.text(Field::ErrorType, said);
        }
        if let Some(status) = status {
            w.uint(Field::StatusCode, status);
        }
        let attributes = json_of_all(log_record(w.end(Level::Error, Some(outcome))).attributes);
        assert_eq!(attributes["error.type"], expected, "{kind} {said:?} {status:?} {outcome}");
    }
}

#[test]
fn hosts_are_parted_from_their_ports() {
    for (host, address, port) in [
        ("shop.example", "shop.example", json!(null)),
        ("shop.example:80", "shop.example", json!(80)),
        ("[::1]", "::1", json!(null)),
        ("[::1]:80", "::1", json!(80)),
        ("[]", "", json!(null)),
        ("shop:nonsense", "shop:nonsense", json!(null)),
        ("shop:70000", "shop:70000", json!(null)),
        (":", ":", json!(null)),
    ] {
        let mut w = writer(Kind::Request);
        w.text(Field::HostHeader, host);
        let attributes = json_of_all(log_record(w.end(Level::Info, None)).attributes);
        assert_eq!((&attributes["server.address"], &attributes["server.port"]), (&json!(address), &port));
    }
}

#[test]
fn what_is_configured_goes_before_the_resource_of_the_environment_and_a_default_does_not() {
    let given = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect()
    };
    let attributes = given(&[
        ("service.name", "theirs"),
        ("deployment.environment.name", "theirs"),
        ("service.namespace", "first"),
        ("service.namespace", "last"),
    ]);
    let logs = request(&mut OtlpBatch::new(&Source { attributes, ..source() })).resource_logs.remove(0);
    let resource = json_of_all(logs.resource.unwrap().attributes);
    let expected = json!({
        "service.name": "shop", "service.version": "v1", "deployment.environment.name": "theirs",
        "service.namespace": "last", "host.name": "h-1", "process.pid": 7, "hoplog.log_type": "WORKER",
        "telemetry.sdk.name": "hoplog", "telemetry.sdk.language": "rust",
        "telemetry.sdk.version": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(resource, expected);
    assert_eq!(logs.scope_logs[0].scope.as_ref().unwrap().name, "hoplog");
    assert_eq!(logs.schema_url, SCHEMA);
}

#[test]
fn json_deeper_than_decoders_go_is_a_text_from_there_on() {
    for (depth, whole) in [(DEEP, true), (DEEP + 1, false), (120, false)] {
        let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let mut w = writer(Kind::Event);
        w.custom_json("deep", &text);
        let attributes = json_of_all(log_record(w.end(Level::Info, None)).attributes);
        let expected: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(attributes["deep"] == expected, whole, "{depth}: {attributes}");
    }
    let mut w = writer(Kind::Event);
    w.custom_json("huge", "1e999");
    assert_eq!(json_of_all(log_record(w.end(Level::Info, None)).attributes)["huge"], "1e999");
}

/// As many levels as are written as messages.
const DEEP: usize = 24;

#[test]
fn messages_of_every_length_have_the_shortest_length_before_them() {
    for len in [0, 1, 100, 120, 127, 128, 129, 16_000, 16_383, 16_384, 60_000] {
        let text = "x".repeat(len);
        let mut w = writer(Kind::Event);
        w.text(Field::Message, &text);
        let bytes = w.end(Level::Info, None).to_vec();
        let mut batch = OtlpBatch::new(&source());
        batch.push(&Record::read(&bytes).unwrap().0).unwrap();
        let decoded = request(&mut batch);
        assert_eq!(decoded.encode_to_vec().len(), batch.seal().len(), "{len}");
        assert_eq!(json_of(decoded.resource_logs[0].scope_logs[0].log_records[0].body.clone()), text);
        batch.clear();
        assert_eq!((batch.entries(), batch.len()), (0, 0));
    }
}

#[test]
fn parts_are_requests_of_their_own_with_every_record_in_its_order() {
    let bytes = everything();
    let record = Record::read(&bytes).unwrap().0;
    for entries in 1..20 {
        let mut batch = OtlpBatch::new(&source());
        for i in 0..entries {
            let mut w = writer(Kind::Event);
            w.text(Field::Message, &format!("{i}").repeat(i * 20));
            batch.push(&Record::read(w.end(Level::Info, None)).unwrap().0).unwrap();
        }
        let whole = request(&mut batch);
        let sealed = batch.seal().to_vec();
        // A later batch is under way by then.
        batch.clear();
        batch.push(&record).unwrap();
        let (all, middle) = (entries as u64, entries.div_ceil(2) as u64);
        for none in [0..0, 0..all + 1, all..all + 1] {
            assert!(batch.part(&sealed, none.clone()).is_none(), "{none:?} of {entries}");
        }
        if entries == 1 {
            assert_eq!(batch.part(&sealed, 0..1).unwrap(), sealed);
            continue;
        }
        let [mut first, second] = [0..middle, middle..all]
            .map(|range| Request::decode(&*batch.part(&sealed, range).unwrap()).unwrap());
        let records = |request: &Request| request.resource_logs[0].scope_logs[0].log_records.clone();
        assert_eq!(records(&first).len() as u64, middle);
        first.resource_logs[0].scope_logs[0].log_records.extend(records(&second));
        assert_eq!(first, whole, "of {entries}");
        assert_eq!(second.resource_logs[0].resource, whole.resource_logs[0].resource);
    }
    let batch = OtlpBatch::new(&source());
    for sealed in [&b""[..], b"{}", b"\x0a\x7f", b"\x0a\x00"] {
        assert!(batch.part(sealed, 0..1).is_none(), "{sealed:?}");
    }
}

#[test]
fn a_malformed_record_leaves_no_trace_in_its_batch() {
    let good = everything();
    let mut bad = good.clone();
    let last = bad.len() - 1;
    bad[last] = 0xff; // no bool
    let mut batch = OtlpBatch::new(&source());
    batch.push(&Record::read(&good).unwrap().0).unwrap();
    assert!(batch.push(&Record::read(&bad).unwrap().0).is_err());
    batch.push(&Record::read(&good).unwrap().0).unwrap();
    let records = request(&mut batch).resource_logs.remove(0).scope_logs.remove(0).log_records;
    assert_eq!((records.len(), batch.entries()), (2, 2));
    assert_eq!(records[0], records[1]);
}

#[test]
fn values_of_every_type_are_written() {
    let mut out = Vec::new();
    for (value, expected) in [
        (Value::Int(-3), json!(-3)),
        (Value::Uint(u64::MAX), json!(u64::MAX.to_string())),
        (Value::Float(0.25), json!(0.25)),
        (Value::Bool(false), json!(false)),
        (Value::Text(""), json!("")),
        (Value::Json("null"), json!(null)),
    ] {
        out.clear();
        value::value(&mut out, value);
        assert_eq!(json_of(Some(AnyValue::decode(&*out).unwrap())), expected);
    }
}
