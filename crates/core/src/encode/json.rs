//! JSON values, byte for byte as `serde_json` writes them.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use hoplog_entry::Value;

/// A string with its quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    utf8(out, text.as_bytes());
}

/// Bytes that should be UTF-8, as a string; what is not is shown as U+FFFD.
pub(crate) fn lossy(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    if !utf8(out, bytes) {
        out.truncate(start);
        utf8(out, String::from_utf8_lossy(bytes).as_bytes());
    }
}

/// Bytes as a string, if they are UTF-8; if not, what is written is of no use.
#[inline]
pub(crate) fn utf8(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    out.push(b'"');
    let ascii = inside(out, bytes);
    out.push(b'"');
    ascii || std::str::from_utf8(bytes).is_ok()
}

/// `,"name":`
pub(crate) fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// A string's inside.
pub(crate) fn escaped(out: &mut Vec<u8>, text: &str) {
    inside(out, text.as_bytes());
}

/// The inside of a string; true where all of it is ASCII. Bytes are looked at and copied so many at a time that they fit a
/// register: most have nothing to escape. The last ones are so many too, and overlap others.
#[inline]
fn inside(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    match bytes.len() {
        0..4 => carefully(out, bytes),
        4..8 => ends::<4>(out, bytes),
        8..16 => ends::<8>(out, bytes),
        16..32 => ends::<16>(out, bytes),
        _ => blocks(out, bytes),
    }
}

/// Of a text of `N` to `2 * N` bytes the first `N` and the last.
#[inline]
fn ends<const N: usize>(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    match (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) {
        (Some(first), Some(last)) if is_plain(first) & is_plain(last) => {
            let end = out.len() + bytes.len();
            out.extend_from_slice(first);
            out.truncate(end - N);
            out.extend_from_slice(last);
            true
        }
        _ => carefully(out, bytes),
    }
}

/// A text of any length.
fn blocks(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    const BLOCK: usize = 16;
    out.reserve(bytes.len());
    let mut ascii = true;
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    for block in blocks {
        if is_plain(block) {
            out.extend_from_slice(block);
        } else {
            ascii &= carefully(out, block);
        }
    }
    match bytes.last_chunk::<BLOCK>() {
        Some(last) if is_plain(last) => {
            // What overlaps is plain, and thus in `out` as it is.
            out.truncate(out.len() - (BLOCK - rest.len()));
            out.extend_from_slice(last);
            ascii
        }
        _ => ascii & carefully(out, rest),
    }
}

/// Whether all are ASCII and stand for themselves in a string.
#[inline]
fn is_plain<const N: usize>(bytes: &[u8; N]) -> bool {
    !bytes.iter().fold(false, |odd, &b| odd | (b < 0x20) | !b.is_ascii() | (b == b'"') | (b == b'\\'))
}

/// 0: as it is; `u`: as `\u00XX`; anything else: behind a backslash.
const ESCAPE: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 0x20 {
        table[i] = b'u';
        i += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

/// Byte by byte; true where all are ASCII.
#[inline(never)] // few bytes need it
fn carefully(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let mut from = 0;
    for (i, &byte) in bytes.iter().enumerate() {
        let escape = ESCAPE[usize::from(byte)];
        if escape != 0 {
            out.extend_from_slice(&bytes[from..i]);
            from = i + 1;
            if escape == b'u' {
                let _ = write!(Utf8(out), "\\u{byte:04x}");
            } else {
                out.extend_from_slice(&[b'\\', escape]);
            }
        }
    }
    out.extend_from_slice(&bytes[from..]);
    bytes.is_ascii()
}

/// Lets `write!` append to bytes.
pub(crate) struct Utf8<'a>(pub(crate) &'a mut Vec<u8>);

impl std::fmt::Write for Utf8<'_> {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        self.0.extend_from_slice(s.as_bytes());
        Ok(())
    }
}

/// The two digits of each number below 100, one pair behind the other.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + n as u8 / 10, b'0' + n as u8 % 10];
        n += 1;
    }
    pairs
};

