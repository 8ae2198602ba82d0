//! How far the value behind a name reaches.

use std::ops::Range;

use crate::redact::values::text::Text;

/// `Some(Token("…"))` is looked into so deep.
const WRAPPERS: usize = 4;
/// Behind a colon or a blank a shorter word with a digit in it is a word: `sha256`, `oauth2`.
const SHORTEST: usize = 7;
/// What stands between `authorization:` and its credentials.
const SCHEMES: [&[u8]; 6] = [b"basic", b"bearer", b"token", b"key", b"apikey", b"negotiate"];

/// What is in quotes from `at` on, without them, also where a name for its type stands around it.
/// Backticks count where a value follows at once: in prose they quote what a parser met.
pub(super) fn quoted(text: &Text<'_>, mut at: usize, tight: bool) -> Option<Range<usize>> {
    for _ in 0..WRAPPERS {
        let end = text.run(at, |b| b.is_ascii_alphanumeric() || b == b'_');
        match text.get(end) {
            Some(b'(') => at = end + 1,
            Some(b'"' | b'\'' | b'\\') if end <= at + 1 => return in_quotes(text, end),
            Some(b'`') if end == at && tight => return in_quotes(text, end),
            _ => break,
        }
    }
    None
}

/// Quotes of text inside of text have backslashes before them. One that is not closed reaches to the end.
fn in_quotes(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let open = text.run(at, |b| b == b'\\');
    let quote = text.get(open).filter(|b| b"\"'`".contains(b))?;
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

/// An object, a list or a tuple, with the name of its type: `{"a":"b"}`, `[1, 2]`, `Token { value: "x" }`, `Some(7)`.
/// One that is not closed reaches to the end.
pub(super) fn bracketed(text: &Text<'_>, at: usize, tight: bool) -> Option<Range<usize>> {
    let named = text.get(at).is_some_and(|b| b.is_ascii_uppercase());
    let mut open = at;
    if named {
        open = text.run(at, |b| b.is_ascii_alphanumeric() || b == b'_');
        open += usize::from(text.starts_with(open, b" {"));
    }
    let (bracket, inside) = (text.get(open)?, text.get(open + 1));
    // Prose may begin with a bracket.
    let is_value = tight || named || !inside.is_some_and(|b| b.is_ascii_alphabetic());
    if !is_value || !(b"{[".contains(&bracket) || named && bracket == b'(') {
        return None;
    }
    let (mut depth, mut here) = (0_usize, open);
    while let Some(b) = text.get(here) {
        match b {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth -= 1,
            b'"' | b'\'' | b'\\' => {
                let slashes = text.run(here, |b| b == b'\\') - here;
                here = match in_quotes(text, here) {
                    Some(inner) => inner.end + slashes, // at the quote that closes
                    None => here + slashes - 1,
                };
            }
            _ => {}
        }
        here += 1;
        if depth == 0 {
            return Some(at..here);
        }
    }
    Some(at..text.bytes.len())
}

/// A value without quotes that follows at once.
pub(super) fn bare(text: &Text<'_>, start: usize) -> Option<Range<usize>> {
    let start = start + usize::from(text.get(start) == Some(b'<'));
    Some(start..bare_end(text, start))
}

/// A value without quotes where prose may stand: one that is no word of any language.
pub(super) fn made_up(text: &Text<'_>, start: usize) -> Option<Range<usize>> {
    let word = text.run(start, |b| b.is_ascii_alphabetic());
    let next = text.run(word, |b| b == b' ');
    let is_scheme = next > word && SCHEMES.iter().any(|s| text.bytes[start..word].eq_ignore_ascii_case(s));
    let start = if is_scheme { next } else { start };
    let end = bare_end(text, start);
    let value = &text.bytes[start..end];
    let is_open = matches!(value, [b'[' | b'{', ..]); // `auth: [worker-1] started`
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = value.iter().any(|b| b.is_ascii_alphabetic());
    let made_up = if letters { digits > 0 && value.len() >= SHORTEST } else { digits >= 3 };
    (!is_open && (made_up || text.breaks_off(end))).then_some(start..end)
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
