//! `x-trace-id` and `x-request-id`: ids that a caller may make in its own form.

use crate::TraceId;

/// Both headers hold at most this many bytes.
const MAX: usize = 128;

/// What an `x-trace-id` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XTraceId<'a> {
    /// 32 hex digits or a UUID, not all zero: a trace id, continued as such.
    Trace(TraceId),
    /// Any other id: returned and forwarded unchanged, beside a W3C trace.
    Opaque(&'a str),
}

impl<'a> XTraceId<'a> {
    /// Reads a header value; `None` for what is neither a trace id nor 1 to 128 visible ASCII characters without
    /// quotes and commas.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        match TraceId::parse_lenient(value) {
            Ok(id) => Some(Self::Trace(id)),
            Err(_) => plain_id(value).map(Self::Opaque),
        }
    }
}

/// Reads an `x-request-id`; `None` for what is not 1 to 128 visible ASCII characters without quotes and commas: make
/// a new one then.
#[must_use]
pub fn request_id(value: &[u8]) -> Option<&str> {
    plain_id(value)
}

fn plain_id(value: &[u8]) -> Option<&str> {
    if !is_request_id(value) {
        return None;
    }
    std::str::from_utf8(value).ok()
}

/// Whether [`request_id`] takes this value. Such an id can stand in a header, a log line, JSON or a shell word without
/// escaping it.
#[must_use]
pub fn is_request_id(value: &[u8]) -> bool {
    let odd = |b: u8| (b.wrapping_sub(0x21) >= 0x5e) | (b == b'"') | (b == b'\'') | (b == b',');
    let Some(last) = value.last_chunk::<16>() else {
        return !value.is_empty() && !value.iter().any(|&b| odd(b));
    };
    // Sixteen bytes together: a few vector instructions. The first are the last ones, which may overlap others.
    let mut found = [0; 16];
    let (mut block, mut rest) = (last, value);
    loop {
        for (found, &b) in found.iter_mut().zip(block) {
            *found |= u8::from(odd(b));
        }
        let Some((next, others)) = rest.split_first_chunk() else { break };
        (block, rest) = (next, others);
    }
    value.len() <= MAX && u128::from_ne_bytes(found) == 0
}
