//! One destination: what it is, what it is called, what it takes.

use std::fmt;
use std::sync::Arc;

use hoplog_entry::{Kind, Level};

#[cfg(feature = "otlp")]
use super::Otlp;
use super::{Console, LogCollector, LogFile};
use crate::destination::{Destination, Entry, Filter, Own};

/// A destination for [`ClientBuilder::destination`](super::ClientBuilder::destination), with its name, its least level and
/// its filters. A client may have several; each takes what it wants, keeps its own pace and counts for itself.
///
/// | | default |
/// |---|---|
/// | name | what it is, with a number from the second on: `console`, `own`, `own-2` |
/// | least level | `TRACE`: all |
/// | kinds | all |
/// | targets | all |
/// | filters | none |
///
/// ```
/// use hoplog::{Console, Kind, Level, Output};
///
/// let client = hoplog::Client::builder()
///     .without_collector()
///     .destination(Output::from(Console::Auto).min_level(Level::Warn).kinds([Kind::Request, Kind::Event]))
///     .build()?;
/// # Ok::<(), hoplog::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a destination does nothing until the builder has it"]
pub struct Output {
    pub(super) what: What,
    pub(super) name: Option<String>,
    pub(super) filter: Filter,
}

/// What a destination is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Collector,
    LogCollector(LogCollector),
    #[cfg(feature = "otlp")]
    Otlp(Otlp),
    Console(Console),
    File(LogFile),
    Own(Own),
}

impl What {
    /// Its name where it was given none.
    pub(super) fn default_name(&self) -> &'static str {
        match self {
            Self::Collector => "collector",
            Self::LogCollector(_) => "log_collector",
            #[cfg(feature = "otlp")]
            Self::Otlp(_) => "otlp",
            Self::Console(_) => "console",
            Self::File(_) => "file",
            Self::Own(_) => "own",
        }
    }
}

impl Output {
    fn new(what: What) -> Self {
        Self { what, name: None, filter: Filter::default() }
    }

    /// The collector that the builder's `endpoint` names; for a name or filters of its own.
    pub fn collector() -> Self {
        Self::new(What::Collector)
    }

    /// A destination of your own. It serves one client: a clone of the builder cannot be built with it again.
    pub fn own(destination: impl Destination) -> Self {
        Self::new(What::Own(Own::new(destination)))
    }

    /// What it is called in [`Stats`](crate::Stats) and in complaints. No two may be called the same.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The least serious level that it takes, of entries of every kind. Default: `TRACE`.
    pub fn min_level(mut self, level: Level) -> Self {
        self.filter.min_level = Some(level);
        self
    }

    /// The kinds of entries that it takes. Default: all.
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        self.filter.kinds = Some(kinds.into_iter().collect());
        self
    }

    /// The modules whose entries it takes, with what is below them: `shop` takes `shop::cart`. Entries without a target,
    /// as of requests, are taken as well: [`Output::kinds`] leaves those out. Default: all.
    pub fn targets<S: Into<String>>(mut self, modules: impl IntoIterator<Item = S>) -> Self {
        self.filter.targets = Some(modules.into_iter().map(Into::into).collect());
        self
    }

    /// One more condition: it takes the entries for which this is true. Called on a thread of hoplog's, one time per
    /// entry; keep it quick, for others wait meanwhile. If it panics the entry is taken. Default: none.
    pub fn filter(mut self, takes: impl Fn(&Entry<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.filter.predicates.push(Arc::new(takes));
        self
    }
}

impl From<Console> for Output {
    fn from(console: Console) -> Self {
        Self::new(What::Console(console))
    }
}

impl From<LogCollector> for Output {
    fn from(server: LogCollector) -> Self {
        Self::new(What::LogCollector(server))
    }
}

#[cfg(feature = "otlp")]
impl From<Otlp> for Output {
    fn from(server: Otlp) -> Self {
        Self::new(What::Otlp(server))
    }
}

impl From<LogFile> for Output {
    fn from(file: LogFile) -> Self {
        Self::new(What::File(file))
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("what", &self.what)
            .field("name", &self.name)
            .field("filter", &self.filter)
            .finish()
    }
}
