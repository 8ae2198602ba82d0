//! JSON web tokens: three to five parts of base64, separated by dots; the first is JSON and so begins with `eyJ`.

use std::ops::Range;

use super::text::{Text, is_base64url};

/// A header of fewer letters names no algorithm.
const HEADER: usize = 16;
/// Prose goes on after a full stop with a blank; a payload is never this short.
const PAYLOAD: usize = 4;

pub(super) fn find(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let start = at.checked_sub(2)?;
    // Not in the middle of a row of such letters, which is looked at once.
    let inside = start > 0 && is_base64url(text.bytes[start - 1]);
    if !text.starts_with(start, b"eyJ") || inside {
        return None;
    }
    let dot = text.run(start, is_base64url);
    if text.breaks_off(dot) {
        return Some(start..dot);
    }
    let end = text.run(dot + 1, is_base64url);
    let is_token =
        dot - start >= HEADER && text.get(dot) == Some(b'.') && (end - dot > PAYLOAD || text.breaks_off(end));
    is_token.then(|| start..text.run(end, |b| is_base64url(b) || b == b'.'))
}
