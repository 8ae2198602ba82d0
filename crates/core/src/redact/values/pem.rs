//! Private keys in PEM, from `-----BEGIN … PRIVATE KEY-----` to their end or that of the text.

use std::ops::Range;

use super::text::Text;

const BEGIN: &[u8] = b"-----BEGIN ";
/// Of PGP it is `PRIVATE KEY BLOCK`.
const LABEL: &[u8] = b"PRIVATE KEY";
/// `ENCRYPTED`, `OPENSSH`, `RSA` stand before it.
const LONGEST_LABEL: usize = 40;

pub(super) fn find(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    if !text.starts_with(at, BEGIN) {
        return None;
    }
    let label = at + BEGIN.len();
    let dashes = text.run(label, |b| b.is_ascii_uppercase() || b == b' ');
    let words = &text.bytes[label..dashes];
    if dashes - label > LONGEST_LABEL || !words.windows(LABEL.len()).any(|w| w == LABEL) {
        return None;
    }
    let close = [b"-----END ".as_slice(), words, b"-----"].concat();
    let body = &text.bytes[dashes..];
    let end = body.windows(close.len()).position(|w| w == close).map(|n| dashes + n + close.len());
    Some(at..end.unwrap_or(text.bytes.len()))
}
