//! `Bearer` and `Basic` with their credentials, as in an `authorization` header.

use std::ops::Range;

use super::base64::holds_credentials;
use super::text::Text;

/// Shorter words after `Bearer` are words.
const SHORTEST: usize = 8;
/// Words of this length are none, whatever their letters.
const LONG: usize = 32;

pub(super) fn find(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    if !text.starts_word(at) {
        return None;
    }
    let scheme = text.run(at, |b| b.is_ascii_alphabetic());
    let start = text.run(scheme, |b| b == b' ' || b == b'\t');
    if start == scheme {
        return None;
    }
    let letters = text.run(start, |b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b));
    let end = text.run(letters, |b| b == b'=');
    let token = &text.bytes[start..end];
    // `Bearer realm="…"` is a challenge.
    if token.is_empty() || (end > letters && matches!(text.get(end), Some(b'"' | b'\\'))) {
        return None;
    }
    let is_secret = match &text.bytes[at..scheme] {
        name if name.eq_ignore_ascii_case(b"bearer") => token.len() >= SHORTEST && !is_word(token),
        name if name.eq_ignore_ascii_case(b"basic") => {
            token.len() >= 4 && !is_word(token) && holds_credentials(token)
        }
        _ => return None,
    };
    (is_secret || text.breaks_off(end)).then_some(start..end)
}

/// Letters of one case, but for a capital at the beginning.
fn is_word(token: &[u8]) -> bool {
    let rest = &token[1..];
    token.len() < LONG
        && !token.iter().any(u8::is_ascii_digit)
        && !(rest.iter().any(u8::is_ascii_uppercase) && rest.iter().any(u8::is_ascii_lowercase))
}
