//! Queries, masked parameter by parameter.

use super::Verdict;
use super::inner::{holds_secret, is_secret_key, may_hold_a_value};
use super::names::NameRules;
use super::rewrite::Rewrite;
use crate::scan;

/// Longer queries are dropped: servers refuse them before.
pub(super) const MAX: usize = 64 * 1024;

/// Masks a query, without its `?`. The value of a secret key goes whole, the key stays; everything else is copied
/// byte for byte. Dropped if it holds control characters or is longer than 64 KiB.
pub(super) fn mask(rules: &NameRules, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
    if raw.len() > MAX || has_control(raw) {
        return Verdict::Dropped;
    }
    let mut rewrite = Rewrite::new(raw, out);
    mask_parameters(rules, &mut rewrite, 0, raw.len(), Place::Query);
    rewrite.finish()
}

pub(super) fn has_control(raw: &[u8]) -> bool {
    scan::any(raw, |b| b.is_ascii_control())
}

/// Where parameters stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A text without `=` may be a value that lost its key.
    Query,
    /// A text without `=` is a path segment: `password`, `auth`.
    Path,
}

/// Masks the parameters in `raw[from..to]`, separated by `&` and `;`.
pub(super) fn mask_parameters(
    rules: &NameRules,
    rewrite: &mut Rewrite<'_>,
    from: usize,
    to: usize,
    place: Place,
) {
    let raw = rewrite.raw();
    let mut at = from;
    while at < to {
        let parameter = Parameter::first_of(&raw[at..to]);
        let mut end = at + parameter.text.len();
        if let Some(kept) = parameter.kept(rules, place) {
            // Many servers separate by `&` alone: for them the value goes on behind a `;`.
            end = raw[end..to].iter().position(|&b| b == b'&').map_or(to, |n| end + n);
            if at + kept < end {
                rewrite.redact(at + kept, end);
            }
        }
        at = end + 1;
    }
}

struct Parameter<'a> {
    text: &'a [u8],
    equals: Option<usize>,
    /// Whether a look inside is needed: there is a `%`, a `:` or a second `=`.
    special: bool,
}

/// The bytes that [`Parameter::first_of`] stops at.
static MARKS: [bool; 256] = {
    let mut marks = [false; 256];
    let mut rest: &[u8] = b"&;=:%";
    while let [mark, others @ ..] = rest {
        marks[*mark as usize] = true;
        rest = others;
    }
    marks
};

impl<'a> Parameter<'a> {
    fn first_of(raw: &'a [u8]) -> Self {
        let mut this = Self { text: raw, equals: None, special: false };
        let mut from = 0;
        while let Some(mark) = raw[from..].iter().position(|&b| MARKS[usize::from(b)]) {
            let at = from + mark;
            match raw[at] {
                b'&' | b';' => {
                    this.text = &raw[..at];
                    break;
                }
                b'=' if this.equals.is_none() => this.equals = Some(at),
                _ => this.special = true,
            }
            from = at + 1;
        }
        this
    }

    /// How many bytes stay in front of the mark; `None` if all of them do and nothing is masked.
    fn kept(&self, rules: &NameRules, place: Place) -> Option<usize> {
        let Some(equals) = self.equals else {
            let secret = match place {
                Place::Query if self.special => {
                    is_secret_key(rules, self.text) || holds_secret(rules, self.text, b"=:")
                }
                Place::Query => rules.is_secret(self.text),
                Place::Path => self.special && holds_secret(rules, self.text, b"="),
            };
            return secret.then_some(0);
        };
        let (key, value) = (&self.text[..equals], &self.text[equals + 1..]);
        let secret = if self.special { is_secret_key(rules, key) } else { rules.is_secret(key) };
        if secret {
            return Some(if may_hold_a_value(key) { 0 } else { equals + 1 });
        }
        if !self.special {
            return None;
        }
        if holds_secret(rules, key, b":") {
            return Some(0);
        }
        holds_secret(rules, value, b"=:").then_some(equals + 1)
    }
}
