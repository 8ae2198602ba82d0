//! What makes two errors the same one: their type, their message without what differs each time, their top frame.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A longer message counts up to here.
const MOST_BYTES: usize = 512;
/// A quote that is not closed within so many bytes is none.
const MOST_QUOTED: usize = 256;
/// Hexadecimal digits that make an id.
const ID_DIGITS: usize = 8;

/// A text without its numbers, ids, addresses and quoted strings: `<n>`, `<id>`, `<address>`, `<text>` stand in their
/// places, one blank for any number. Linear in the text.
pub(crate) fn normalise(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.trim();
    let mut before = None;
    while let Some(c) = rest.chars().next() {
        if out.len() >= MOST_BYTES {
            out.push('…');
            break;
        }
        let taken = match c {
            '"' | '`' => quoted(rest, c, &mut out),
            '\'' if !before.is_some_and(char::is_alphanumeric) => quoted(rest, c, &mut out),
            c if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
                Some(c.len_utf8())
            }
            ':' if rest.starts_with("::") && !before.is_some_and(char::is_alphanumeric) => {
                address(rest, &mut out)
            }
            c if c.is_ascii_alphanumeric() => Some(word(rest, &mut out)),
            _ => None,
        };
        let taken = taken.unwrap_or_else(|| {
            out.push(c);
            c.len_utf8()
        });
        before = rest.get(..taken).and_then(|taken| taken.chars().next_back());
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// A quoted string, if it ends; how long it is.
fn quoted(rest: &str, quote: char, out: &mut String) -> Option<usize> {
    let inner = rest.get(1..)?;
    let end = inner.bytes().take(MOST_QUOTED).position(|b| b == quote as u8)?;
    out.push(quote);
    out.push_str("<text>");
    out.push(quote);
    Some(end + 2)
}

/// The length of the longest start of which every byte is like this, as far as it is looked at.
fn run(rest: &str, like: impl Fn(u8) -> bool) -> usize {
    rest.bytes().take(MOST_QUOTED).position(|b| !like(b)).unwrap_or(rest.len().min(MOST_QUOTED))
}

fn address(rest: &str, out: &mut String) -> Option<usize> {
    let long = run(rest, |b| b.is_ascii_hexdigit() || b == b':' || b == b'.');
    // A sentence may end right behind it.
    let text = rest.get(..long)?;
    let text = text.trim_end_matches('.');
    let text = text.strip_suffix(':').filter(|cut| !cut.ends_with(':')).unwrap_or(text);
    // No path of a module: that has no digits, or goes on.
    let whole = rest.as_bytes().get(text.len()).is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_');
    let like_v6 =
        whole && text.bytes().filter(|b| *b == b':').count() > 1 && text.bytes().any(|b| b.is_ascii_digit());
    let is_v6 = like_v6 && text.parse::<Ipv6Addr>().is_ok();
    let v4 = || text.split(':').next().filter(|v4| v4.parse::<Ipv4Addr>().is_ok());
    let found = if is_v6 { text } else { v4()? };
    out.push_str("<address>");
    Some(found.len())
}

/// What begins with a letter or a digit; how much of it was taken.
fn word(rest: &str, out: &mut String) -> usize {
    if let Some(taken) = address(rest, out) {
        return taken;
    }
    let long = run(rest, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b'%'));
    if let Some(host) = rest.get(long..).and_then(|after| after.strip_prefix('@')) {
        let host = run(host, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
        if host > 0 {
            out.push_str("<address>");
            return long + 1 + host;
        }
    }
    // Ids of 32 or 36 digits, hashes, pointers; and keys of letters and digits that no word is as long as.
    let dashed = run(rest, |b| b.is_ascii_hexdigit() || b == b'-');
    let plain = run(rest, |b| b.is_ascii_alphanumeric());
    let pointer = rest.strip_prefix("0x").map_or(0, |digits| run(digits, |b| b.is_ascii_hexdigit()));
    let count = |long: usize, like: fn(&u8) -> bool| rest.bytes().take(long).filter(like).count();
    let whole =
        |long: usize| rest.as_bytes().get(long).is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_');
    let is_uuid = dashed == 36 && count(36, |b| *b == b'-') == 4;
    let hex = run(rest, |b| b.is_ascii_hexdigit());
    let is_hex =
        hex >= ID_DIGITS && count(hex, u8::is_ascii_digit) > 0 && count(hex, u8::is_ascii_alphabetic) > 0;
    let is_key = plain >= 20 && count(plain, u8::is_ascii_digit) >= 4;
    for (is_one, long) in [(is_uuid, 36), (pointer > 0, pointer + 2), (is_hex, hex), (is_key, plain)] {
        if is_one && whole(long) {
            out.push_str("<id>");
            return long;
        }
    }
    let digits = run(rest, |b| b.is_ascii_digit());
    if digits > 0 {
        let fraction = rest
            .get(digits..)
            .and_then(|r| r.strip_prefix('.'))
            .map_or(0, |r| run(r, |b| b.is_ascii_digit()));
        out.push_str("<n>");
        return if fraction > 0 { digits + 1 + fraction } else { digits };
    }
    // Letters, and a few digits that belong to them as in utf8, sha256 or E0308.
    let letters = run(rest, |b| b.is_ascii_alphabetic());
    let glued = rest.get(letters..).map_or(0, |r| run(r, |b| b.is_ascii_digit()));
    let taken = if glued <= 4 { letters + glued } else { letters };
    out.push_str(rest.get(..taken).unwrap_or_default());
    taken
}

/// Where it happened: the innermost frame that is no part of a runtime, without its numbers.
pub(crate) fn top_frame(stack: &str) -> Option<String> {
    let lines = || stack.lines().take(1_000).map(str::trim).filter(|line| !line.is_empty());
    let python = lines().filter(|line| line.starts_with("File \"")).last();
    let frame = python.or_else(|| lines().find(|line| line.starts_with("at "))).or_else(|| {
        let of_rust =
            |line: &str| Some(line.split_once(": ").filter(|(n, _)| n.parse::<u32>().is_ok())?.1.to_owned());
        if lines().any(|line| of_rust(line).is_some()) {
            let own = |line: &&str| {
                of_rust(line).is_some_and(|name| {
                    let runtime = [
                        "std::",
                        "core::",
                        "alloc::",
                        "rust_begin_unwind",
                        "<std::",
                        "<core::",
                        "<alloc::",
                        "__rust",
                    ];
                    !runtime.iter().any(|start| name.starts_with(start))
                })
            };
            return lines().find(own);
        }
        lines().next()
    })?;
    // The frame of Python names its file in quotes: they are no value.
    Some(normalise(&frame.replace('"', "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_each_time_is_replaced() {
        for (text, normalised) in [
            ("user 42 not found", "user <n> not found"),
            ("took 12.5 ms, 3 times", "took <n> ms, <n> times"),
            ("order-42 and order_43", "order-<n> and order_<n>"),
            ("connect to 10.0.0.7:5432: refused", "connect to <address>:<n>: refused"),
            ("from 2001:db8::1.", "from <address>."),
            ("peer ::1 gone", "peer <address> gone"),
            ("std::io::Error in a::b", "std::io::Error in a::b"),
            ("at 12:30:45", "at <n>:<n>:<n>"),
            ("no mail to ann.lee@example.com today", "no mail to <address> today"),
            ("id 4bf92f35-77b3-4da6-a3ce-929d0e0e4736!", "id <id>!"),
            ("trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace <id>"),
            ("at 0x7ffee4c0", "at <id>"),
            ("key sk9f8a7s6d5f4g3h2j1k0l", "key <id>"),
            ("column \"name\" of 'users' and `x`", "column \"<text>\" of '<text>' and `<text>`"),
            ("it's what couldn't be", "it's what couldn't be"),
            ("an \"open quote", "an \"open quote"),
            ("utf8, sha256, E0308, v2", "utf8, sha256, E0308, v2"),
            ("user123456", "user<n>"),
            ("decade facade deadbeef", "decade facade deadbeef"),
            ("  two \n\t lines ", "two lines"),
            ("größe 3 → 4", "größe <n> → <n>"),
            ("", ""),
        ] {
            assert_eq!(normalise(text), normalised, "{text}");
        }
    }

    #[test]
    fn a_long_text_costs_what_its_start_costs() {
        let text = "\"x ".repeat(1 << 20);
        let began = std::time::Instant::now();
        assert!(normalise(&text).len() <= MOST_BYTES + 16);
        assert!(normalise(&"1:".repeat(1 << 20)).len() <= MOST_BYTES + 16);
        assert!(began.elapsed().as_secs() < 2);
    }

    #[test]
    fn the_top_frame_is_where_it_happened() {
        for (stack, frame) in [
            (
                "Traceback (most recent call last):\n  File \"a.py\", line 3, in main\n    run()\n  File \"b.py\", line 77, in run\nKeyError: 'x'",
                "File b.py, line <n>, in run",
            ),
            (
                "Error: no\n    at charge (/srv/pay.js:12:5)\n    at main (/srv/app.js:1:1)",
                "at charge (/srv/pay.js:<n>:<n>)",
            ),
            (
                "   0: std::panicking::begin\n   1: core::panicking::panic_fmt\n   2: shop::orders::place\n             at src/orders.rs:42:9",
                "at src/orders.rs:<n>:<n>",
            ),
            (
                "   0: std::panicking::begin\n   1: shop::orders::place\n   2: core::ops",
                "<n>: shop::orders::place",
            ),
            ("goroutine 1 [running]:\nmain.go:7", "goroutine <n> [running]:"),
        ] {
            assert_eq!(top_frame(stack).as_deref(), Some(frame));
        }
        assert_eq!(top_frame(" \n "), None);
    }
}
