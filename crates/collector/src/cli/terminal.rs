//! Where lines go: stdout, with colours if somebody looks at it, and stderr for what is said beside them.

use super::Failure;
use hoplog_entry::Visible;
use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _, Write as _};
use unicode_width::UnicodeWidthStr as _;

/// Whether colours are used: on a terminal, unless `NO_COLOR` has a value (<https://no-color.org>) or the terminal knows
/// none.
pub(crate) fn colours() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal()
        && !set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether somebody looks at what is printed.
pub(crate) fn is_watched() -> bool {
    io::stdout().is_terminal()
}

/// Whether stdout is a terminal with little room.
pub(crate) fn is_narrow() -> bool {
    // Of what is none, or does not say, there is no such size.
    is_watched()
        && rustix::termios::tcgetwinsize(io::stdout()).is_ok_and(|size| (1..NARROW).contains(&size.ws_col))
}

/// From so many columns on, a line has room for the whole time.
const NARROW: u16 = 100;

/// What a piece of text is, for the eye. The words next to it say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Dim,
    Strong,
    Open,
    Good,
    Redirect,
    Warn,
    Bad,
}

impl Tone {
    /// Select Graphic Rendition (ECMA-48 §8.3.117).
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "2",
            Self::Strong => "1",
            Self::Open => "34",
            Self::Good => "32",
            Self::Redirect => "36",
            Self::Warn => "33",
            Self::Bad => "31",
        }
    }
}

/// Text that grows, coloured or not.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) text: String,
    colours: bool,
}

impl Page {
    pub(crate) fn new(colours: bool) -> Self {
        Self { text: String::new(), colours }
    }

    /// Appends what the program itself says.
    pub(crate) fn add(&mut self, tone: Tone, what: fmt::Arguments<'_>) {
        let painted = self.colours && tone != Tone::Plain;
        // Writing to a String does not fail.
        if painted {
            let _ = write!(self.text, "\x1b[{}m", tone.code());
        }
        let _ = self.text.write_fmt(what);
        if painted {
            self.text.push_str("\x1b[0m");
        }
    }

    /// Appends what an entry says.
    pub(crate) fn tell(&mut self, tone: Tone, what: &str) {
        self.add(tone, format_args!("{}", Visible(what)));
    }

    /// Prints what has grown, and begins anew.
    pub(crate) fn print(&mut self) -> Result<(), Failure> {
        print(&self.text)?;
        self.text.clear();
        Ok(())
    }
}

/// How many columns a text takes once it is [`Visible`].
pub(crate) fn width(text: &str) -> usize {
    Visible(text).to_string().width()
}

/// A text made visible, with blanks up to a width; a longer one is left as it is.
pub(crate) fn fitted(text: &str, wide: usize) -> String {
    let mut shown = Visible(text).to_string();
    shown.extend(std::iter::repeat_n(' ', wide.saturating_sub(shown.width())));
    shown
}

/// Prints finished text.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Says something beside the output.
pub(crate) fn note(what: &str) {
    // With stderr gone there is nobody to tell.
    let _ = writeln!(io::stderr(), "hoplog: {}", Visible(what));
}

/// JSON on one line, without characters that a terminal acts upon or hides: in strings, where alone most of them may
/// stand, they are escaped, and blanks take the place of the line breaks between tokens. It says the same.
pub(crate) fn safe_json(json: &str) -> Cow<'_, str> {
    if !json.contains(hoplog_entry::is_hidden) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if matches!(c, '\n' | '\r' | '\t') {
            safe.push(' ');
        } else if hoplog_entry::is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stand_around_text_and_never_come_from_it() {
        let mut page = Page::new(true);
        page.tell(Tone::Bad, "a\x1b[32mb");
        page.tell(Tone::Plain, "c");
        assert_eq!(page.text, "\x1b[31ma\\u{1b}[32mb\x1b[0mc");
        let mut page = Page::new(false);
        page.tell(Tone::Bad, "a");
        assert_eq!(page.text, "a");
    }

    #[test]
    fn columns_are_those_of_the_terminal() {
        for (text, wide) in
            [("shop", 4), ("日本語", 6), ("é", 1), ("e\u{301}", 1), ("🦀", 2), ("a\x07", 6), ("", 0)]
        {
            assert_eq!((width(text), fitted(text, 8).width()), (wide, 8), "{text}");
        }
        assert_eq!(fitted("日本語", 4), "日本語");
    }

    #[test]
    fn json_says_the_same_without_hidden_characters() {
        let json = "{\"a\":\"\u{9b}31m\u{202e}b\u{e0041}é\",\r\n\t\"b\":1}";
        let safe = safe_json(json);
        assert_eq!(safe, "{\"a\":\"\\u009b31m\\u202eb\\udb40\\udc41é\",   \"b\":1}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&safe), read(json));
    }
}
