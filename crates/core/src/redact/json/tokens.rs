//! The tokens of JSON, without their values (RFC 8259 §2, §6, §7).

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    OpenObject,
    CloseObject,
    OpenArray,
    CloseArray,
    Comma,
    Colon,
    String,
    /// A number, `true`, `false`, `null`.
    Word,
}

#[derive(Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// A string with backslashes in it.
    pub(super) escapes: bool,
    /// All of it is there.
    pub(super) closed: bool,
}

impl Token {
    /// Where the text of a string ends, before its quote; where a word ends.
    pub(super) fn content_end(&self) -> usize {
        self.end - usize::from(self.kind == Kind::String && self.closed)
    }

    /// The text of a string without its quotes; a word.
    pub(super) fn content<'a>(&self, raw: &'a [u8]) -> &'a [u8] {
        &raw[self.start + usize::from(self.kind == Kind::String)..self.content_end()]
    }
}

pub(super) struct Tokens<'a> {
    raw: &'a [u8],
    at: usize,
    cut: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(raw: &'a [u8], cut: bool) -> Self {
        let at = if raw.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        Self { raw, at, cut }
    }

    /// The next token, or that there is none; the outer `None` where there is something else.
    pub(super) fn next(&mut self) -> Option<Option<Token>> {
        let rest = &self.raw[self.at..];
        let blanks = rest.iter().take_while(|b| b" \t\r\n".contains(b)).count();
        self.at += blanks;
        let start = self.at;
        let Some(&first) = self.raw.get(start) else { return Some(None) };
        let mut token = Token { kind: Kind::Word, start, end: start + 1, escapes: false, closed: true };
        token.kind = match first {
            b'{' => Kind::OpenObject,
            b'}' => Kind::CloseObject,
            b'[' => Kind::OpenArray,
            b']' => Kind::CloseArray,
            b',' => Kind::Comma,
            b':' => Kind::Colon,
            b'"' => Kind::String,
            _ => Kind::Word,
        };
        match token.kind {
            Kind::String => self.string(&mut token)?,
            Kind::Word => self.word(&mut token)?,
            _ => {}
        }
        self.at = token.end;
        Some(Some(token))
    }

    /// Finds the quote that ends it.
    fn string(&self, token: &mut Token) -> Option<()> {
        let mut at = token.start + 1;
        loop {
            let rest = self.raw.get(at..).unwrap_or_default();
            let Some(stop) = rest.iter().position(|&b| b == b'"' || b == b'\\' || b < b' ') else {
                (token.end, token.closed) = (self.raw.len(), false);
                return self.cut.then_some(());
            };
            at += stop;
            match self.raw[at] {
                b'"' => break,
                b'\\' => (token.escapes, at) = (true, at + 2),
                _ => return None, // control characters are escaped
            }
        }
        token.end = at + 1;
        Some(())
    }

    fn word(&self, token: &mut Token) -> Option<()> {
        let of_word = |b: &&u8| b.is_ascii_alphanumeric() || b"+-.".contains(b);
        token.end = token.start + self.raw[token.start..].iter().take_while(of_word).count();
        let word = &self.raw[token.start..token.end];
        token.closed = !(self.cut && token.end == self.raw.len());
        let words: [&[u8]; 3] = [b"true", b"false", b"null"];
        let known = words.iter().any(|w| *w == word || !token.closed && w.starts_with(word));
        (!word.is_empty() && (known || is_number(word, !token.closed))).then_some(())
    }
}

/// A number, or the beginning of one.
fn is_number(word: &[u8], cut: bool) -> bool {
    let unsigned = word.strip_prefix(b"-").unwrap_or(word);
    let (whole, rest) = digits(unsigned);
    if whole == 0 {
        return cut && rest.is_empty();
    }
    if whole > 1 && unsigned.starts_with(b"0") {
        return false;
    }
    let rest = match rest {
        [b'.', rest @ ..] => match digits(rest) {
            (0, rest) => return cut && rest.is_empty(),
            (_, rest) => rest,
        },
        rest => rest,
    };
    match rest {
        [] => true,
        [b'e' | b'E', rest @ ..] => {
            let unsigned = if let [b'+' | b'-', unsigned @ ..] = rest { unsigned } else { rest };
            let (exponent, rest) = digits(unsigned);
            rest.is_empty() && (exponent > 0 || cut)
        }
        _ => false,
    }
}

/// How many digits stand first, and what follows them.
fn digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
    (count, &text[count..])
}
