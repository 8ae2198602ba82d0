//! The chain of sources behind an error, walked in one place for the logger and the glue crates.

use std::error::Error;
use std::iter;

/// A chain that bites its own tail must not hang the caller.
const LONGEST: usize = 32;

/// An error and its sources, at most 32.
pub fn error_chain<'e>(
    first: Option<&'e (dyn Error + 'static)>,
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(first, |error: &&'e (dyn Error + 'static)| (*error).source()).take(LONGEST)
}

/// `caused by: …`, a line for each; `None` where there is no source. Call it with an error's
/// [`source`](Error::source): the error itself speaks in the message.
#[must_use]
pub fn error_sources(source: Option<&(dyn Error + 'static)>) -> Option<String> {
    let lines: Vec<String> = error_chain(source).map(|error| format!("caused by: {error}")).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt;

    #[derive(Debug)]
    struct Endless;

    impl fmt::Display for Endless {
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
}
