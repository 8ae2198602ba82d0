//! A secret name with its value, as debug output, connection strings, URLs and JSON inside of text write it.

use std::ops::Range;

use super::text::Text;
use crate::redact::names::NameRules;

/// Names are looked at from their end.
const LONGEST_NAME: usize = 64;

/// The value behind `=` or `:` at `at`, if the name before it is secret.
pub(super) fn find(names: &NameRules, text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let (name, quoted) = name_before(text, at)?;
    if !names.is_secret(name) {
        return None; // first of all: behind every secret name what is looked at goes, so no byte is looked at often
    }
    let colon = text.bytes[at] == b':';
    let mut start = at + 1;
    if colon && text.get(start).is_some_and(|b| b == b':' || b == b'/') || text.get(start) == Some(b'=') {
        return None; // `a::b`, `scheme:/`, `a == b`
    }
    start = text.run(start + usize::from(text.get(start) == Some(b'>')), |b| b == b' ');
    for wrapper in [b"Some(".as_slice(), b"b", b"String("] {
        let inner = start + wrapper.len();
        if text.starts_with(start, wrapper) && matches!(text.get(inner), Some(b'"' | b'\\')) {
            start = inner;
        }
    }
    let value = match quoted_value(text, start) {
        Some(value) => value,
        // Before a colon there may be prose: `token: expired`. A number is none.
        None if colon && !quoted => {
            let end = text.run(start, |b| b.is_ascii_digit());
            (end - start >= 3).then_some(start..end)?
        }
        None if !colon && start > at + 1 && !quoted => return None,
        None => start..bare_end(text, start),
    };
    (!value.is_empty()).then_some(value)
}

/// The name that ends before the mark at `at`, and whether it is in quotes.
fn name_before<'a>(text: &Text<'a>, at: usize) -> Option<(&'a [u8], bool)> {
    let before = text.bytes[text.floor.min(at)..at].trim_ascii_end();
    let unquoted = before.len() - before.iter().rev().take_while(|b| b"\"'\\".contains(b)).count();
    let quoted = unquoted < before.len();
    if before.len() < at - text.floor.min(at) && !quoted && text.bytes[at] == b':' {
        return None; // ` : `
    }
    // Before a port there are the dots of a host.
    let host = text.bytes[at] == b':' && !quoted;
    let of_name = |b: &&u8| match b {
        b'.' => !host,
        b => b.is_ascii_alphanumeric() || b"_-[]".contains(b) || !b.is_ascii(),
    };
    let len = before[..unquoted].iter().rev().take(LONGEST_NAME).take_while(of_name).count();
    (len > 0).then(|| (&before[unquoted - len..unquoted], quoted))
}

/// What is in quotes from `at` on, without them. Quotes of text inside of text have backslashes before them.
fn quoted_value(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let open = text.run(at, |b| b == b'\\');
    let quote = text.get(open).filter(|&b| b == b'"' || b == b'\'')?;
    let (start, slashes) = (open + 1, open - at);
    let mut run = 0;
    for (offset, &b) in text.bytes[start..].iter().enumerate() {
        if b == quote && run == slashes {
            return Some(start..start + offset - slashes);
        }
        run = if b == b'\\' { run + 1 } else { 0 };
    }
    Some(start..text.bytes.len())
}

/// Where a value without quotes ends.
fn bare_end(text: &Text<'_>, start: usize) -> usize {
    let mut end = start;
    while let Some(b) = text.get(end).filter(|b| *b > b' ' && !b"&\"'<>\\`".contains(b)) {
        // `password=x;user=y`: the next name ends it. Any other `;` or `,` may be a part of it.
        if matches!(b, b';' | b',') {
            let name = text.run(end + 1, |b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
            if name > end + 1 && text.get(name) == Some(b'=') {
                break;
            }
        }
        end += 1;
    }
    // Punctuation of the sentence around it.
    for _ in 0..8 {
        let [rest @ .., last] = &text.bytes[start..end] else { break };
        let opener = match last {
            b')' => b'(',
            b']' => b'[',
            b'}' => b'{',
            b',' | b'.' | b';' if !text.breaks_off(end) => b'\0',
            _ => break,
        };
        if rest.contains(&opener) {
            break;
        }
        end -= 1;
    }
    end
}
