//! One value, read as its field wants it. Lenient: whatever can be understood is, and `None` means that the value
//! does not fit the field at all, so that its caller keeps it under `metadata`.

use crate::fields::{Field, MOST_WEIGHT, Shape};
use crate::json::{Token, Walk, unescape};
use crate::store::batch::{Batch, Value};
use crate::time;
use hoplog_entry::{EntryId, SpanId, TraceId};
use std::borrow::Cow;

/// A value that was read; `replaced` if characters that no store holds were replaced in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Read<T> {
    pub(crate) value: T,
    pub(crate) replaced: bool,
}

/// The text that a string, number or boolean stands for, trimmed of nothing.
pub(crate) fn text<'a>(token: Token<'a>) -> Option<Read<Cow<'a, str>>> {
    match token {
        Token::Text(inner) if !inner.contains('\\') => Some(Read { value: inner.into(), replaced: false }),
        Token::Text(inner) => {
            let mut out = String::with_capacity(inner.len());
            let replaced = unescape(inner, &mut out);
            Some(Read { value: out.into(), replaced })
        }
        Token::Number(raw) | Token::Bool(raw) => Some(Read { value: raw.into(), replaced: false }),
        Token::Null | Token::Array(_) | Token::Object(_) => None,
    }
}

/// A time in any accepted form, as microseconds; `Some(None)` for 0 and for an empty text, which mean "not known".
pub(crate) fn time(token: Token<'_>) -> Option<Option<i64>> {
    let text = match token {
        Token::Bool(_) => return None,
        _ => text(token)?.value,
    };
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    let micros = match text.parse::<f64>() {
        Ok(number) => time::from_number(number)?,
        Err(_) => time::parse_rfc3339(text)?,
    };
    Some((micros != 0).then_some(micros))
}

/// Reads what `field` holds; its text goes into `batch`.
pub(crate) fn field(field: Field, token: Token<'_>, batch: &mut Batch) -> Option<Read<Value>> {
    let plain = |value| Some(Read { value, replaced: false });
    match field.shape() {
        Shape::Text => keep_text(token, batch),
        Shape::Lines => match token {
            Token::Array(raw) => lines(raw, batch),
            _ => keep_text(token, batch),
        },
        Shape::Integer => plain(Value::Integer(integer(token)?)),
        Shape::Real => plain(Value::Real(real(token)?)),
        Shape::Weight => {
            plain(Value::Real(real(token).filter(|weight| (0.0..=MOST_WEIGHT).contains(weight))?))
        }
        Shape::Bool => plain(Value::Integer(i64::from(boolean(token)?))),
        Shape::Word(words) => plain(Value::Integer(words.code(text(token)?.value.trim())?.into())),
        Shape::Trace => match TraceId::parse_lenient(text(token)?.value.trim().as_bytes()) {
            Ok(id) => plain(Value::Bytes16(*id.as_bytes())),
            Err(_) => keep_text(token, batch),
        },
        Shape::Span => match SpanId::parse_strict(text(token)?.value.as_bytes()) {
            Ok(id) => plain(Value::Bytes8(*id.as_bytes())),
            Err(_) => keep_text(token, batch),
        },
        Shape::Id => plain(Value::Bytes16(*text(token)?.value.trim().parse::<EntryId>().ok()?.as_bytes())),
        Shape::Json => None,
    }
}

fn keep_text(token: Token<'_>, batch: &mut Batch) -> Option<Read<Value>> {
    let (slice, replaced) = match token {
        Token::Text(inner) => batch.write(|out| unescape(inner, out)),
        Token::Number(raw) | Token::Bool(raw) => batch.write(|out| {
            out.push_str(raw);
            false
        }),
        Token::Null | Token::Array(_) | Token::Object(_) => return None,
    };
    Some(Read { value: Value::Text(slice), replaced })
}

/// An array of texts, as one text of many lines.
fn lines(raw: &str, batch: &mut Batch) -> Option<Read<Value>> {
    let mut walk = Walk::new(raw);
    let (slice, replaced) = batch.write(|out| {
        let mut replaced = false;
        let start = out.len();
        while let Some(line) = walk.value() {
            if out.len() > start {
                out.push('\n');
            }
            match Token::of(line) {
                Token::Text(inner) => replaced |= unescape(inner, out),
                _ => replaced |= crate::json::clean(line, out),
            }
        }
        replaced
    });
    Some(Read { value: Value::Text(slice), replaced })
}

fn integer(token: Token<'_>) -> Option<i64> {
    let text = numeric(token)?;
    let text = text.trim();
    text.parse().ok().or_else(|| {
        // 2^53: up to here a float is the whole number that it says.
        let number =
            text.parse::<f64>().ok().filter(|n| n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0)?;
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        Some(number as i64)
    })
}

fn real(token: Token<'_>) -> Option<f64> {
    numeric(token)?.trim().parse().ok().filter(|n: &f64| n.is_finite())
}

fn boolean(token: Token<'_>) -> Option<bool> {
    match token {
        Token::Bool(_) | Token::Text(_) => text(token)?.value.trim().parse().ok(),
        _ => None,
    }
}

fn numeric(token: Token<'_>) -> Option<Cow<'_, str>> {
    match token {
        Token::Text(_) | Token::Number(_) => Some(text(token)?.value),
        _ => None,
    }
}
