//! A secret name with its value, as debug output, connection strings, URLs and JSON inside of text write it.

mod values;

use std::ops::Range;

use super::text::Text;
use crate::redact::names::NameRules;
use values::{bare, bracketed, made_up, quoted};

/// Names are looked at from their end.
const LONGEST_NAME: usize = 64;

/// The value behind `=`, `:`, `%3D` or `<name>` at `at`, if the name before it is secret.
pub(super) fn find(names: &NameRules, text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let mark = Mark::at(text, at)?;
    let name = Name::before(text, at)?;
    if !names.is_secret(name.text) {
        return None; // first of all: behind every secret name what is looked at goes, so no byte is looked at often
    }
    let value = match mark {
        Mark::Tag => return in_tag(text, at - name.text.len(), at + 1),
        Mark::Colon(end) | Mark::Equals(end) => text.run(end, |b| b == b' ' || b == b'\t'),
    };
    // Behind a colon or a blank there may be prose: `token: expired`.
    let tight = name.quoted || matches!(mark, Mark::Equals(end) if end == value);
    let value = quoted(text, value, tight)
        .or_else(|| bracketed(text, value, tight))
        .or_else(|| if tight { bare(text, value) } else { made_up(text, value).filter(|_| !name.apart) })?;
    (!value.is_empty()).then_some(value)
}

/// What stands between a name and its value, with the place behind it.
enum Mark {
    Equals(usize),
    Colon(usize),
    Tag,
}

impl Mark {
    fn at(text: &Text<'_>, at: usize) -> Option<Self> {
        match &text.bytes[at..] {
            [b'>', ..] => Some(Self::Tag),
            [b':', b':' | b'/' | b'=', ..] | [b'=', b'=', ..] => None, // `a::b`, `scheme:/`, `a == b`
            [b'=', b'>', ..] => Some(Self::Equals(at + 2)),
            [b'=', ..] => Some(Self::Equals(at + 1)),
            [b':', ..] => Some(Self::Colon(at + 1)),
            [b'%', b'3', b'D' | b'd', ..] => Some(Self::Equals(at + 3)),
            [b'%', b'2', b'5', b'3', b'D' | b'd', ..] => Some(Self::Equals(at + 5)),
            _ => None,
        }
    }
}

/// A name that ends before a mark.
struct Name<'a> {
    text: &'a [u8],
    quoted: bool,
    /// A blank stands between it and its colon: of prose, if what follows is not quoted.
    apart: bool,
}

impl<'a> Name<'a> {
    fn before(text: &Text<'a>, at: usize) -> Option<Self> {
        let all = &text.bytes[text.floor.min(at)..at];
        let before = all.trim_ascii_end();
        let unquoted = before.len() - before.iter().rev().take_while(|b| b"\"'\\".contains(b)).count();
        let quoted = unquoted < before.len();
        let colon = text.bytes[at] == b':' && !quoted;
        let of_name = |b: &&u8| match b {
            b'.' => !colon, // before a port there are the dots of a host
            b => b.is_ascii_alphanumeric() || b"_-[]".contains(b) || !b.is_ascii(),
        };
        let len = before[..unquoted].iter().rev().take(LONGEST_NAME).take_while(of_name).count();
        let (before, mut name) = before[..unquoted].split_at(unquoted - len);
        // `%3Ftoken=`: what stands before the name is encoded.
        if let ([.., b'%'], [a, b, rest @ ..]) = (before, name)
            && a.is_ascii_hexdigit()
            && b.is_ascii_hexdigit()
        {
            name = rest;
        }
        (!name.is_empty()).then_some(Self { text: name, quoted, apart: colon && before_blank(all) })
    }
}

fn before_blank(text: &[u8]) -> bool {
    text.last().is_some_and(u8::is_ascii_whitespace)
}

/// What stands between `<name>` and `</`.
fn in_tag(text: &Text<'_>, name: usize, start: usize) -> Option<Range<usize>> {
    let before = name.checked_sub(1).and_then(|at| text.get(at));
    let end = text.run(start, |b| b != b'<');
    let closed = text.starts_with(end, b"</") || text.breaks_off(end);
    (matches!(before, Some(b'<' | b':')) && closed && end > start).then_some(start..end)
}
