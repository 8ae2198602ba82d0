//! Both encodings of one request make the same entries, and no bytes whatever make a panic or something but JSON.

use super::*;
use crate::budget::Budget;
use crate::ingest::entry::EntryLimits;
use base64::Engine as _;
use proptest::prelude::*;
use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::{Value, json};
use std::time::Duration;

const LIMITS: BatchLimits = BatchLimits { entries: 100, entry: EntryLimits { bytes: 64 * 1024, depth: 32 } };

/// The entries that a body makes.
fn entries(body: &[u8], encoding: Encoding) -> Result<Vec<Value>, String> {
    let mut grant = Budget::new(64 << 20, Duration::ZERO).grant();
    let room = Room { grant: &mut grant, body: body.len(), most: 32 << 20 };
    let translated = translate(body, encoding, room, LIMITS).map_err(|unread| format!("{unread:?}"))?;
    let read = |text: &str| {
        // As the reader does it for NUL, which the one encoding escapes and the other does not.
        let mut clean = String::new();
        crate::json::clean(text, &mut clean);
        serde_json::from_str(&clean).unwrap_or_else(|e| panic!("{e}: {text}"))
    };
    Ok(translated.texts().map(read).collect())
}

/// A value as a sender has it.
#[derive(Debug, Clone)]
enum Sent {
    Nothing,
    Text(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(Vec<u8>),
    Array(Vec<Sent>),
    List(Vec<(String, Sent)>),
}

fn field(out: &mut Vec<u8>, tag: u32, bytes: &[u8]) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn varint(out: &mut Vec<u8>, tag: u32, n: u64) {
    encode_key(tag, WireType::Varint, out);
    encode_varint(n, out);
}

fn fixed64(out: &mut Vec<u8>, tag: u32, n: u64) {
    encode_key(tag, WireType::SixtyFourBit, out);
    out.extend_from_slice(&n.to_le_bytes());
}

impl Sent {
    fn protobuf(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Nothing => {}
            Self::Text(text) => field(&mut out, 1, text.as_bytes()),
            Self::Bool(b) => varint(&mut out, 2, u64::from(*b)),
            Self::Int(n) => varint(&mut out, 3, n.cast_unsigned()),
            Self::Double(n) => fixed64(&mut out, 4, n.to_bits()),
            Self::Bytes(bytes) => field(&mut out, 7, bytes),
            Self::Array(items) => {
                let mut array = Vec::new();
                items.iter().for_each(|item| field(&mut array, 1, &item.protobuf()));
                field(&mut out, 5, &array);
            }
            Self::List(pairs) => {
                let mut list = Vec::new();
                pairs.iter().for_each(|pair| field(&mut list, 1, &pair_protobuf(pair)));
                field(&mut out, 6, &list);
            }
        }
        out
    }

    fn json(&self) -> Value {
        match self {
            Self::Nothing => json!({}),
            Self::Text(text) => json!({ "stringValue": text }),
            Self::Bool(b) => json!({ "boolValue": b }),
            // The two forms of an int64 take turns.
            Self::Int(n) if n % 2 == 0 => json!({ "intValue": n }),
            Self::Int(n) => json!({ "intValue": n.to_string() }),
            Self::Double(n) if n.is_nan() => json!({ "doubleValue": "NaN" }),
            Self::Double(n) => json!({ "doubleValue": n }),
            Self::Bytes(bytes) => json!({ "bytesValue": base64::prelude::BASE64_STANDARD.encode(bytes) }),
            Self::Array(items) => {
                json!({ "arrayValue": { "values": items.iter().map(Self::json).collect::<Vec<_>>() } })
            }
            Self::List(pairs) => json!({ "kvlistValue": { "values": pairs_json(pairs) } }),
        }
    }
}

fn pair_protobuf((key, value): &(String, Sent)) -> Vec<u8> {
    let mut out = Vec::new();
    field(&mut out, 1, key.as_bytes());
    field(&mut out, 2, &value.protobuf());
    out
}

fn pairs_json(pairs: &[(String, Sent)]) -> Vec<Value> {
    pairs.iter().map(|(key, value)| json!({"key": key, "value": value.json()})).collect()
}

/// A request of one record, before it is encoded.
#[derive(Debug, Clone)]
struct Request {
    resource: Vec<(String, Sent)>,
    scope: String,
    attributes: Vec<(String, Sent)>,
    body: Sent,
    time: u64,
    observed: u64,
    severity: u8,
    severity_text: String,
    trace_id: [u8; 16],
    span_id: [u8; 8],
    event_name: String,
    flags: u32,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02X}")).collect()
}

impl Request {
    fn protobuf(&self) -> Vec<u8> {
        let (mut resource, mut scope, mut record) = (Vec::new(), Vec::new(), Vec::new());
        self.resource.iter().for_each(|pair| field(&mut resource, 1, &pair_protobuf(pair)));
        field(&mut scope, 1, self.scope.as_bytes());
        field(&mut record, 10, &self.span_id);
        field(&mut record, 9, &self.trace_id);
        self.attributes.iter().for_each(|pair| field(&mut record, 6, &pair_protobuf(pair)));
        field(&mut record, 5, &self.body.protobuf());
        fixed64(&mut record, 1, self.time);
        fixed64(&mut record, 11, self.observed);
        varint(&mut record, 2, self.severity.into());
        field(&mut record, 3, self.severity_text.as_bytes());
        field(&mut record, 12, self.event_name.as_bytes());
        encode_key(8, WireType::ThirtyTwoBit, &mut record);
        record.extend_from_slice(&self.flags.to_le_bytes());
        varint(&mut record, 99, 1);
        let (mut scope_logs, mut resource_logs, mut request) = (Vec::new(), Vec::new(), Vec::new());
        // What describes the records may come behind them.
        field(&mut scope_logs, 2, &record);
        field(&mut scope_logs, 1, &scope);
        field(&mut resource_logs, 2, &scope_logs);
        field(&mut resource_logs, 1, &resource);
        field(&mut request, 1, &resource_logs);
        request
    }

