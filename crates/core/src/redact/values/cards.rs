//! Numbers of payment cards: a length and a prefix that are issued, a right check digit, and digits in one piece or in
//! the groups in which cards show them.

use std::ops::Range;

use super::text::Text;

const LONGEST: usize = 19;
/// Of a number that is cut off, so many digits are a part that must not show.
const PART: usize = 7;
/// How cards show their numbers; one of several fits, the longest first.
const GROUPS: &[&[usize]] = &[
    &[4, 4, 4, 4, 3],
    &[4, 4, 4, 4, 2],
    &[4, 4, 4, 4, 1],
    &[6, 13],
    &[4, 4, 4, 4],
    &[4, 6, 5],
    &[4, 6, 4],
    &[4, 4, 4, 1],
];

/// Whether a number can begin with so many digits in a row.
pub(super) fn may_begin(digits: usize, cut: bool) -> bool {
    matches!(digits, 4 | 6 | SHORTEST..=LONGEST) || cut
}

pub(super) fn find(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    // A number with a sign or a point before it is one to reckon or to call with.
    let before = at.checked_sub(1).and_then(|n| text.get(n));
    let fraction = before == Some(b'.') && at >= 2 && text.bytes[at - 2].is_ascii_digit();
    if !text.starts_word(at) || before == Some(b'+') || fraction {
        return None;
    }
    let end = text.run(at, |b| b.is_ascii_digit());
    let len = end - at;
    if len >= SHORTEST {
        let digits = text.bytes.get(at..end).filter(|_| len <= LONGEST)?;
        let whole = ends(text, end) && is_card(digits);
        return (whole || text.breaks_off(end)).then_some(at..end);
    }
    if len != 4 && len != 6 {
        let part = len >= PART && text.breaks_off(end) && is_prefix(&text.bytes[at..end]);
        return part.then_some(at..end);
    }
    // The usual case by far is a number that no group follows.
    let follows = matches!(text.get(end), Some(b' ' | b'-'))
        && text.get(end + 1).is_none_or(|b| b.is_ascii_digit())
        && (text.cut || text.run(end + 1, |b| b.is_ascii_digit()) >= end + 5);
    follows.then(|| GROUPS.iter().find_map(|groups| in_groups(text, at, groups)))?
}

const SHORTEST: usize = 13;

/// The number in these groups, separated by the same byte.
fn in_groups(text: &Text<'_>, start: usize, groups: &[usize]) -> Option<Range<usize>> {
    let (mut digits, mut count) = ([0; LONGEST], 0);
    let (mut at, mut separator) = (start, None);
    for (index, &len) in groups.iter().enumerate() {
        if index > 0 {
            let here = text.get(at).filter(|&b| b == b' ' || b == b'-');
            if here.is_none() || separator.is_some_and(|s| Some(s) != here) {
                // The blank after a part is gone with the rest.
                let part = text.breaks_off(at) && count >= PART && is_prefix(&digits[..count]);
                return part.then_some(start..at);
            }
            (separator, at) = (here, at + 1);
        }
        let end = text.run(at, |b| b.is_ascii_digit());
        let group = text.bytes.get(at..end.min(at + len)).unwrap_or_default();
        digits.get_mut(count..count + group.len())?.copy_from_slice(group);
        count += group.len();
        if end - at != len {
            let part = text.breaks_off(end) && end - at < len && count >= PART;
            return (part && is_prefix(&digits[..count])).then_some(start..end);
        }
        at = end;
    }
    (ends(text, at) && is_card(&digits[..count])).then_some(start..at)
}

/// Whether a number can end here: no letter, digit or fraction follows.
fn ends(text: &Text<'_>, at: usize) -> bool {
    match text.get(at) {
        // `.0` is what spreadsheets make of a whole number.
        Some(b'.') => {
            let fraction = text.run(at + 1, |b| b.is_ascii_digit());
            text.bytes[at + 1..fraction].iter().all(|&b| b == b'0')
        }
        Some(b) => !b.is_ascii_alphanumeric(),
        None => true,
    }
}

fn is_card(digits: &[u8]) -> bool {
    is_issued(digits) && luhn(digits) && !is_article(digits)
}

/// Whether a card's number can begin like this.
fn is_prefix(digits: &[u8]) -> bool {
    (SHORTEST..=LONGEST).any(|len| {
        let mut number = [b'0'; LONGEST];
        let known = digits.len().min(len);
        number[..known].copy_from_slice(&digits[..known]);
        is_issued(&number[..len])
    })
}

/// Whether a network issues numbers of this length and beginning.
fn is_issued(digits: &[u8]) -> bool {
    let first = digits[..4].iter().fold(0, |n, d| n * 10 + u32::from(d - b'0'));
    match (digits.len(), first) {
        (13 | 16 | 19, 4000..=4999) => true,                        // Visa
        (16, 5100..=5599 | 2221..=2720) => true,                    // Mastercard
        (15, 3400..=3499 | 3700..=3799) => true,                    // American Express
        (14..=19, 3000..=3059 | 3600..=3699 | 3800..=3999) => true, // Diners Club
        (16..=19, 6011 | 6440..=6599 | 3528..=3589) => true,        // Discover, JCB
        (16..=19, 6200..=6299 | 8100..=8171) => true,               // UnionPay
        (13..=19, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763) => true, // Maestro
        _ => false,
    }
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, d)| match (at % 2, u32::from(d - b'0')) {
            (0, d) => d,
            (_, d) => d * 2 / 10 + d * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The number of an article in a shop (EAN-13), of which those of some countries begin as cards do.
fn is_article(digits: &[u8]) -> bool {
    let sum: u32 = digits.iter().enumerate().map(|(at, d)| u32::from(d - b'0') * [1, 3][at % 2]).sum();
    digits.len() == 13 && sum.is_multiple_of(10)
}
