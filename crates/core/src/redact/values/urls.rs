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
    let authority = &text.bytes[start..end];
    if let Some(len) = authority.iter().rposition(|&b| b == b'@') {
        return (len > 0).then_some(start..start + len);
    }
    // What has a colon and no port after it is a user and the beginning of a password: with `/`, `?` or `#` in it, or
    // cut off before the `@`.
    let host = authority.iter().rposition(|&b| b == b']').map_or(0, |n| n + 1);
    let colon = host + authority[host..].iter().position(|&b| b == b':')?;
    if authority[colon + 1..].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let end = text.run(end, |b| b > b' ' && !b"\\\"'<>:".contains(&b));
    let len = text.bytes[start..end].iter().rposition(|&b| b == b'@');
    let cut = || text.breaks_off(end).then_some(start..end);
    len.map(|len| start..start + len).or_else(cut)
}