/// A whole number.
#[inline]
pub(crate) fn uint(out: &mut Vec<u8>, n: u64) {
    if n >= 10_000 {
        return long_uint(out, n);
    }
    // Left out are leading zeros.
    let zeros = usize::from(n < 1_000) + usize::from(n < 100) + usize::from(n < 10);
    let digits = u32::from_le_bytes(four(n)) >> (8 * zeros);
    let end = out.len() + 4 - zeros;
    out.extend_from_slice(&digits.to_le_bytes());
    out.truncate(end);
}

fn long_uint(out: &mut Vec<u8>, n: u64) {
    uint(out, n / 10_000);
    out.extend_from_slice(&four(n % 10_000));
}

/// Four digits of a number below 10 000.
#[inline]
fn four(n: u64) -> [u8; 4] {
    let [[a, b], [c, d]] = [PAIRS[n as usize / 100], PAIRS[n as usize % 100]];
    [a, b, c, d]
}

/// `millionths / 10^6`, without trailing zeros but with one digit after the point: the shortest form of that double,
/// as long as all its digits are within the 15 to 16 that a double holds.
fn decimal(out: &mut Vec<u8>, millionths: u64) {
    uint(out, millionths / 1_000_000);
    let rest = (millionths % 1_000_000) as usize;
    let [a, b, c] = [PAIRS[rest / 10_000], PAIRS[rest / 100 % 100], PAIRS[rest % 100]];
    let digits = [b'.', a[0], a[1], b[0], b[1], c[0], c[1], b'0'];
    // Counted from the end: of the digits, not of point and first digit.
    let said = u64::from_le_bytes(digits) & 0x0f0f_0f0f_0f0f_0000;
    let zeros = (said.leading_zeros() as usize / 8).min(6);
    let end = out.len() + digits.len() - zeros;
    out.extend_from_slice(&digits);
    out.truncate(end);
}

/// Nanoseconds since the epoch as seconds, to the microsecond.
pub(crate) fn seconds(out: &mut Vec<u8>, unix_ns: u64) {
    decimal(out, unix_ns / 1_000);
}

/// Nanoseconds as milliseconds.
pub(crate) fn millis(out: &mut Vec<u8>, ns: u64) {
    decimal(out, ns);
}

/// Any value of a record.
#[inline]
pub(crate) fn value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Text(text) => string(out, text),
        Value::Uint(n) => uint(out, n),
        Value::Int(n) => {
            if n < 0 {
                out.push(b'-');
            }
            uint(out, n.unsigned_abs());
        }
        // NaN and the infinities have no JSON form.
        Value::Float(n) if !n.is_finite() => out.extend_from_slice(b"null"),
        Value::Float(n) => {
            // Debug prints the shortest form that reads back, with a point, in exponent form where that is shorter.
            let _ = write!(Utf8(out), "{n:?}");
        }
        Value::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
        Value::Nanos(ns) => millis(out, ns),
        Value::Uuid(id) => quoted(out, &id.to_ascii()),
        Value::TraceId(id) => quoted(out, &id.to_ascii()),
        Value::SpanId(id) => quoted(out, &id.to_ascii()),
        Value::Ip(ip) => self::ip(out, ip),
        Value::Json(json) => out.extend_from_slice(json.as_bytes()),
    }
}

fn ip(out: &mut Vec<u8>, ip: IpAddr) {
    out.push(b'"');
    // An IPv4 address that came through an IPv6 socket is shown as what it is.
    match ip.to_canonical() {
        IpAddr::V4(ip) => ipv4(out, ip),
        IpAddr::V6(ip) => {
            let _ = write!(Utf8(out), "{ip}");
        }
    }
    out.push(b'"');
}

fn ipv4(out: &mut Vec<u8>, ip: Ipv4Addr) {
    let (mut text, mut len) = ([0; 16], 0);
    for octet in ip.octets() {
        let [tens, ones] = PAIRS[usize::from(octet % 100)];
        let three = [b'0' + octet / 100, tens, ones, b'.'];
        let zeros = usize::from(octet < 100) + usize::from(octet < 10);
        let shown = u32::from_le_bytes(three) >> (8 * zeros);
        text[len..len + 4].copy_from_slice(&shown.to_le_bytes());
        len += 4 - zeros;
    }
    let end = out.len() + len - 1;
    out.extend_from_slice(&text);
    out.truncate(end);
}

