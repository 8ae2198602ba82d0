//! Secrets in the parts of a URL that are not parameters; parameters are pairs.

use std::ops::Range;

use super::text::Text;

/// Whoever knows the path may post.
const WEBHOOK: &[u8] = b"hooks.slack.com/services/";

pub(super) fn find(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    if !text.starts_with(at, b"://") {
        return None;
    }
    let start = at + 3;
    if text.starts_with(start, WEBHOOK) {
        let path = start + WEBHOOK.len();
        let end = text.run(path, |b| b.is_ascii_alphanumeric() || b == b'/');
        return (end > path).then_some(path..end);
    }
    let end = text.run(start, |b| b > b' ' && !b"/?#\\\"'<>".contains(&b));
    match text.bytes[start..end].iter().rposition(|&b| b == b'@') {
        Some(0) => None,
        Some(len) => Some(start..start + len),
        // Cut before the `@`: what has a colon and no port after it may be a password.
        None if text.breaks_off(end) => {
            let colon = text.bytes[start..end].iter().position(|&b| b == b':')?;
            let port = text.run(start + colon + 1, |b| b.is_ascii_digit()) == end;
            (!port).then_some(start..end)
        }
        None => None,
    }
}
