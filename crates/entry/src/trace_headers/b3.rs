//! B3 propagation, [single header and multiple](https://github.com/openzipkin/b3-propagation).

use super::TraceFlags;
use super::incoming::Single;
use crate::{SpanId, TraceId};

/// The B3 headers of one request, as they came.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct B3Headers<'a> {
    pub(super) single: Single<'a>,
    pub(super) trace_id: Single<'a>,
    pub(super) span_id: Single<'a>,
    pub(super) sampled: Single<'a>,
    pub(super) flags: Single<'a>,
}

/// What they say. The caller's own parent, which B3 may name too, is its own affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct B3 {
    /// The trace and the caller's span in it; `None` where only the decision about sampling is passed on.
    pub(super) ids: Option<(TraceId, SpanId)>,
    /// What the caller decided, where it did: accept and debug are sampled, deny is not.
    pub(super) sampled: Option<bool>,
}

impl B3Headers<'_> {
    /// The single header, if it is valid, else the others.
    pub(super) fn read(&self) -> Option<B3> {
        self.single.get().and_then(single).or_else(|| self.multi())
    }

    fn multi(&self) -> Option<B3> {
        let debug = self.flags.get() == Some(b"1");
        let sampled = if debug { Some(true) } else { self.sampled.get().and_then(state) };
        let ids = match (self.trace_id.get(), self.span_id.get()) {
            (Some(trace), Some(span)) => trace_id(trace).zip(span_id(span)),
            _ => None,
        };
        (ids.is_some() || sampled.is_some()).then_some(B3 { ids, sampled })
    }
}

/// `{trace}-{span}`, `{trace}-{span}-{state}`, `{trace}-{span}-{state}-{parent}`, or `{state}` alone.
fn single(text: &[u8]) -> Option<B3> {
    let mut parts = text.split(|&b| b == b'-');
    let (first, second, third, fourth, fifth) =
        (parts.next()?, parts.next(), parts.next(), parts.next(), parts.next());
    let Some(second) = second else { return state(first).map(|s| B3 { ids: None, sampled: Some(s) }) };
    let ids = Some((trace_id(first)?, span_id(second)?));
    let sampled = match third {
        Some(text) => Some(state(text)?),
        None => None,
    };
    if let Some(parent) = fourth {
        span_id(parent)?;
    }
    fifth.is_none().then_some(B3 { ids, sampled })
}

/// `true` and `false` are what the first implementations wrote.
fn state(text: &[u8]) -> Option<bool> {
    match text {
        b"1" | b"d" | b"true" => Some(true),
        b"0" | b"false" => Some(false),
        _ => None,
    }
}

/// 16 or 32 digits; short ones are padded on the left.
fn trace_id(text: &[u8]) -> Option<TraceId> {
    let mut padded = [b'0'; 32];
    match text.len() {
        32 => padded.copy_from_slice(text),
        16 => padded[16..].copy_from_slice(text),
        _ => return None,
    }
    TraceId::parse_lenient(&padded).ok()
}

fn span_id(text: &[u8]) -> Option<SpanId> {
    SpanId::parse_lenient(text).ok()
}

/// Where nobody decided, the request is sampled, because it is logged.
pub(super) fn flags(sampled: Option<bool>) -> TraceFlags {
    if sampled == Some(false) { TraceFlags::default() } else { TraceFlags::SAMPLED }
}
