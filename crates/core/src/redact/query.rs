//! Queries, masked parameter by parameter.

mod usual;

use usual::is_usual;

use super::inner::{fate_of_key, fate_of_value, holds_secret, may_hold_a_value};
use super::rewrite::Rewrite;
use super::seen;
use super::treatment::{Fate, Place};
use super::values::SHORTEST;
use super::{Redactor, Verdict};
use crate::scan;

/// Longer queries are dropped: servers refuse them before.
pub(super) const MAX: usize = 64 * 1024;

/// Masks a query, without its `?`. The value of a secret key goes whole, the key stays; everything else is copied
/// byte for byte. Dropped if it holds control characters or is longer than 64 KiB.
pub(super) fn mask(rules: &Redactor, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
    if is_plain(rules, raw) {
        return Verdict::Unchanged;
    }
    mask_unusual(rules, raw, out)
}

/// Whether it is known at one look that there is nothing to mask; remembered per thread, as clients ask the same
/// questions again and again.
#[inline]
pub(super) fn is_plain(rules: &Redactor, raw: &[u8]) -> bool {
    raw.len() <= MAX && seen::query(rules.names.id(), raw, || is_usual(rules, raw))
}

#[inline(never)] // rare
fn mask_unusual(rules: &Redactor, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
    if raw.len() > MAX || has_control(raw) {
        return Verdict::Dropped;
    }
    let mut rewrite = Rewrite::new(raw, out);
    mask_parameters(rules, &mut rewrite, 0, raw.len(), Part::Query);
    rewrite.finish()
}

/// Masks parameters in the body of a form, as in a query. `cut` says that its end is missing.
pub(super) fn mask_form(rules: &Redactor, raw: &[u8], cut: bool, out: &mut Vec<u8>) -> Verdict {
    if raw.len() > MAX || has_control(raw.trim_ascii_end()) {
        return Verdict::Dropped;
    }
    let mut rewrite = Rewrite::new(raw, out);
    let part = if cut { Part::CutForm } else { Part::Query };
    mask_parameters(rules, &mut rewrite, 0, raw.trim_ascii_end().len(), part);
    rewrite.finish()
}

pub(super) fn has_control(raw: &[u8]) -> bool {
    scan::any(raw, |b| b.is_ascii_control())
}

/// Where parameters stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A text without `=` may be a value that lost its key.
    Query,
    /// The same, and the last value is cut off.
    CutForm,
    /// A text without `=` is a path segment: `password`, `auth`.
    Path,
}

/// Masks the parameters in `raw[from..to]`, separated by `&` and `;`.
pub(super) fn mask_parameters(
    rules: &Redactor,
    rewrite: &mut Rewrite<'_>,
    from: usize,
    to: usize,
    part: Part,
) {
    let raw = rewrite.raw();
    let (mut at, asks) = (from, rules.custom.is_some());
    while at < to {
        let parameter = Parameter::first_of(&raw[at..to]);
        let mut end = at + parameter.text.len();
        let cut = part == Part::CutForm && end == to;
        if parameter.is_short() && !asks && !cut && rules.names.treatment(parameter.key()).is_none() {
            at = end + 1;
            continue; // as most are
        }
        if let Some((kept, fate)) = parameter.secret(rules, part, cut) {
            // Many servers separate by `&` alone: for them the value goes on behind a `;`.
            end = raw[end..to].iter().position(|&b| b == b'&').map_or(to, |n| end + n);
            if fate == Fate::DROP {
                drop_parameter(rewrite, at, end, from, to);
            } else if at + kept < end {
                rewrite.treat(&rules.key, fate, at + kept, end);
            }
        }
        at = end + 1;
    }
}

/// Leaves out `raw[at..end]` and the separator before it, or the one behind it where none stands before.
fn drop_parameter(rewrite: &mut Rewrite<'_>, at: usize, end: usize, from: usize, to: usize) {
    if at > from && at > rewrite.done() {
        rewrite.cut(at - 1, end);
    } else {
        rewrite.cut(at, (end + 1).min(to));
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
        for (at, &byte) in raw.iter().enumerate() {
            if !MARKS[usize::from(byte)] {
                continue;
            }
            match byte {
                b'&' | b';' => {
                    this.text = &raw[..at];
                    break;
                }
                b'=' if this.equals.is_none() => this.equals = Some(at),
                _ => this.special = true,
            }
        }
        this
    }

    /// Whether only the key can be secret: nothing to decode, and no detector's shape is as short.
    #[inline]
    fn is_short(&self) -> bool {
        let value = |equals| self.text.len() - equals;
        !self.special && self.equals.is_some_and(|equals| equals < SHORTEST && value(equals) <= SHORTEST)
    }

    fn key(&self) -> &'a [u8] {
        self.equals.map_or(self.text, |equals| &self.text[..equals])
    }

    /// How many bytes stay in front of the secret, and what becomes of it; `None` if there is none.
    #[inline(never)] // rare
    fn secret(&self, rules: &Redactor, part: Part, cut: bool) -> Option<(usize, Fate)> {
        let Some(equals) = self.equals else {
            let fate = match part {
                Part::Query | Part::CutForm if self.special => fate_of_key(rules, self.text)
                    .or_else(|| holds_secret(rules, self.text, b"=:").then_some(Fate::MASK)),
                Part::Query | Part::CutForm => rules.fate_of_name(self.text),
                Part::Path => (self.special && holds_secret(rules, self.text, b"=")).then_some(Fate::MASK),
            };
            return fate.or_else(|| value_fate(rules, self.text, cut)).map(|fate| (0, fate));
        };
        let (key, value) = (&self.text[..equals], &self.text[equals + 1..]);
        let fate = if self.special { fate_of_key(rules, key) } else { rules.fate_of_name(key) };
        if let Some(fate) = fate {
            return Some((if may_hold_a_value(key) { 0 } else { equals + 1 }, fate));
        }
        if self.special && holds_secret(rules, key, b":") || value_fate(rules, key, false).is_some() {
            return Some((0, Fate::MASK));
        }
        let inner = self.special && holds_secret(rules, value, b"=:");
        let fate = if inner { Some(Fate::MASK) } else { value_fate(rules, value, cut) };
        fate.or_else(|| rules.custom(Place::Parameter, key, value)).map(|fate| (equals + 1, fate))
    }
}

/// What becomes of a value in which a detector finds something.
fn value_fate(rules: &Redactor, value: &[u8], cut: bool) -> Option<Fate> {
    if value.len() < SHORTEST && !cut { None } else { fate_of_value(rules, value, cut) }
}