    fn json(&self) -> String {
        let record = json!({
            "timeUnixNano": self.time.to_string(), "observedTimeUnixNano": self.observed, "severityNumber": self.severity,
            "severityText": self.severity_text, "body": self.body.json(), "attributes": pairs_json(&self.attributes),
            "traceId": hex(&self.trace_id).to_lowercase(), "spanId": hex(&self.span_id).to_lowercase(),
            "eventName": self.event_name, "flags": self.flags, "unknown": {"deep": [1]},
        });
        let scope_logs = json!({"scope": {"name": self.scope}, "logRecords": [record]});
        json!({"resourceLogs": [{"resource": {"attributes": pairs_json(&self.resource)}, "scopeLogs": [scope_logs]}]})
            .to_string()
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    let leaf = prop_oneof![
        Just(Sent::Nothing),
        ".{0,12}".prop_map(Sent::Text),
        any::<bool>().prop_map(Sent::Bool),
        any::<i64>().prop_map(Sent::Int),
        any::<f64>().prop_filter("JSON has no word for it", |n| !n.is_infinite()).prop_map(Sent::Double),
        prop::collection::vec(any::<u8>(), 0..8).prop_map(Sent::Bytes),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Sent::Array),
            prop::collection::vec((".{0,6}", inner), 0..4).prop_map(Sent::List),
        ]
    })
}

/// Attributes without a name twice; names with a place and names without one.
fn attributes() -> impl Strategy<Value = Vec<(String, Sent)>> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "http.request.method",
            "url.path",
            "server.address",
            "server.port",
            "error.type",
            "exception.type",
            "http.request.header.accept",
            "http.response.header.content-type",
            "log.record.uid",
            "service.name",
            "hoplog.kind",
            "hoplog.duration_ms",
            "telemetry.sdk.name",
            "telemetry.sdk.language",
            "id",
            "metadata",
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ];
    prop::collection::btree_map(name, sent(), 0..6).prop_map(|map| map.into_iter().collect())
}

fn request() -> impl Strategy<Value = Request> {
    let ids = (any::<[u8; 16]>(), any::<[u8; 8]>(), any::<u32>());
    let texts = (".{0,8}", ".{0,8}", prop_oneof![Just("hoplog".to_owned()), ".{0,8}"]);
    (attributes(), attributes(), sent(), any::<u64>(), any::<u64>(), 0..30_u8, texts, ids).prop_map(
        |(resource, attributes, body, time, observed, severity, texts, ids)| Request {
            resource,
            scope: texts.2,
            attributes,
            body,
            time,
            observed,
            severity,
            severity_text: texts.0,
            trace_id: ids.0,
            span_id: ids.1,
            event_name: texts.1,
            flags: ids.2,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_encodings_of_a_request_make_the_same_entry(request in request()) {
        let protobuf = entries(&request.protobuf(), Encoding::Protobuf).unwrap();
        let json = entries(request.json().as_bytes(), Encoding::Json).unwrap();
        prop_assert_eq!(&protobuf, &json);
        prop_assert_eq!(protobuf.len(), 1);
    }

    #[test]
    fn no_bytes_make_a_panic_or_something_but_json(
        request in request(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        for (mut body, encoding) in [
            (request.protobuf(), Encoding::Protobuf),
            (request.json().into_bytes(), Encoding::Json),
        ] {
            for (at, byte) in &flips {
                let at = at.index(body.len());
                body[at] ^= byte;
            }
            let _ = entries(&body, encoding);
            body.truncate(cut.index(body.len()));
            let _ = entries(&body, encoding);
        }
    }
}

#[test]
fn a_body_of_empty_messages_takes_no_more_than_it_may() {
    // 3 bytes for each record, then 100 000 attributes of 2 bytes in one.
    let empty = [0x12, 0x00].repeat(101);
    let mut request = Vec::new();
    let mut resource_logs = Vec::new();
    field(&mut resource_logs, 2, &empty);
    field(&mut request, 1, &resource_logs);
    assert!(entries(&request, Encoding::Protobuf).unwrap_err().contains("TooMany(101)"));

    let (mut scope_logs, mut resource_logs, mut request) = (Vec::new(), Vec::new(), Vec::new());
    field(&mut scope_logs, 2, &[0x32, 0x00].repeat(100_000));
    field(&mut resource_logs, 2, &scope_logs);
    field(&mut request, 1, &resource_logs);
    assert_eq!(entries(&request, Encoding::Protobuf).unwrap(), Vec::<Value>::new(), "refused by its size");
}

#[test]
fn what_every_record_would_repeat_is_bounded() {
    let resource = ("k".to_owned(), Sent::Text("x".repeat(60_000)));
    let (mut attributes, mut resource_logs, mut request, mut records) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    field(&mut attributes, 1, &pair_protobuf(&resource));
    (0..100).for_each(|_| field(&mut records, 2, &[]));
    field(&mut resource_logs, 1, &attributes);
    field(&mut resource_logs, 2, &records);
    field(&mut request, 1, &resource_logs);
    let mut grant = Budget::new(64 << 20, Duration::ZERO).grant();
    let room = Room { grant: &mut grant, body: request.len(), most: 1 << 20 };
    let refused =
        translate(&request, Encoding::Protobuf, room, LIMITS).err().map(|unread| format!("{unread:?}"));
    assert!(refused.as_deref().is_some_and(|refused| refused.contains("TooLarge")), "{refused:?}");
}