/// ASCII without anything to escape.
pub(crate) fn quoted(out: &mut Vec<u8>, ascii: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(ascii);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(f: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        f(&mut out);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn strings_are_those_of_serde_json(s in any::<String>()) {
            prop_assert_eq!(text(|o| string(o, &s)), serde_json::to_string(&s).unwrap());
        }

        #[test]
        fn whole_numbers_are_those_of_serde_json(n in any::<u64>(), i in any::<i64>(), places in 0..20u32) {
            let n = n % 10_u64.pow(places).max(1);
            prop_assert_eq!(text(|o| uint(o, n)), serde_json::to_string(&n).unwrap());
            prop_assert_eq!(text(|o| value(o, Value::Int(i))), serde_json::to_string(&i).unwrap());
        }

        #[test]
        fn floats_read_back_as_the_same_number(n in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
            let written = text(|o| value(o, Value::Float(n)));
            prop_assert!(serde_json::from_str::<serde_json::Number>(&written).is_ok(), "{written} is no JSON");
            prop_assert_eq!(written.parse(), Ok(n));
        }

        #[test]
        fn times_are_the_shortest_form_of_their_double(us in 0u64..4_000_000_000_000_000, ns in 0u64..1_000_000_000_000_000) {
            let as_double = us as f64 / 1e6;
            prop_assert_eq!(text(|o| seconds(o, us * 1_000)), serde_json::to_string(&as_double).unwrap());
            let ms: f64 = text(|o| millis(o, ns)).parse().unwrap();
            prop_assert_eq!(text(|o| millis(o, ns)), serde_json::to_string(&ms).unwrap());
        }
    }

    #[test]
    fn a_character_is_escaped_wherever_it_stands_in_a_text_of_any_length() {
        for len in 0..70 {
            for place in 0..len {
                for odd in ["\"", "\u{1f}", "\u{7f}", "\u{e9}", "\u{1f600}", " ", "\\"] {
                    let s = "x".repeat(place) + odd + &"y".repeat(len - place - 1);
                    assert_eq!(text(|o| string(o, &s)), serde_json::to_string(&s).unwrap());
                    assert!(utf8(&mut Vec::new(), s.as_bytes()));
                }
                let mut bytes = vec![b'x'; len];
                bytes[place] = 0xff;
                assert!(!utf8(&mut Vec::new(), &bytes), "no UTF-8 at {place} of {len}");
                let shown = String::from_utf8_lossy(&bytes);
                assert_eq!(text(|o| lossy(o, &bytes)), serde_json::to_string(&shown).unwrap());
            }
        }
    }

    #[test]
    fn every_address_is_shown_as_the_library_shows_it() {
        for octet in 0..=255u8 {
            let ip = Ipv4Addr::from([octet, 255 - octet, octet / 2, 0]);
            assert_eq!(text(|o| value(o, Value::Ip(ip.into()))), format!("\"{ip}\""));
        }
    }

    #[test]
    fn every_control_character_is_escaped_as_serde_json_does() {
        let all: String = (0..=0x7fu8).map(char::from).collect();
        assert_eq!(text(|o| string(o, &all)), serde_json::to_string(&all).unwrap());
    }

    #[test]
    fn the_rest_of_the_values() {
        assert_eq!(text(|o| value(o, Value::Float(f64::NAN))), "null");
        assert_eq!(text(|o| value(o, Value::Bool(true))), "true");
        assert_eq!(text(|o| value(o, Value::Nanos(1_500_000))), "1.5");
        assert_eq!(text(|o| value(o, Value::Nanos(0))), "0.0");
        assert_eq!(text(|o| value(o, Value::Ip("::ffff:10.0.0.1".parse().unwrap()))), "\"10.0.0.1\"");
        assert_eq!(text(|o| value(o, Value::Json("[1]"))), "[1]");
    }
}
