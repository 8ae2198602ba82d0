//! How a command ends: passed with what it had to skip, failed, or called wrongly.

use std::fmt;

/// Something that could not be checked here. It is said when it happens and again at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skip {
    pub(crate) what: String,
    pub(crate) why: String,
}

impl Skip {
    /// Prints the skip at once, so that none is made in silence.
    pub(crate) fn announce(what: impl Into<String>, why: impl Into<String>) -> Self {
        let skip = Self { what: what.into(), why: why.into() };
        println!("{skip}");
        skip
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SKIPPED {}: {}", self.what, self.why)
    }
}

/// Why a command did not pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The command line was wrong: exit code 2.
    Usage(String),
    /// The project is: exit code 1.
    Failed(String),
}

impl Failure {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self::Failed(why.into())
    }

    /// For a file or directory: names it, since `io::Error` does not.
    pub(crate) fn io(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Failed(format!("cannot {doing} {}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(why) | Self::Failed(why)) = self;
        f.write_str(why)
    }
}

/// What every command and step returns: the skips of a pass, or the failure.
pub(crate) type Outcome = Result<Vec<Skip>, Failure>;
