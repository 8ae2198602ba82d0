//! JSON web tokens: three to five parts of base64, separated by dots; the first is JSON and so begins with `eyJ`.

use std::ops::Range;

use super::text::{Text, is_base64url};

/// A header of fewer letters names no algorithm.
const HEADER: usize = 16;
/// What stands before a token, in the same row of letters.
const LONGEST_NAME: usize = 64;
/// Prose goes on after a full stop with a blank; a payload is never this short.
const PAYLOAD: usize = 4;

pub(super) fn find(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let start = at.checked_sub(2)?;
    if !text.starts_with(start, b"eyJ") || is_inside(text, start) {
        return None;
    }
    let dot = text.run(start, is_base64url);
    if text.breaks_off(dot) {
        return Some(start..dot);
    }
    // The second part may be empty: of encryption under a key that both sides have, and where the payload is detached.
    let second = dot + 1 + usize::from(text.starts_with(dot, b".."));
    let end = text.run(second, is_base64url);
    let is_token = dot - start >= HEADER
        && text.get(dot) == Some(b'.')
        && (end - second >= PAYLOAD || text.breaks_off(end));
    is_token.then(|| start..text.run(end, |b| is_base64url(b) || b == b'.'))
}

/// Whether a row of such letters was looked at before, or is too long for a name before a token: `session-eyJ…`.
fn is_inside(text: &Text<'_>, start: usize) -> bool {
    let row = text.bytes[..start].iter().rev().take(LONGEST_NAME).take_while(|&&b| is_base64url(b)).count();
    let name = &text.bytes[start - row..start];
    !text.starts_word(start) || row == LONGEST_NAME || name.windows(3).any(|w| w == b"eyJ")
}
