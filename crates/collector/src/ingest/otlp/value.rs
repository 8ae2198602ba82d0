//! `AnyValue` of opentelemetry.proto.common.v1 as plain JSON, from either encoding.

use super::wire::{Field, Fields, Malformed, text};
use crate::json::{Token, Walk, quote, unescape};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::fmt::Write as _;

/// A value as it came.
#[derive(Debug, Clone, Copy)]
pub(super) enum Any<'a> {
    /// The bytes of an `AnyValue`.
    Protobuf(&'a [u8]),
    /// The JSON object of one.
    Json(&'a str),
}

/// How a value was written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    /// Something in it has no place in JSON, and another thing stands there.
    pub(super) replaced: bool,
    /// It does not follow its encoding.
    pub(super) malformed: bool,
}

impl Written {
    fn note<T>(&mut self, result: Result<T, Malformed>) -> Option<T> {
        self.malformed |= result.is_err();
        result.ok()
    }
}

impl<'a> Any<'a> {
    /// Appends it as JSON. Bytes become base64; what has no value, null. Below `depth` containers within each other
    /// stands null: an entry of that depth is refused later on.
    pub(super) fn write(self, out: &mut String, depth: usize, written: &mut Written) {
        match self {
            Self::Protobuf(bytes) => protobuf(bytes, out, depth, written),
            Self::Json(text) => json(text, out, depth, written),
        }
    }

    /// The same, as a text of its own.
    pub(super) fn json(self, depth: usize, written: &mut Written) -> String {
        let mut out = String::new();
        self.write(&mut out, depth, written);
        out
    }

    /// The items, if it is an array.
    pub(super) fn items(self) -> Option<Vec<Any<'a>>> {
        match self {
            Self::Protobuf(bytes) => match last(bytes).ok()?? {
                (5, Field::Bytes(array)) => Some(
                    Fields(array)
                        .filter_map(|field| match field {
                            Ok((1, Field::Bytes(item))) => Some(Any::Protobuf(item)),
                            _ => None,
                        })
                        .collect(),
                ),
                _ => None,
            },
            Self::Json(text) => match member(text)? {
                ("arrayValue", array) => {
                    let mut walk = Walk::new(values(array)?);
                    Some(std::iter::from_fn(|| walk.value().map(Any::Json)).collect())
                }
                _ => None,
            },
        }
    }
}

/// The field that counts: of several the last one.
fn last(message: &[u8]) -> Result<Option<(u32, Field<'_>)>, Malformed> {
    let mut last = None;
    for field in Fields(message) {
        let (tag, field) = field?;
        if (1..=7).contains(&tag) {
            last = Some((tag, field));
        }
    }
    Ok(last)
}

fn protobuf(message: &[u8], out: &mut String, depth: usize, written: &mut Written) {
    let field = written.note(last(message)).flatten();
    match field {
        Some((1, Field::Bytes(text))) => lossy(text, out, written),
        Some((2, Field::Varint(b))) => out.push_str(if b == 0 { "false" } else { "true" }),
        Some((3, Field::Varint(n))) => {
            // Writing to a String does not fail, here and below.
            let _ = write!(out, "{}", n.cast_signed());
        }
        Some((4, Field::Fixed64(bits))) => double(f64::from_bits(bits), out, written),
        Some((5 | 6, Field::Bytes(_))) if depth == 0 => out.push_str("null"),
        Some((5, Field::Bytes(array))) => {
            out.push('[');
            let mut any = false;
            for field in Fields(array) {
                if let Some((1, Field::Bytes(item))) = written.note(field) {
                    out.push_str(if any { "," } else { "" });
                    protobuf(item, out, depth - 1, written);
                    any = true;
                }
            }
            out.push(']');
        }
        Some((6, Field::Bytes(list))) => {
            out.push('{');
            let mut any = false;
            for field in Fields(list) {
                if let Some((1, Field::Bytes(pair))) = written.note(field) {
                    let Some((key, value)) = written.note(key_value(pair)) else { continue };
                    out.push_str(if any { "," } else { "" });
                    lossy(key, out, written);
                    out.push(':');
                    protobuf(value, out, depth - 1, written);
                    any = true;
                }
            }
            out.push('}');
        }
        Some((7, Field::Bytes(bytes))) => {
            out.push('"');
            BASE64_STANDARD.encode_string(bytes, out);
            out.push('"');
        }
        Some(_) => {
            written.malformed = true;
            out.push_str("null");
        }
        None => out.push_str("null"),
    }
}

