use super::*;
use hoplog_entry::{EntryId, KnownHeader, Level, Outcome, RecordWriter, SpanId, TraceId};
use serde_json::{Value as Json, json};

const NS: u64 = 1_763_600_000_123_456_000;

fn request() -> Vec<u8> {
    let mut w = RecordWriter::default();
    w.begin(Kind::Request, EntryId::from_bytes([7; 16]), NS);
    w.text(Field::Method, "GET");
    w.text(Field::Path, "/users/\"7\"");
    w.text(Field::Route, "/users/{id}");
    w.trace_id(Field::TraceId, &TraceId::from_bytes([1; 16]).unwrap());
    w.span_id(Field::SpanId, &SpanId::from_bytes([2; 8]).unwrap());
    w.known_header(Field::RequestHeader, KnownHeader::UserAgent, b"curl/8");
    w.known_header(Field::RequestHeader, KnownHeader::Accept, b"a");
    w.known_header(Field::RequestHeader, KnownHeader::Accept, b"caf\xe9");
    w.named_header(Field::ResponseHeader, "x-kind", b"k");
    w.known_header(Field::ResponseHeader, KnownHeader::ContentType, b"text/plain");
    w.uint(Field::StatusCode, 200);
    w.nanos(Field::Ttfb, 1_500_000);
    w.ip(Field::Ip, "10.0.0.1".parse().unwrap());
    w.custom_json("order", "{\"id\":1}");
    w.custom_text("note", "first");
    w.custom_text("note", "last");
    w.end(Level::Info, Some(Outcome::Completed)).to_vec()
}

fn record(bytes: &[u8]) -> Record<'_> {
    Record::read(bytes).unwrap().0
}

#[test]
fn a_field_that_comes_again_is_written_with_its_last_value() {
    assert!(Field::ALL.iter().all(|f| f.id() < 128), "a bit for each");
    let mut w = RecordWriter::default();
    w.begin(Kind::Request, EntryId::from_bytes([7; 16]), NS);
    w.text(Field::UserId, "u-1");
    w.text(Field::Path, "/");
    w.text(Field::UserId, "u-2");
    w.text(Field::UserId, "u-3");
    let mut line = Vec::new();
    entry(&mut line, &record(w.end(Level::Info, None))).unwrap();
    let line = String::from_utf8(line).unwrap();
    assert_eq!(line.matches("user_id").count(), 1, "{line}");
    assert!(line.contains("\"path\":\"/\",\"user_id\":\"u-3\""), "{line}");
}

#[test]
fn a_batch_holds_each_entry_with_the_names_of_the_protocol() {
    let bytes = request();
    let mut batch = NativeBatch::new();
    batch.push(&record(&bytes)).unwrap();
    batch.push(&record(&bytes)).unwrap();
    let sealed: Json =
        serde_json::from_slice(batch.seal(|out| out.extend_from_slice(b",\"seq\":5"))).unwrap();
    assert_eq!(sealed["seq"], 5);
    assert_eq!(sealed["logs"].as_array().unwrap().len(), 2);
    let expected = json!({
        "id": "07070707-0707-0707-0707-070707070707", "kind": "request", "level": "INFO",
        "created_at": 1_763_600_000.123456, "outcome": "completed", "method": "GET", "path": "/users/\"7\"",
        "route": "/users/{id}", "trace_id": "01".repeat(16), "span_id": "02".repeat(8), "status_code": 200,
        "ttfb_ms": 1.5, "ip": "10.0.0.1", "message": "GET /users/{id} 200", "user_agent": "curl/8",
        "request_headers": {"user-agent": ["curl/8"], "accept": ["a", "caf\u{fffd}"]},
        "response_headers": {"x-kind": ["k"], "content-type": ["text/plain"]},
        "response_content_type": "text/plain", "metadata": {"order": {"id": 1}, "note": "last"},
    });
    assert_eq!(sealed["logs"][1], expected);
}

#[test]
fn entries_are_byte_equal_to_serde_json() {
    let bytes = request();
    let mut batch = NativeBatch::new();
    batch.push(&record(&bytes)).unwrap();
    let sealed = batch.seal(|_| {}).to_vec();
    // `RawValue` would prove nothing: each member is printed anew by serde_json, in the order in which it came.
    let text = String::from_utf8(sealed).unwrap();
    let members: Vec<(String, Json)> = {
        let entry = &text["{\"logs\":[".len()..text.len() - 2];
        let parsed: Json = serde_json::from_str(entry).unwrap();
        let mut found: Vec<(usize, String, Json)> = parsed
            .as_object()
            .unwrap()
            .iter()
            .map(|(k, v)| (entry.find(&format!("\"{k}\":")).unwrap(), k.clone(), v.clone()))
            .collect();
        found.sort_by_key(|f| f.0);
        found.into_iter().map(|(_, k, v)| (k, v)).collect()
    };
    for (key, value) in members.iter().filter(|(_, v)| !v.is_object()) {
        let printed =
            format!("{}:{}", serde_json::to_string(key).unwrap(), serde_json::to_string(value).unwrap());
        assert!(text.contains(&printed), "{printed} is not in {text}");
    }
    assert!(members.len() > 15);
}

#[test]
fn a_malformed_record_leaves_no_trace_in_its_batch() {
    let good = request();
    let mut bad = good.clone();
    let last = bad.len() - 1;
    bad[last] = 0xff; // no UTF-8
    let mut batch = NativeBatch::new();
    batch.push(&record(&good)).unwrap();
    assert!(batch.push(&record(&bad)).is_err());
    batch.push(&record(&good)).unwrap();
    let sealed: Json = serde_json::from_slice(batch.seal(|_| {})).unwrap();
    assert_eq!(sealed["logs"].as_array().unwrap().len(), 2);
    assert_eq!(batch.entries(), 2);
    batch.clear();
    assert_eq!(batch.seal(|_| {}), b"{\"logs\":[]}");
}

#[test]
fn without_a_status_the_message_says_how_it_ended() {
    let mut w = RecordWriter::default();
    w.begin(Kind::Request, EntryId::generate(1), NS);
    w.text(Field::Method, "GET");
    w.text(Field::Path, "/slow");
    let bytes = w.end(Level::Warn, Some(Outcome::Cancelled)).to_vec();
    let mut line = Vec::new();
    let source = Source { service: "shop".into(), log_type: Some("WORKER".into()), ..Source::default() };
    entry_line(&mut line, &record(&bytes), &source).unwrap();
    let line: Json = serde_json::from_slice(&line).unwrap();
    assert_eq!(line["message"], "GET /slow cancelled");
    assert_eq!((&line["service"], &line["log_type"]), (&json!("shop"), &json!("WORKER")));
}
