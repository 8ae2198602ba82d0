//! JSON values, byte for byte as `serde_json` writes them.

use std::fmt::Write as _;
use std::net::IpAddr;

use hoplog_entry::Value;

use crate::scan;

/// A string with its quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

/// Bytes that should be UTF-8, as a string; what is not is shown as U+FFFD.
pub(crate) fn lossy(out: &mut Vec<u8>, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => string(out, text),
        Err(_) => string(out, &String::from_utf8_lossy(bytes)),
    }
}

/// `,"name":`
pub(crate) fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
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

/// A string's inside. Most have nothing to escape and are copied whole.
pub(crate) fn escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if !scan::any(bytes, |b| (b < 0x20) | (b == b'"') | (b == b'\\')) {
        return out.extend_from_slice(bytes);
    }
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
pub(crate) fn uint(out: &mut Vec<u8>, mut n: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    while n >= 100 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(n % 100) as usize]);
        n /= 100;
    }
    let [tens, ones] = PAIRS[n as usize];
    at -= 1;
    digits[at] = ones;
    if n >= 10 {
        at -= 1;
        digits[at] = tens;
    }
    out.extend_from_slice(&digits[at..]);
}

/// `millionths / 10^6`, without trailing zeros but with one digit after the point: the shortest form of that double,
/// as long as all its digits are within the 15 to 16 that a double holds.
fn decimal(out: &mut Vec<u8>, millionths: u64) {
    uint(out, millionths / 1_000_000);
    let rest = (millionths % 1_000_000) as usize;
    let [a, b, c] = [PAIRS[rest / 10_000], PAIRS[rest / 100 % 100], PAIRS[rest % 100]];
    let digits = [b'.', a[0], a[1], b[0], b[1], c[0], c[1]];
    let zeros = digits[2..].iter().rev().take_while(|&&d| d == b'0').count();
    out.extend_from_slice(&digits[..digits.len() - zeros]);
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
        IpAddr::V4(ip) => {
            for (i, octet) in ip.octets().into_iter().enumerate() {
                if i > 0 {
                    out.push(b'.');
                }
                uint(out, octet.into());
            }
        }
        IpAddr::V6(ip) => {
            let _ = write!(Utf8(out), "{ip}");
        }
    }
    out.push(b'"');
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
        fn whole_numbers_are_those_of_serde_json(n in any::<u64>(), i in any::<i64>()) {
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
