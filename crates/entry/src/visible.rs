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

/// Whether a terminal acts upon a character or shows nothing of it: C0, C1, what reorders text (Unicode UAX #9), and
/// what is ignored where it is not known (`Default_Ignorable_Code_Point`, UAX #44). U+FE00 to U+FE0F are let through:
/// they say how the character before them looks, an emoji's among others.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
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
        assert_eq!(Visible("a\u{3164}b\u{e0141}c").to_string(), r"a\u{3164}b\u{e0141}c");
        assert_eq!(Visible("grün 🦀 日本 ❤\u{fe0f}").to_string(), "grün 🦀 日本 ❤\u{fe0f}");
        assert_eq!(Visible("").to_string(), "");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            prop_assert!(!Visible(&text).to_string().contains(is_hidden));
        }
    }
}
