//! Text of unknown origin on its way to a terminal.

use std::fmt::{self, Write as _};

/// Shows a text on one line with nothing in it that a terminal acts upon or hides: a line break becomes `⏎`, a tab a
/// blank, any other control character and those that reorder or hide text are spelled out, `\u{1b}`.
#[derive(Debug, Clone, Copy)]
pub struct Visible<'a>(pub &'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut from = 0;
        for (at, c) in self.0.char_indices().filter(|(_, c)| is_hidden(*c)) {
            f.write_str(self.0.get(from..at).unwrap_or_default())?;
            match c {
                '\t' => f.write_char(' ')?,
                '\n' => f.write_char('⏎')?,
                c => write!(f, "{}", c.escape_unicode())?,
            }
            from = at + c.len_utf8();
        }
        f.write_str(self.0.get(from..).unwrap_or_default())
    }
}

/// Whether a terminal acts upon a character or shows nothing of it: C0, C1, and what reorders text (Unicode UAX #9) or
/// has no width.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_would_act_upon_is_spelled_out() {
        assert_eq!(
            Visible("a\x1b[31m\nb\tc\u{9b}\u{202e}d\r").to_string(),
            r"a\u{1b}[31m⏎b c\u{9b}\u{202e}d\u{d}"
        );
        assert_eq!(Visible("grün 🦀 日本").to_string(), "grün 🦀 日本");
        assert_eq!(Visible("").to_string(), "");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            prop_assert!(!Visible(&text).to_string().contains(is_hidden));
        }
    }
}