/// `KeyValue`: the bytes of its key, and of its value.
pub(super) fn key_value(pair: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    for field in Fields(pair) {
        match field? {
            (1, Field::Bytes(bytes)) => key = bytes,
            (2, Field::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    Ok((key, value))
}

fn lossy(bytes: &[u8], out: &mut String, written: &mut Written) {
    quote(&text(bytes, &mut written.replaced), out);
}

/// A text by what stands between its quotes: escaped in one way, however it came.
fn requote(inner: &str, out: &mut String, written: &mut Written) {
    let mut text = String::new();
    let text = if inner.contains('\\') {
        written.replaced |= unescape(inner, &mut text);
        text.as_str()
    } else {
        inner
    };
    quote(text, out);
}

fn double(number: f64, out: &mut String, written: &mut Written) {
    if number.is_finite() {
        let _ = write!(out, "{number:?}");
    } else {
        written.replaced = true;
        out.push_str("null");
    }
}

/// The member of an `AnyValue` that says its value.
fn member(any: &str) -> Option<(&str, &str)> {
    let mut walk = Walk::new(any);
    std::iter::from_fn(|| walk.member())
        .filter(|(name, value)| name.ends_with("Value") && *value != "null")
        .last()
}

/// The `values` of an `ArrayValue` or a `KeyValueList`.
fn values(list: &str) -> Option<&str> {
    let mut walk = Walk::new(list);
    std::iter::from_fn(|| walk.member())
        .filter(|(name, _)| *name == "values")
        .last()
        .map(|(_, values)| values)
}

fn json(any: &str, out: &mut String, depth: usize, written: &mut Written) {
    let found = if any.starts_with('{') { member(any) } else { None };
    let Some((name, value)) = found else {
        written.malformed |= !matches!(Token::of(any), Token::Object(_) | Token::Null);
        return out.push_str("null");
    };
    match (name, Token::of(value)) {
        ("boolValue", Token::Bool(raw)) => out.push_str(raw),
        ("stringValue" | "bytesValue", Token::Text(inner)) => requote(inner, out, written),
        // An int64 is a text in this encoding; numbers are taken too.
        ("intValue", Token::Text(digits) | Token::Number(digits)) => match digits.parse::<i64>() {
            Ok(number) => {
                let _ = write!(out, "{number}");
            }
            Err(_) => out.push_str(value),
        },
        ("doubleValue", Token::Number(word) | Token::Text(word)) => match word.parse() {
            Ok(number) => double(number, out, written),
            Err(_) => out.push_str(value),
        },
        ("arrayValue" | "kvlistValue", Token::Object(_)) if depth == 0 => out.push_str("null"),
        ("arrayValue", Token::Object(_)) => {
            out.push('[');
            let mut walk = Walk::new(values(value).unwrap_or_default());
            let mut any = false;
            while let Some(item) = walk.value() {
                out.push_str(if any { "," } else { "" });
                json(item, out, depth - 1, written);
                any = true;
            }
            out.push(']');
        }
        ("kvlistValue", Token::Object(_)) => {
            out.push('{');
            let mut walk = Walk::new(values(value).unwrap_or_default());
            let mut any = false;
            while let Some(pair) = walk.value() {
                let (key, value) = json_key_value(pair);
                out.push_str(if any { "," } else { "" });
                requote(key, out, written);
                out.push(':');
                json(value, out, depth - 1, written);
                any = true;
            }
            out.push('}');
        }
        // Not as the encoding has it: kept as it came.
        _ => out.push_str(value),
    }
}

/// `KeyValue`: what stands between the quotes of its key, and the text of its value.
pub(super) fn json_key_value(pair: &str) -> (&str, &str) {
    let (mut key, mut value) = ("", "null");
    let mut walk = Walk::new(pair);
    while let Some((name, raw)) = walk.member() {
        match (name, Token::of(raw)) {
            ("key", Token::Text(inner)) => key = inner,
            ("value", _) => value = raw,
            _ => {}
        }
    }
    (key, value)
}
