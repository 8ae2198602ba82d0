//! Escapes in strings (RFC 8259 §7).

/// One character of a string: how many bytes it takes there, and the text that it stands for.
struct Step {
    raw: usize,
    text: [u8; 4],
    len: usize,
}

/// `None` for a broken escape.
fn step(raw: &[u8]) -> Option<Step> {
    let of = |raw, c: char| {
        let mut text = [0; 4];
        let len = c.encode_utf8(&mut text).len();
        Some(Step { raw, text, len })
    };
    match raw {
        [b'\\', b'u', rest @ ..] => {
            let first = hex4(rest)?;
            let second = match rest.get(4..) {
                Some([b'\\', b'u', rest @ ..]) => hex4(rest),
                _ => None,
            };
            let pair = second.map(|second| char::decode_utf16([first, second]).next());
            match pair {
                Some(Some(Ok(c))) if (0xd800..0xdc00).contains(&first) => of(12, c),
                // Half of a pair stands for no character.
                _ => of(6, char::from_u32(first.into()).unwrap_or(char::REPLACEMENT_CHARACTER)),
            }
        }
        [b'\\', letter, ..] => {
            let c = match letter {
                b'"' | b'\\' | b'/' => char::from(*letter),
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                _ => return None,
            };
            of(2, c)
        }
        [b'\\'] | [] => None,
        [byte, ..] => Some(Step { raw: 1, text: [*byte, 0, 0, 0], len: 1 }),
    }
}

fn hex4(text: &[u8]) -> Option<u16> {
    let digits = text.get(..4).filter(|d| d.iter().all(u8::is_ascii_hexdigit))?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Appends what a string says; `None` if an escape is broken, unless the text is cut in the middle of one.
pub(super) fn unescape(raw: &[u8], cut: bool, out: &mut Vec<u8>) -> Option<()> {
    let mut at = 0;
    while at < raw.len() {
        match step(&raw[at..]) {
            Some(Step { raw, text, len }) => {
                out.extend_from_slice(&text[..len]);
                at += raw;
            }
            None => {
                let rest = &raw[at + 1..];
                let whole = match rest {
                    [b'u', digits @ ..] => digits.len() >= 4 || !digits.iter().all(u8::is_ascii_hexdigit),
                    rest => !rest.is_empty(),
                };
                return (cut && !whole).then_some(());
            }
        }
    }
    Some(())
}

/// Finds places of the unescaped text in the string; they have to come in order.
pub(super) struct Cursor<'a> {
    raw: &'a [u8],
    at: usize,
    text: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(raw: &'a [u8]) -> Self {
        Self { raw, at: 0, text: 0 }
    }

    /// Where in the string the character stands, or ends, of which that byte of the text is one.
    pub(super) fn raw_offset(&mut self, text: usize) -> usize {
        while self.text < text {
            match self.raw.get(self.at..).and_then(step) {
                Some(step) => (self.at, self.text) = (self.at + step.raw, self.text + step.len),
                None => return self.raw.len(), // the escape that is cut off
            }
        }
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: &str) -> Option<String> {
        let mut out = Vec::new();
        unescape(raw.as_bytes(), false, &mut out)?;
        String::from_utf8(out).ok()
    }

    #[test]
    fn escapes_are_read_as_json_has_them() {
        let table = [
            ("", ""),
            ("plain ä", "plain ä"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"pass\u0077ord", "password"),
            (r"\ud83d\ude00!", "😀!"),
            (r"\ud83dx\ude00", "\u{fffd}x\u{fffd}"),
            (r"\u00E4", "ä"),
        ];
        for (raw, expected) in table {
            assert_eq!(text(raw).as_deref(), Some(expected), "{raw}");
        }
        for broken in [r"\x", r"\u12", r"\u+123", r"\", r"\uzzzz"] {
            assert_eq!(text(broken), None, "{broken}");
        }
    }

    #[test]
    fn places_in_the_text_are_found_in_the_string() {
        let mut cursor = Cursor::new(br"a\n\ud83d\ude00bc");
        let found: Vec<usize> = [0, 1, 2, 6, 8].map(|at| cursor.raw_offset(at)).into();
        assert_eq!(found, [0, 1, 3, 15, 17]);
    }
}
