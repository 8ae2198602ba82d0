//! The crate's error.

use std::error::Error as StdError;
use std::fmt;

/// Why a client could not be built, or an operation not be done. Opaque; ask the predicates.
pub struct Error {
    kind: Kind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Debug)]
enum Kind {
    /// Every complaint about the configuration, one per line.
    Config(Vec<String>),
    /// A part could not be started.
    Start(&'static str),
    /// The client is closed.
    Closed,
}

impl Error {
    pub(crate) fn config(complaints: Vec<String>) -> Self {
        Self { kind: Kind::Config(complaints), source: None }
    }

    pub(crate) fn start(what: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: Kind::Start(what), source: Some(source.into()) }
    }

    pub(crate) fn closed() -> Self {
        Self { kind: Kind::Closed, source: None }
    }

    /// The configuration was refused; [`Error::complaints`] has every reason.
    #[must_use]
    pub fn is_config(&self) -> bool {
        matches!(self.kind, Kind::Config(_))
    }

    /// The client was shut down before.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.kind, Kind::Closed)
    }

    /// What is wrong with the configuration, all of it; empty for other errors.
    #[must_use]
    pub fn complaints(&self) -> &[String] {
        match &self.kind {
            Kind::Config(complaints) => complaints,
            _ => &[],
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Config(complaints) => write!(f, "hoplog cannot be configured: {}", complaints.join("; ")),
            Kind::Start(what) => write!(f, "hoplog cannot start {what}"),
            Kind::Closed => f.write_str("hoplog's client is closed"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.kind).field("source", &self.source).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|s| s as _)
    }
}
