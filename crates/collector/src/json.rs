//! JSON text that serde_json has already found valid, taken apart without building anything: a member's value
//! stays the text it was, so that what is kept unread is kept unchanged, to the last digit.
//!
//! Nothing here panics or loops on text that is not valid; what comes out is then of no use.

/// A value by its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Null,
    Bool(&'a str),
    Number(&'a str),
    /// What stands between the quotes, escapes and all.
    Text(&'a str),
    Array(&'a str),
    Object(&'a str),
}

impl<'a> Token<'a> {
    pub(crate) fn of(raw: &'a str) -> Self {
        match raw.as_bytes().first() {
            Some(b'"') => Self::Text(raw.get(1..raw.len() - 1).unwrap_or_default()),
            Some(b'{') => Self::Object(raw),
            Some(b'[') => Self::Array(raw),
            Some(b't' | b'f') => Self::Bool(raw),
            Some(b'n') | None => Self::Null,
            Some(_) => Self::Number(raw),
        }
    }
}

/// Walks the values of an object or an array, and notes how deep it went.
pub(crate) struct Walk<'a> {
    text: &'a str,
    at: usize,
    deepest: usize,
}

impl<'a> Walk<'a> {
    /// `text` is a whole object or array.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: usize::from(text.starts_with(['{', '['])), deepest: 1 }
    }

    /// Containers within containers met so far, this one included.
    pub(crate) fn deepest(&self) -> usize {
        self.deepest
    }

    /// The next member of an object: its name between the quotes (escapes and all), and its value.
    pub(crate) fn member(&mut self) -> Option<(&'a str, &'a str)> {
        let name = self.value()?;
        self.skip(b" \t\r\n:");
        Some((name.get(1..name.len().checked_sub(1)?)?, self.value()?))
    }

    /// The next value of an array.
    pub(crate) fn value(&mut self) -> Option<&'a str> {
        self.skip(b" \t\r\n,");
        let (bytes, start) = (self.text.as_bytes(), self.at);
        let mut depth = 0;
        while let Some(&b) = bytes.get(self.at) {
            match b {
                b'"' => {
                    self.at = end_of_text(bytes, self.at);
                    if depth == 0 {
                        break;
                    }
                    continue;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.deepest = self.deepest.max(depth + 1);
                }
                b'}' | b']' if depth == 0 => break,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        break;
                    }
                }
                b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => break,
                _ => {}
            }
            self.at += 1;
        }
        self.text.get(start..self.at).filter(|v| !v.is_empty())
    }

    fn skip(&mut self, what: &[u8]) {
        while self.text.as_bytes().get(self.at).is_some_and(|b| what.contains(b)) {
            self.at += 1;
        }
    }
}

/// The place after the quote that ends the text which begins at `start`.
pub(crate) fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&b) = bytes.get(at) {
        match b {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Appends the text that `inner` (between quotes) stands for. NUL and lone surrogates become U+FFFD; true if
/// there were any.
pub(crate) fn unescape(inner: &str, out: &mut String) -> bool {
    let mut rest = inner;
    let mut replaced = false;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let (c, after) = escape(rest.get(at..).unwrap_or_default());
        replaced |= c.is_none();
        out.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = after;
    }
    out.push_str(rest);
    replaced
}

/// Appends a value as it is, but for what no store or no reader can hold: escapes of NUL and lone surrogates become
/// U+FFFD, and a number beyond the range of a float becomes its text. True if there were any.
pub(crate) fn clean(raw: &str, out: &mut String) -> bool {
    let bytes = raw.as_bytes();
    // A number beyond the range has an exponent, or more than 308 digits.
    let exponent = |pair: &[u8]| matches!(pair, [b'0'..=b'9', b'e' | b'E']);
    if raw.len() <= 308 && !raw.contains('\\') && !bytes.windows(2).any(exponent) {
        out.push_str(raw);
        return false;
    }
    let mut replaced = false;
    let (mut at, mut copied) = (0, 0);
    while let Some(&b) = bytes.get(at) {
        let start = at;
        match b {
            b'"' => {
                at = end_of_text(bytes, start);
                let text = raw.get(start..at).unwrap_or_default();
                if text.contains('\\') {
                    out.push_str(raw.get(copied..start).unwrap_or_default());
                    replaced |= clean_text(text, out);
                    copied = at;
                }
            }
            b'-' | b'0'..=b'9' => {
                let digits = bytes.iter().skip(start).take_while(|b| b"+-.eE0123456789".contains(b));
                at += digits.count();
                let number = raw.get(start..at).unwrap_or_default();
                if number.parse().is_ok_and(f64::is_infinite) {
                    out.push_str(raw.get(copied..start).unwrap_or_default());
                    quote(number, out);
                    (copied, replaced) = (at, true);
                }
            }
            _ => at += 1,
        }
    }
    out.push_str(raw.get(copied..).unwrap_or_default());
    replaced
}

/// The same for what stands in a text, quotes or not.
pub(crate) fn clean_text(inner: &str, out: &mut String) -> bool {
    let mut rest = inner;
    let mut replaced = false;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let escaped = rest.get(at..).unwrap_or_default();
        let (c, after) = escape(escaped);
        if c.is_some() {
            out.push_str(escaped.get(..escaped.len() - after.len()).unwrap_or_default());
        } else {
            replaced = true;
            out.push(char::REPLACEMENT_CHARACTER);
        }
        rest = after;
    }
    out.push_str(rest);
    replaced
}

/// Reads one escape at the start of `text`: its character, or `None` where it stands for no storable one, and
/// what follows it.
fn escape(text: &str) -> (Option<char>, &str) {
    let after = |n| text.get(n..).unwrap_or_default();
    let plain = match text.as_bytes().get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => {
            let Some(first) = hex4(text, 2) else { return (None, after(2)) };
            return match (char::from_u32(first), text.get(6..8)) {
                (Some('\0'), _) => (None, after(6)),
                (Some(c), _) => (Some(c), after(6)),
                (None, Some("\\u")) if first < 0xdc00 => match hex4(text, 8) {
                    Some(second @ 0xdc00..=0xdfff) => {
                        let c = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
                        (c, after(12))
                    }
                    _ => (None, after(6)),
                },
                (None, _) => (None, after(6)),
            };
        }
        Some(&c @ (b'"' | b'\\' | b'/')) => char::from(c),
        _ => return (None, after(1)),
    };
    (Some(plain), after(2))
}

fn hex4(text: &str, at: usize) -> Option<u32> {
    u32::from_str_radix(text.get(at..at + 4)?, 16).ok()
}

/// Appends a JSON text for `text`, quotes included.
pub(crate) fn quote(text: &str, out: &mut String) {
    use std::fmt::Write as _;
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let mut chars = from.chars();
        match chars.next() {
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(c @ ('"' | '\\')) => out.extend(['\\', c]),
            Some(c) => {
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests;
