//! Addresses of machines in text.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use super::text::Text;

/// The longest text of an IPv6 address.
const LONGEST: usize = 45;

pub(super) fn find(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let of_address = |b: u8| b.is_ascii_hexdigit() || b == b'.' || b == b':';
    let before =
        text.bytes[text.floor..at].iter().rev().take(LONGEST).take_while(|&&b| of_address(b)).count();
    let start = at - before;
    let len = text.bytes[start..].iter().take(LONGEST + 2).take_while(|&&b| of_address(b)).count();
    if !text.starts_word(start) || len > LONGEST + 1 {
        return None;
    }
    let mut end = start + len;
    if text.breaks_off(end) && end - start >= 5 {
        return Some(start..end);
    }
    while end > start {
        let word = std::str::from_utf8(&text.bytes[start..end]).ok()?;
        if word.parse::<IpAddr>().is_ok() && word.parse() != Ok(Ipv6Addr::UNSPECIFIED) {
            let next = text.get(end);
            return (!next.is_some_and(|b| b.is_ascii_alphanumeric())).then_some(start..end);
        }
        // `192.0.2.1:443`, `… from 192.0.2.1.`
        end = start + word.rfind(['.', ':'])?;
    }
    None
}
