//! The chain of sources behind an error, walked in one place for the logger and the glue crates.
//!
//! What errors say is code of the application's, run where it did not ask for it: a panic in there ends here, and what
//! is said without end is cut.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{self, Display, Write};
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A chain that bites its own tail must not hang the caller.
const LONGEST: usize = 32;
/// More than any field keeps, in bytes, so that the cut, and what is left of a secret at the cut, is not in the entry.
const MOST: usize = 96 * 1024;
/// What stands for the words of an error that panicked instead of saying them.
const PANICKED: &str = "[its text cannot be told: it panicked]";

/// An error and its sources, at most 32.
pub fn error_chain<'e>(
    first: Option<&'e (dyn Error + 'static)>,
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(first, |error: &&'e (dyn Error + 'static)| of_values(|| (*error).source()).flatten())
        .take(LONGEST)
}

/// What an error says, at most 96 KiB of it. One that panics or fails while it says it does no harm.
#[must_use]
pub fn error_text<E: Display + ?Sized>(error: &E) -> String {
    let mut text = Start(String::new());
    // It stops the formatting, by an error, when it has enough; one that fails by itself has said what it could.
    of_values(|| write!(text, "{error}").is_ok()).map_or_else(|| PANICKED.into(), |_| text.0)
}

/// `caused by: …`, a line for each; `None` where there is no source. Call it with an error's
/// [`source`](Error::source): the error itself speaks in the message.
#[must_use]
pub fn error_sources(source: Option<&(dyn Error + 'static)>) -> Option<String> {
    let mut lines = String::new();
    for error in error_chain(source) {
        if lines.len() >= MOST {
            break;
        }
        let separator = if lines.is_empty() { "" } else { "\n" };
        lines.extend([separator, "caused by: ", &error_text(error)]);
    }
    (!lines.is_empty()).then_some(lines)
}

/// Runs code of the application's that the application did not call here; `None` if it panics.
pub(crate) fn harmless<T>(f: impl FnOnce() -> T) -> Option<T> {
    // Nothing that is seen afterwards is left halfway: texts are, and any start of a text is one.
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(done) => Some(done),
        Err(payload) => {
            // What a panic carries may panic as it goes; what that one carries stays.
            catch_unwind(AssertUnwindSafe(|| drop(payload))).unwrap_or_else(std::mem::forget);
            None
        }
    }
}

thread_local! {
    static IN_VALUES: Cell<bool> = const { Cell::new(false) };
}

/// Likewise, where the code is that of values which are logged: a panic in there is not that of the request.
pub(crate) fn of_values<T>(f: impl FnOnce() -> T) -> Option<T> {
    let before = IN_VALUES.try_with(|inside| inside.replace(true)).unwrap_or(false);
    let done = harmless(f);
    let _ = IN_VALUES.try_with(|inside| inside.set(before));
    done
}

/// Whether the code of a value runs.
pub(crate) fn in_values() -> bool {
    IN_VALUES.try_with(Cell::get).unwrap_or(false)
}

/// Takes the first bytes of a text, and no more.
struct Start(String);

impl Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MOST - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let cut = (0..=room).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
        self.0.push_str(&text[..cut]);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Endless;

    impl Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("again")
        }
    }

    impl Error for Endless {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&Endless)
        }
    }

    #[test]
    fn sources_are_listed_one_per_line_and_a_circle_ends() {
        let inner = std::io::Error::other("disk on fire");
        assert_eq!(error_sources(Some(&inner)).as_deref(), Some("caused by: disk on fire"));
        assert_eq!(error_sources(None), None);
        assert_eq!(error_chain(Some(&Endless)).count(), LONGEST);
    }

    #[derive(Debug)]
    struct Bad(fn(&mut fmt::Formatter<'_>) -> fmt::Result);

    impl Display for Bad {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (self.0)(f)
        }
    }

    impl Error for Bad {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            panic!("no source either")
        }
    }

    #[test]
    fn what_a_panic_carries_does_no_harm_as_it_goes() {
        struct Carried;
        impl Drop for Carried {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new("as it goes"));
            }
        }
        assert!(harmless(|| std::panic::resume_unwind(Box::new(Carried))).map(|(): ()| ()).is_none());
    }

    #[test]
    fn an_error_that_panics_fails_or_does_not_end_does_no_harm() {
        let panics = Bad(|_| panic!("in Display"));
        assert_eq!(error_text(&panics), PANICKED);
        assert_eq!(error_sources(Some(&panics)), Some(format!("caused by: {PANICKED}")));
        assert_eq!(error_text(&Bad(|f| f.write_str("half").and(Err(fmt::Error)))), "half");
        let endless = Bad(|f| {
            loop {
                f.write_str("€ and so on, ")?;
            }
        });
        let text = error_text(&endless);
        assert!((MOST - 3..=MOST).contains(&text.len()), "{}", text.len());
    }
}
