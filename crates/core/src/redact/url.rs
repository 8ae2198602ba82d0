//! URLs and paths: of `referer`, `location` and their like, and of the request itself.

use super::query::{self, Part, mask_parameters};
use super::rewrite::Rewrite;
use super::treatment::Fate;
use super::values::SHORTEST;
use super::{Redactor, Verdict};
use crate::scan;

/// Masks an absolute URL or a reference relative to one (RFC 3986 §4.2): the userinfo goes, path and query are masked
/// by parameter, the fragment is left out. What cannot be read is replaced whole.
pub(super) fn mask(rules: &Redactor, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
    let mut rewrite = Rewrite::new(raw, out);
    match mask_parts(rules, &mut rewrite) {
        Some(()) => rewrite.finish(),
        None => rewrite.redact_all(),
    }
}

/// Masks parameters in the segments of a path: `/cart;jsessionid=1`, `/token=1/reset`.
pub(super) fn mask_path(rules: &Redactor, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
    let mut rewrite = Rewrite::new(raw, out);
    mask_segments(rules, &mut rewrite, 0, raw.len());
    rewrite.finish()
}

fn mask_parts(rules: &Redactor, rewrite: &mut Rewrite<'_>) -> Option<()> {
    let raw = rewrite.raw();
    if raw.len() > query::MAX || query::has_control(raw) || raw.contains(&b' ') {
        return None;
    }
    let fragment = raw.iter().position(|&b| b == b'#').unwrap_or(raw.len());
    let query = raw[..fragment].iter().position(|&b| b == b'?').unwrap_or(fragment);

    let mut path = 0;
    if let Some(authority) = authority_start(&raw[..query])? {
        path = raw[authority..query].iter().position(|&b| b == b'/').map_or(query, |n| authority + n);
        let userinfo = raw[authority..path].iter().rposition(|&b| b == b'@').map_or(0, |n| n + 1);
        if !is_host_and_port(&raw[authority + userinfo..path]) {
            return None;
        }
        if userinfo > 0 {
            rewrite.treat(&rules.key, Fate::MASK, authority, authority + userinfo - 1);
        }
    }
    mask_segments(rules, rewrite, path, query);
    mask_parameters(rules, rewrite, (query + 1).min(fragment), fragment, Part::Query);
    if fragment < raw.len() {
        rewrite.cut(fragment, raw.len());
    }
    Some(())
}

/// Where the authority begins, if there is one; `None` for a scheme that knows none (`data:`, `mailto:`) and for what
/// is no URL. `about:blank` is let through.
fn authority_start(head: &[u8]) -> Option<Option<usize>> {
    if head.starts_with(b"//") {
        return Some(Some(2));
    }
    let colon = match head.iter().position(|b| matches!(b, b'/' | b':')) {
        Some(at) if head[at] == b':' => at,
        _ => return Some(None),
    };
    let (scheme, rest) = (&head[..colon], &head[colon + 1..]);
    let is_scheme = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    match (is_scheme, rest) {
        (true, [b'/', b'/', ..]) => Some(Some(colon + 3)),
        (true, b"blank" | b"srcdoc") if scheme.eq_ignore_ascii_case(b"about") => Some(None),
        _ => None,
    }
}

/// A name or an address, and a port of digits alone: what looks otherwise may be a part of a password.
fn is_host_and_port(text: &[u8]) -> bool {
    let (host, port) = match text.iter().rposition(|b| matches!(b, b':' | b']')) {
        Some(at) if text[at] == b':' => (&text[..at], &text[at + 1..]),
        _ => (text, &[][..]),
    };
    let of_name =
        |b: &u8| b.is_ascii_alphanumeric() || !b.is_ascii() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'%');
    let is_host = match host {
        [b'[', address @ .., b']'] => address.iter().all(|b| of_name(b) || *b == b':'),
        name => name.iter().all(of_name),
    };
    is_host && port.len() <= 5 && port.iter().all(u8::is_ascii_digit)
}

/// Whether a path needs a closer look: it has long segments, or signs of parameters, escapes or users in them.
#[inline]
pub(super) fn is_unusual(rules: &Redactor, path: &[u8]) -> bool {
    scan::any(path, |b| (b == b'=') | (b == b'%') | (b == b'@'))
        || rules.values.is_on() && scan::has_long_part(path, b'/', SHORTEST)
}

fn mask_segments(rules: &Redactor, rewrite: &mut Rewrite<'_>, from: usize, to: usize) {
    let path = &rewrite.raw()[from..to];
    if !is_unusual(rules, path) {
        return;
    }
    let (mut at, mut before_last, mut last): (usize, &[u8], &[u8]) = (from, b"", b"");
    for segment in path.split(|&b| b == b'/') {
        let end = at + segment.len();
        // A URL in the path: `/fetch/https://user:password@host/`.
        let after_scheme = last.is_empty() && before_last.ends_with(b":");
        let userinfo = segment.iter().rposition(|&b| b == b'@').unwrap_or(0);
        if userinfo > 0 && (after_scheme || segment[..userinfo].contains(&b':')) {
            rewrite.treat(&rules.key, Fate::MASK, at, at + userinfo);
            at += userinfo;
        }
        mask_parameters(rules, rewrite, at, end, Part::Path);
        (at, before_last, last) = (end + 1, last, segment);
    }
}
