use proptest::prelude::*;

use super::*;
use crate::{EntryId, Field, Kind, KnownHeader, Level, Outcome, SpanId, TraceId};

const NS: u64 = 1_763_600_000_123_456_789;

/// A record with a field of every type.
fn sample() -> Vec<u8> {
    let mut w = RecordWriter::default();
    w.begin(Kind::Request, EntryId::generate(NS / 1_000_000), NS);
    w.text(Field::Method, "GET");
    w.text(Field::Path, "/users/7");
    w.uint(Field::StatusCode, 200);
    w.uint(Field::ResponseSize, 70_000);
    w.uint(Field::RequestSize, u64::MAX);
    w.nanos(Field::Duration, 1_234_567);
    w.float(Field::Weight, 2.5);
    w.ip(Field::Ip, "10.0.0.1".parse().unwrap());
    w.ip(Field::Peer, "2001:db8::1".parse().unwrap());
    w.trace_id(Field::TraceId, &TraceId::generate());
    w.span_id(Field::SpanId, &SpanId::generate());
    w.uuid(Field::ExchangeId, &EntryId::generate(1));
    w.known_header(Field::RequestHeader, KnownHeader::Host, b"shop.example");
    w.named_header(Field::ResponseHeader, "x-kind", b"caf\xe9");
    w.custom_json("order", r#"{"id":7}"#);
    w.custom_text("note", "grüße");
    w.end(Level::Warn, Some(Outcome::Cancelled)).to_vec()
}

fn items(bytes: &[u8]) -> Result<Vec<Item<'_>>, Malformed> {
    Record::read(bytes)?.0.items().collect()
}

