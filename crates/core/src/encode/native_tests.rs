use super::*;
use hoplog_entry::{EntryId, Field, Kind, KnownHeader, Level, Outcome, RecordWriter, SpanId, TraceId};
use proptest::prelude::*;
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

/// One step of writing a record; the numbers choose among few fields and names, so that some come again.
fn write(w: &mut RecordWriter, (what, which, text): &(u8, u8, String)) {
    const TEXTS: [Field; 6] =
        [Field::Method, Field::Path, Field::Route, Field::Message, Field::UserAgent, Field::ContentType];
    const NUMBERS: [Field; 3] = [Field::StatusCode, Field::RequestSize, Field::Line];
    const HEADERS: [&str; 5] = ["user-agent", "referer", "content-type", "x-own", "accept"];
    let which = usize::from(*which);
    match what {
        0 => w.text(TEXTS[which % TEXTS.len()], text),
        1 => w.uint(NUMBERS[which % NUMBERS.len()], 10_u64.pow(which as u32 % 20)),
        2 => w.header(Field::RequestHeader, HEADERS[which % HEADERS.len()], text.as_bytes()),
        3 => w.header(Field::ResponseHeader, HEADERS[which % HEADERS.len()], text.as_bytes()),
        4 => w.custom_text(&format!("own{}", which % 8), text),
        5 => w.nanos(Field::Ttfb, which as u64 * 1_000_700),
        6 => w.float(Field::Weight, which as f64 / 8.0),
        _ => w.ip(Field::Ip, [203, 0, 113, which as u8].into()),
    }
}

/// What serde_json reads of an object in which nothing may come twice.
fn object(members: &[u8]) -> Json {
    struct Once;
    impl<'de> serde::de::Visitor<'de> for Once {
        type Value = serde_json::Map<String, Json>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut read = serde_json::Map::new();
            while let Some((key, value)) = map.next_entry::<String, Json>()? {
                assert!(read.insert(key.clone(), value).is_none(), "{key} comes twice");
            }
            Ok(read)
        }
    }
    let whole = [b"{", members, b"}"].concat();
    let mut reader = serde_json::Deserializer::from_slice(&whole);
    Json::Object(serde::Deserializer::deserialize_map(&mut reader, Once).unwrap())
}

proptest! {
    #[test]
    fn a_record_says_the_same_however_it_is_written(
        steps in prop::collection::vec((0..8u8, any::<u8>(), any::<String>()), 0..24)
    ) {
        let mut w = RecordWriter::default();
        w.begin(Kind::Request, EntryId::from_bytes([7; 16]), NS);
        steps.iter().for_each(|step| write(&mut w, step));
        let bytes = w.end(Level::Info, Some(Outcome::Completed)).to_vec();
        let (mut written, mut gathered, mut in_order) = (Vec::new(), Vec::new(), Vec::new());
        entry(&mut written, &record(&bytes)).unwrap();
        members::gathered(&mut gathered, &Entry::read(&record(&bytes)).unwrap());
        prop_assert_eq!(object(&written), object(&gathered));
        if members::in_order(&mut in_order, &record(&bytes)).unwrap() {
            prop_assert_eq!(in_order, written);
        }
    }
}

#[test]
fn what_a_request_leaves_is_written_in_order() {
    let mut w = RecordWriter::default();
    w.begin(Kind::Request, EntryId::from_bytes([7; 16]), NS);
    for step in [(0, 0, "GET"), (2, 0, "curl"), (2, 4, "a"), (3, 2, "text/plain"), (1, 0, ""), (4, 1, "x")] {
        write(&mut w, &(step.0, step.1, step.2.into()));
    }
    (0..256).for_each(|i| w.custom_text(&format!("name{i}"), "x"));
    let bytes = w.end(Level::Info, None).to_vec();
    let mut out = Vec::new();
    assert_eq!(members::in_order(&mut out, &record(&bytes)), Ok(false), "more fields than are compared");
    let mut w = RecordWriter::default();
    w.begin(Kind::Event, EntryId::from_bytes([7; 16]), NS);
    (0..256).for_each(|i| w.custom_text(&format!("name{i}"), "x"));
    let bytes = w.end(Level::Info, None).to_vec();
    assert_eq!(members::in_order(&mut out, &record(&bytes)), Ok(true));
    let bytes = request();
    assert_eq!(members::in_order(&mut out, &record(&bytes)), Ok(false), "a name comes again");
}
