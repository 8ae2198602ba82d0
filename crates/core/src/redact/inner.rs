//! Secrets inside of text under an innocent name: a redirect target with a token, a URL with a password, JSON. And
//! the readings of percent-encoded text.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::Redactor;
use super::treatment::Fate;

/// Text that is still encoded after this many rounds is not read any further.
const ROUNDS: usize = 3;
/// Names inside of text are looked at from their end.
const MAX_NAME: usize = 64;

/// What becomes of the value of a key that is secret in any of its readings. One that is wrongly or too often encoded
/// is taken for secret.
pub(super) fn fate_of_key(rules: &Redactor, raw: &[u8]) -> Option<Fate> {
    if !raw.contains(&b'%') {
        return rules.fate_of_name(raw);
    }
    if has_broken_escape(raw) {
        return Some(Fate::MASK);
    }
    let mut text = Cow::Borrowed(raw);
    for _ in 0..ROUNDS {
        text = Cow::Owned(percent_decode(&text).collect());
        if let Some(fate) = rules.fate_of_name(&text) {
            return Some(fate);
        }
        if !has_escape(&text) {
            return None;
        }
    }
    Some(Fate::MASK)
}

/// What becomes of a value in which a detector finds something, in any of its readings.
pub(super) fn fate_of_value(rules: &Redactor, raw: &[u8], cut: bool) -> Option<Fate> {
    if !rules.values.is_on() {
        return None;
    }
    if !raw.iter().any(|b| matches!(b, b'%' | b'+')) {
        return rules.values.first(&rules.names, raw, cut);
    }
    // Half an escape at the end says nothing.
    let half = raw.iter().rev().take(2).position(|&b| b == b'%').filter(|_| cut).map_or(0, |n| n + 1);
    readings(&raw[..raw.len() - half]).find_map(|text| {
        let spaced = || text.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect::<Vec<_>>();
        let first = |text: &[u8]| rules.values.first(&rules.names, text, cut);
        first(&text).or_else(|| text.contains(&b'+').then(|| first(&spaced())).flatten())
    })
}

/// Whether a secret key is more than a name, so that it goes with its value: `token:abc` is a key to a parser that
/// knows `=` alone, and what nobody would take for a name may be a value with `=` at its end.
pub(super) fn may_hold_a_value(key: &[u8]) -> bool {
    readings(key).last().is_some_and(|text| text.len() > MAX_NAME)
        || readings(key)
            .any(|text| text.iter().any(|b| b"=:?&;#,\"{}<>|".contains(b) || b.is_ascii_control()))
}

/// Whether text tells a secret in any of its readings: a secret name before one of `marks`, or the userinfo of a URL.
pub(super) fn holds_secret(rules: &Redactor, raw: &[u8], marks: &[u8]) -> bool {
    readings(raw).any(|text| names_a_secret(rules, &text, marks) || has_userinfo(&text))
}

/// The text as it came, and decoded until nothing more is encoded.
pub(super) fn readings(raw: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let next = |text: &Cow<'_, [u8]>| has_escape(text).then(|| Cow::Owned(percent_decode(text).collect()));
    std::iter::successors(Some(Cow::Borrowed(raw)), next).take(1 + ROUNDS)
}

fn names_a_secret(rules: &Redactor, text: &[u8], marks: &[u8]) -> bool {
    text.iter().enumerate().filter(|(_, b)| marks.contains(b)).any(|(at, &mark)| {
        let name = text[..at].trim_ascii_end();
        let unquoted = trim_end(name, b"\"'\\");
        let quoted = unquoted.len() < name.len();
        let of_name = |b: &u8| match b {
            b'"' | b'\'' | b'\\' => false,
            _ if quoted => true,
            // Before `:`, a dot more likely belongs to a host with a port, and a blank to prose.
            b'.' | b'+' | b' ' => mark == b'=',
            b'_' | b'-' | b'[' | b']' => true,
            b => b.is_ascii_alphanumeric() || !b.is_ascii(),
        };
        let len = unquoted.iter().rev().take(MAX_NAME).take_while(|b| of_name(b)).count();
        len > 0 && rules.names.is_secret(&unquoted[unquoted.len() - len..])
    })
}

fn trim_end<'a>(mut text: &'a [u8], what: &[u8]) -> &'a [u8] {
    while let [rest @ .., last] = text
        && what.contains(last)
    {
        text = rest;
    }
    text
}

/// `scheme://user:password@host`, anywhere.
fn has_userinfo(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = rest.windows(3).position(|w| w == b"://") {
        rest = &rest[at + 3..];
        let authority = rest.iter().take_while(|b| !b"/?#\\\"' <>".contains(b));
        if authority.into_iter().any(|&b| b == b'@') {
            return true;
        }
    }
    false
}

fn has_escape(text: &[u8]) -> bool {
    text.windows(3).any(is_escape)
}

fn has_broken_escape(text: &[u8]) -> bool {
    text.iter().enumerate().any(|(at, &b)| b == b'%' && !text.get(at..at + 3).is_some_and(is_escape))
}

fn is_escape(three: &[u8]) -> bool {
    matches!(three, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
}
