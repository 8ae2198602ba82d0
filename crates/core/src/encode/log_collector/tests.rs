use super::*;
use hoplog_entry::{EntryId, Kind, KnownHeader, Level, Outcome, RecordWriter, SpanId, TraceId};
use serde_json::{Value as Json, json};

const NS: u64 = 1_763_600_000_123_456_000;

fn source(environment: &str) -> Source {
    Source {
        service: "shop".into(),
        environment: environment.into(),
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

/// One entry as the server gets it.
fn entry_of(environment: &str, record: &[u8]) -> Json {
    let mut batch = LogCollectorBatch::new(&source(environment));
    batch.push(&Record::read(record).unwrap().0).unwrap();
    let sealed: Json = serde_json::from_slice(batch.seal()).unwrap();
    sealed["logs"][0].clone()
}

#[test]
fn a_request_fills_the_columns_and_the_rest_is_metadata() {
    let mut w = writer(Kind::Request);
    w.text(Field::Method, "GET");
    w.text(Field::Path, "/users/7");
    w.text(Field::Route, "/users/{id}");
    w.trace_id(Field::TraceId, &TraceId::from_bytes([1; 16]).unwrap());
    w.span_id(Field::SpanId, &SpanId::from_bytes([2; 8]).unwrap());
    w.text(Field::UserId, "u-0");
    w.text(Field::UserId, "u-1");
    w.known_header(Field::RequestHeader, KnownHeader::Accept, b"a");
    w.known_header(Field::RequestHeader, KnownHeader::Accept, b"b");
    w.known_header(Field::ResponseHeader, KnownHeader::ContentType, b"text/plain");
    w.uint(Field::StatusCode, 200);
    w.nanos(Field::Duration, 1_234_567);
    w.ip(Field::Ip, "10.0.0.1".parse().unwrap());
    w.custom_json("order", "{\"id\":1}");
    w.custom_text("note", "first");
    w.custom_text("note", "last");
    w.custom_text("status_code", "mine");
    w.custom_text("field.status_code", "mine too");
    let entry = entry_of("production", w.end(Level::Info, Some(Outcome::Completed)));
    let expected = json!({
        "level": "INFO", "created_at": 1_763_600_000.123_456, "service": "shop", "service_version": "v1",
        "environment": "production", "log_type": "WORKER", "message": "GET /users/{id} 200", "path": "/users/7",
        "method": "GET", "trace_id": "01".repeat(16), "user_id": "u-1", "duration_ms": 1.234,
        "metadata": {
            "id": "07070707-0707-0707-0707-070707070707", "kind": "request", "outcome": "completed",
            "route": "/users/{id}", "span_id": "02".repeat(8), "status_code": 200, "ip": "10.0.0.1",
            "request_headers": {"accept": ["a", "b"]}, "response_headers": {"content-type": ["text/plain"]},
            "order": {"id": 1}, "note": "last", "field.status_code": "mine",
            "field.field.status_code": "mine too", "host": "h-1", "pid": 7,
        },
    });
    assert_eq!(entry, expected);
}

#[test]
fn what_does_not_fit_its_column_is_cut_there_and_whole_in_metadata() {
    let mut w = writer(Kind::Event);
    for (field, limit) in COLUMNS.iter().filter(|(_, limit)| *limit < 5_000) {
        // Characters count, not bytes.
        let most = if field.limit() < 2 * limit { field.limit() / 2 } else { limit + 1 };
        w.text(*field, &"ä".repeat(most));
    }
    w.text(Field::Method, "PURGE");
    w.nanos(Field::Duration, 10_000_000_000_000);
    let entry = entry_of("moon", w.end(Level::Info, None));
    let mut cut = 0;
    for (field, limit) in COLUMNS.iter().filter(|(field, _)| entry[field.name()].is_string()) {
        let kept = entry[field.name()].as_str().unwrap().chars().count();
        assert!(kept <= *limit, "{}: {kept}", field.name());
        let whole = &entry["metadata"][field.name()];
        if kept == *limit {
            cut += 1;
            assert_eq!(whole.as_str().unwrap().chars().count(), limit + 1, "{}", field.name());
        } else {
            assert!(whole.is_null(), "{}", field.name());
        }
    }
    assert_eq!(cut, 6, "all but user_id, whose field is shorter than its column, and stack_trace");
    assert_eq!((&entry["method"], &entry["metadata"]["method"]), (&Json::Null, &json!("PURGE")));
    assert_eq!((&entry["environment"], &entry["metadata"]["environment"]), (&Json::Null, &json!("moon")));
    assert_eq!(
        (&entry["duration_ms"], &entry["metadata"]["duration_ms"]),
        (&json!(9_999_999.999), &json!(1e7))
    );
}

#[test]
fn nul_is_nowhere_and_json_is_what_jsonb_takes() {
    let mut w = writer(Kind::Event);
    w.text(Field::Message, "a\0b");
    w.text(Field::TenantId, "t\0");
    w.custom_text("te\0xt", "\0x");
    w.custom_json("deep", r#"{"k\u0000":["\u0000v","\u00e4"],"n":18446744073709551615}"#);
    w.custom_json("half", r#""\ud800""#);
    w.custom_json("lines", "{\n\"a\":1}");
    w.custom_json("exact", "1.50");
    w.custom_json("huge", "1e999");
    let abyss = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    w.custom_json("abyss", &abyss);
    let entry = entry_of("test", w.end(Level::Fatal, None));
    assert!(!entry.to_string().contains("\\u0000"), "{entry}");
    assert_eq!((&entry["message"], &entry["level"]), (&json!("ab"), &json!("FATAL")));
    let metadata = &entry["metadata"];
    assert_eq!((&metadata["tenant_id"], &metadata["text"]), (&json!("t"), &json!("x")));
    assert_eq!(metadata["deep"], json!({"k": ["v", "ä"], "n": u64::MAX}));
    assert_eq!((&metadata["exact"], &metadata["huge"]), (&json!(1.5), &json!("1e999")));
    assert_eq!(metadata["abyss"], abyss.as_str());
    assert_eq!((&metadata["half"], &metadata["lines"]), (&json!(r#""\ud800""#), &json!({"a": 1})));
}

#[test]
fn parts_hold_every_entry_in_its_order() {
    for entries in 2..20u64 {
        let mut batch = LogCollectorBatch::new(&source("test"));
        for i in 0..entries {
            let mut w = writer(Kind::Event);
            w.text(Field::Message, &format!("line\nbreak {i}"));
            batch.push(&Record::read(w.end(Level::Info, None)).unwrap().0).unwrap();
        }
        let whole: Json = serde_json::from_slice(batch.seal()).unwrap();
        let in_first = entries / 2;
        let [first, second] = [0..in_first, in_first..entries]
            .map(|range| serde_json::from_slice::<Json>(&part(&batch.json, range).unwrap()).unwrap());
        let list = |batch: &Json| batch["logs"].as_array().unwrap().clone();
        assert_eq!(list(&first).len() as u64, in_first, "of {entries}");
        assert_eq!([list(&first), list(&second)].concat(), list(&whole), "of {entries}");
    }
    let mut one = LogCollectorBatch::new(&source("test"));
    one.push(&Record::read(writer(Kind::Event).end(Level::Info, None)).unwrap().0).unwrap();
    let one = one.seal();
    assert_eq!(part(one, 0..1).unwrap(), one);
    for entries in [0..0, 1..2, 0..2] {
        assert!(part(one, entries.clone()).is_none() && part(b"{}", entries).is_none());
    }
}

#[test]
fn a_malformed_record_leaves_no_trace_in_its_batch() {
    let good = writer(Kind::Event).end(Level::Info, None).to_vec();
    let mut w = writer(Kind::Event);
    w.text(Field::Message, "x");
    let mut bad = w.end(Level::Info, None).to_vec();
    let last = bad.len() - 1;
    bad[last] = 0xff; // no UTF-8
    let mut batch = LogCollectorBatch::new(&source("test"));
    batch.push(&Record::read(&good).unwrap().0).unwrap();
    assert!(batch.push(&Record::read(&bad).unwrap().0).is_err());
    let sealed: Json = serde_json::from_slice(batch.seal()).unwrap();
    assert_eq!((sealed["logs"].as_array().unwrap().len(), batch.entries()), (1, 1));
    batch.clear();
    assert_eq!(batch.seal(), b"{\"logs\":[\n\n]}");
}
