//! `AnyValue` and `KeyValue` of opentelemetry.proto.common.v1.

use std::net::IpAddr;

use hoplog_entry::Value;
use serde_json::Value as Json;

use super::wire;

const STRING: u32 = 1;
const BOOL: u32 = 2;
const INT: u32 = 3;
const DOUBLE: u32 = 4;
const ARRAY: u32 = 5;
const LIST: u32 = 6;

/// Deeper values are written as JSON text: a level of theirs takes three messages, and decoders stop at a hundred.
const DEEPEST: usize = 24;

/// The attribute `key` in the field `tag`; `write` writes its `AnyValue`.
pub(super) fn attribute(out: &mut Vec<u8>, tag: u32, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
    wire::message(out, tag, |out| {
        wire::text(out, 1, key);
        wire::message(out, 2, write);
    });
}

/// A text. Unlike a field of text, it is written where it is empty too: absent is another value.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    wire::bytes(out, STRING, text.as_bytes());
}

pub(super) fn int(out: &mut Vec<u8>, n: i64) {
    wire::varint(out, INT, n as u64);
}

/// An `int64` where it fits, else its digits.
pub(super) fn uint(out: &mut Vec<u8>, n: u64) {
    match i64::try_from(n) {
        Ok(n) => int(out, n),
        Err(_) => text(out, &n.to_string()),
    }
}

pub(super) fn double(out: &mut Vec<u8>, n: f64) {
    wire::fixed64(out, DOUBLE, n.to_bits());
}

fn bool(out: &mut Vec<u8>, b: bool) {
    wire::varint(out, BOOL, b.into());
}

/// Texts as an array.
pub(super) fn texts<'t>(out: &mut Vec<u8>, each: impl Iterator<Item = std::borrow::Cow<'t, str>>) {
    wire::message(out, ARRAY, |out| {
        for item in each {
            wire::message(out, 1, |out| text(out, &item));
        }
    });
}

/// Any value of a record. A duration is in milliseconds.
pub(super) fn value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Text(t) => text(out, t),
        Value::Uint(n) => uint(out, n),
        Value::Int(n) => int(out, n),
        Value::Float(n) => double(out, n),
        Value::Bool(b) => bool(out, b),
        Value::Nanos(ns) => double(out, ns as f64 / 1e6),
        Value::Uuid(id) => wire::bytes(out, STRING, &id.to_ascii()),
        Value::TraceId(id) => wire::bytes(out, STRING, &id.to_ascii()),
        Value::SpanId(id) => wire::bytes(out, STRING, &id.to_ascii()),
        Value::Ip(address) => ip(out, address),
        Value::Json(json) => match serde_json::from_str::<Json>(json) {
            Ok(json) => self::json(out, &json, 0),
            // Beyond what serde_json reads, like a number out of range.
            Err(_) => text(out, json),
        },
    }
}

fn ip(out: &mut Vec<u8>, address: IpAddr) {
    text(out, &address.to_canonical().to_string());
}

/// Null is the empty `AnyValue`.
fn json(out: &mut Vec<u8>, value: &Json, depth: usize) {
    match value {
        Json::Null => {}
        Json::Bool(b) => bool(out, *b),
        Json::Number(n) => match (n.as_i64(), n.as_u64(), n.as_f64()) {
            (Some(n), ..) => int(out, n),
            (_, Some(n), _) => uint(out, n),
            (.., n) => double(out, n.unwrap_or(f64::NAN)),
        },
        Json::String(t) => text(out, t),
        Json::Array(_) | Json::Object(_) if depth >= DEEPEST => text(out, &value.to_string()),
        Json::Array(items) => wire::message(out, ARRAY, |out| {
            for item in items {
                wire::message(out, 1, |out| json(out, item, depth + 1));
            }
        }),
        Json::Object(members) => wire::message(out, LIST, |out| {
            for (key, item) in members {
                attribute(out, 1, key, |out| json(out, item, depth + 1));
            }
        }),
    }
}
