//! E-mail addresses, as people write them: a name, `@`, a domain with a dot.

use std::ops::Range;

use super::text::Text;

pub(super) fn find(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let of_name = |b: &&u8| b.is_ascii_alphanumeric() || b"._%+-".contains(b) || !b.is_ascii();
    let name = text.bytes[text.floor..at].iter().rev().take_while(of_name).count();
    let end = text.run(at + 1, |b| b.is_ascii_alphanumeric() || b"-.".contains(&b) || !b.is_ascii());
    let domain = text.bytes[at + 1..end].trim_ascii_end();
    let end = end - domain.iter().rev().take_while(|b| b"-.".contains(b)).count();
    let dotted = text.bytes[at + 1..end].iter().skip(1).any(|&b| b == b'.');
    (name > 0 && (dotted || text.breaks_off(end))).then_some(at - name..end)
}