#[test]
fn what_was_written_is_read_back() {
    let bytes = sample();
    let (record, rest) = Record::read(&bytes).unwrap();
    assert!(rest.is_empty());
    assert_eq!((record.kind(), record.level()), (Kind::Request, Level::Warn));
    assert_eq!(record.outcome(), Some(Outcome::Cancelled));
    assert_eq!(record.created_unix_ns(), NS);
    assert_eq!(record.id().unix_ms(), Some(NS / 1_000_000));
    assert!(!record.is_cut());
    assert_eq!(record.get(Field::Method), Some(Value::Text("GET")));
    assert_eq!(record.get(Field::StatusCode), Some(Value::Uint(200)));
    assert_eq!(record.get(Field::ResponseSize), Some(Value::Uint(70_000)));
    assert_eq!(record.get(Field::RequestSize), Some(Value::Uint(u64::MAX)));
    assert_eq!(record.get(Field::Weight), Some(Value::Float(2.5)));
    assert_eq!(record.get(Field::Ip), Some(Value::Ip("10.0.0.1".parse().unwrap())));
    assert_eq!(record.get(Field::Peer), Some(Value::Ip("2001:db8::1".parse().unwrap())));
    assert_eq!(record.get(Field::Message), None);
    let all = items(&bytes).unwrap();
    assert!(all.contains(&Item::RequestHeader("host", b"shop.example")));
    assert!(all.contains(&Item::ResponseHeader("x-kind", b"caf\xe9")));
    assert!(all.contains(&Item::Custom("order", Value::Json(r#"{"id":7}"#))));
    assert!(all.contains(&Item::Custom("note", Value::Text("grüße"))));
}

#[test]
fn records_stand_one_after_the_other() {
    let (a, b) = (sample(), sample());
    let both = [a.as_slice(), b.as_slice()].concat();
    let (first, rest) = Record::read(&both).unwrap();
    let (second, rest) = Record::read(rest).unwrap();
    assert_eq!((first.bytes(), second.bytes(), rest), (a.as_slice(), b.as_slice(), [].as_slice()));
}

#[test]
fn unknown_field_ids_and_types_are_skipped() {
    let mut bytes = sample();
    let known = items(&bytes).unwrap().len();
    bytes.extend_from_slice(&(250u32 | 3 << 12).to_le_bytes()); // an unknown field
    bytes.extend_from_slice(b"abc");
    bytes.extend_from_slice(&(u32::from(Field::Path.id()) | 15 << 8 | 1 << 12).to_le_bytes()); // an unknown type
    bytes.push(0);
    let len = bytes.len() as u32;
    bytes[..3].copy_from_slice(&len.to_le_bytes()[..3]);
    assert_eq!(items(&bytes).unwrap().len(), known);
}

#[test]
fn a_record_cut_at_any_byte_is_refused() {
    let bytes = sample();
    for end in 0..bytes.len() {
        assert!(Record::read(&bytes[..end]).is_err(), "cut at {end}");
        // Even with a length that claims the cut was meant, a field in two halves is refused.
        if end >= HEAD_LEN {
            let mut short = bytes[..end].to_vec();
            short[..3].copy_from_slice(&(end as u32).to_le_bytes()[..3]);
            if let Ok(read) = items(&short) {
                assert!(items(&bytes).unwrap().starts_with(&read), "cut at {end} invents a field");
            }
        }
    }
}

#[test]
fn any_flipped_bit_is_read_or_refused() {
    let bytes = sample();
    let (mut read, mut refused) = (0, 0);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match items(&flipped) {
            Ok(_) => read += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}

#[test]
fn bytes_are_a_text_where_they_are_utf_8_and_cut_as_one() {
    let long = "é".repeat(300);
    for (bytes, text) in [(&b"shop"[..], Some("shop")), ("grüße".as_bytes(), Some("grüße")), (b"\xff", None)]
    {
        let mut w = RecordWriter::default();
        w.begin(Kind::Request, EntryId::generate(1), 1);
        w.utf8(Field::HostHeader, bytes);
        let bytes = w.end(Level::Info, None);
        assert_eq!(Record::read(bytes).unwrap().0.get(Field::HostHeader), text.map(Value::Text));
    }
    for long in [long.as_str(), &"a".repeat(300)] {
        let (mut bytes, mut text) = (RecordWriter::default(), RecordWriter::default());
        let id = EntryId::generate(1);
        bytes.begin(Kind::Request, id, 1);
        text.begin(Kind::Request, id, 1);
        bytes.utf8(Field::HostHeader, long.as_bytes());
        text.text(Field::HostHeader, long);
        assert_eq!(bytes.end(Level::Info, None), text.end(Level::Info, None));
    }
}

#[test]
fn long_texts_are_cut_on_a_character_and_say_so() {
    let mut w = RecordWriter::default();
    w.begin(Kind::Event, EntryId::generate(1), 1);
    w.text(Field::Message, &"ü".repeat(60_000));
    let bytes = w.end(Level::Info, None).to_vec();
    let (record, _) = Record::read(&bytes).unwrap();
    assert!(record.is_cut());
    let Some(Value::Text(text)) = record.get(Field::Message) else { panic!("no message") };
    assert!(text.len() <= Field::Message.limit());
    let kept = text.split('…').next().unwrap().len();
    assert!(
        text.ends_with(&format!("…[truncated {} bytes]", 120_000 - kept)),
        "{}",
        &text[text.len() - 40..]
    );
}

#[test]
fn a_record_never_exceeds_its_limit() {
    let mut w = RecordWriter::default();
    w.begin(Kind::Event, EntryId::generate(1), 1);
    for i in 0..100 {
        w.custom_text(&format!("field{i}"), &"x".repeat(60_000));
    }
    w.custom_json(&"n".repeat(300), &format!("\"{}\"", "x".repeat(70_000)));
    w.named_header(Field::RequestHeader, &"h".repeat(256), b"v");
    let bytes = w.end(Level::Info, None).to_vec();
    assert!(bytes.len() <= MAX_RECORD);
    let (record, _) = Record::read(&bytes).unwrap();
    assert!(record.is_cut());
    let kept: Vec<_> = record.items().collect::<Result<_, _>>().unwrap();
    assert_eq!(kept.len(), 5, "four whole texts, and the note in place of the long value");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = items(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_good_head_are_read_or_refused(tail in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut w = RecordWriter::default();
        w.begin(Kind::Event, EntryId::generate(1), 1);
        let mut bytes = w.end(Level::Info, None).to_vec();
        bytes.extend_from_slice(&tail);
        let len = bytes.len() as u32;
        bytes[..3].copy_from_slice(&len.to_le_bytes()[..3]);
        let _ = items(&bytes);
    }

    #[test]
    fn any_texts_and_numbers_round_trip(
        texts in proptest::collection::vec((0..Field::ALL.len(), ".{0,200}"), 0..20),
        number in any::<u64>(),
        custom in proptest::collection::vec(("[a-z]{1,20}", ".{0,40}"), 0..5),
        headers in proptest::collection::vec(("[a-z-]{1,30}", proptest::collection::vec(any::<u8>(), 0..50)), 0..5),
    ) {
        let texts: Vec<_> = texts.iter().map(|(i, t)| (Field::ALL[*i], t))
            .filter(|(f, _)| f.ty() == Type::Text).collect();
        let mut w = RecordWriter::default();
        w.begin(Kind::Event, EntryId::generate(number), number);
        texts.iter().for_each(|(f, t)| w.text(*f, t));
        w.uint(Field::Line, number);
        custom.iter().for_each(|(n, v)| w.custom_text(n, v));
        headers.iter().for_each(|(n, v)| match KnownHeader::from_name(n) {
            Some(known) => w.known_header(Field::RequestHeader, known, v),
            None => w.named_header(Field::RequestHeader, n, v),
        });
        let bytes = w.end(Level::Error, None).to_vec();
        let (record, _) = Record::read(&bytes)?;
        let mut expected: Vec<Item<'_>> = Vec::new();
        // A word's limit is below what the strategy makes of four-byte characters.
        let fits = texts.iter().all(|(f, t)| t.len() <= f.limit());
        expected.extend(texts.iter().map(|(f, t)| Item::Field(*f, Value::Text(t))));
        expected.push(Item::Field(Field::Line, Value::Uint(number)));
        expected.extend(custom.iter().map(|(n, v)| Item::Custom(n, Value::Text(v))));
        expected.extend(headers.iter().map(|(n, v)| Item::RequestHeader(n, v)));
        let read = record.items().collect::<Result<Vec<_>, _>>()?;
        prop_assert_eq!(record.is_cut(), !fits);
        prop_assert_eq!(read.len(), expected.len());
        if fits {
            prop_assert_eq!(read, expected);
        }
    }
}
