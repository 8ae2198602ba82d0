//! What differs between the servers that take batches over HTTP: the bytes of a batch, and the sense of an answer.

mod log_collector;
mod native;
#[cfg(feature = "otlp")]
mod otlp;

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use hoplog_entry::{EntryId, Malformed, Record};

use super::{Source, Surroundings};
use crate::transport::{Answer, Verdict};

/// Where a batch stands among its sender's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// Entries that its process sealed before it.
    pub(super) seq: u64,
    /// It says that the sender ends cleanly.
    pub(super) closing: bool,
}

/// How one kind of server is spoken to. Holds the batch under way, and its memory from batch to batch.
pub(super) trait Dialect: Send {
    /// A batch begins: its entries were all written by that process; `None`: by this one.
    fn begin(&mut self, source: Option<&Arc<Source>>);

    /// Appends an entry. A record that cannot be read leaves no trace.
    fn push(&mut self, record: &Record<'_>) -> Result<(), Malformed>;

    /// Entries in the batch so far.
    fn entries(&self) -> usize;

    /// Bytes of the batch so far, uncompressed.
    fn len(&self) -> usize;

    /// The whole batch as it is sent, but for compression. Then [`Dialect::clear`].
    fn seal(&mut self, mark: Mark) -> &[u8];

    /// Starts over.
    fn clear(&mut self);

    /// What the answer to a batch of so many entries says about it.
    fn verdict(&self, answer: &Answer, entries: u64, now: SystemTime) -> Verdict;

    /// What the server has to say about a batch that it took, in a line.
    fn remark(&self, _answer: &Answer) -> Option<String> {
        None
    }

    /// Whether an empty batch tells the server of a clean end, or that the sender is still there.
    fn says_goodbye(&self) -> bool {
        false
    }

    /// Some entries of a sealed batch as a batch of their own, which is the same however often it is made. `None` where it
    /// does not have them. `tell_losses`: it says what the whole says of losses, as one part is to do.
    fn part(&self, plain: &[u8], entries: Range<u64>, tell_losses: bool) -> Option<Vec<u8>>;

    /// A sealed batch of one entry with its longer texts cut short. `None` where there is nothing to cut.
    fn truncated(&self, _plain: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

/// Which dialect, with what it has to be told.
#[derive(Debug, Clone)]
pub(crate) enum DialectConfig {
    /// `POST /logs` of hoplog's own collector.
    Native {
        /// Made once per process start.
        boot_id: EntryId,
    },
    /// `POST /logs` of an existing log-collector server.
    LogCollector,
    /// OTLP/HTTP, with attributes of the resource beside those of the source.
    #[cfg(feature = "otlp")]
    Otlp { resource: Arc<Vec<(String, String)>> },
}

impl DialectConfig {
    pub(super) fn speak(&self, around: &Surroundings) -> Box<dyn Dialect> {
        match self {
            Self::Native { boot_id } => Box::new(native::Native::new(*boot_id, around.clone())),
            Self::LogCollector => Box::new(log_collector::LogCollector::new(&around.source)),
            #[cfg(feature = "otlp")]
            Self::Otlp { .. } => Box::new(otlp::Otlp::new(self.source(&around.source))),
        }
    }

    /// What the server calls this process, where it counts what a process sends.
    pub(super) fn boot(&self) -> Option<EntryId> {
        match self {
            Self::Native { boot_id } => Some(*boot_id),
            _ => None,
        }
    }

    /// This process, with all that the server is told of it.
    pub(super) fn source(&self, source: &Arc<Source>) -> Arc<Source> {
        match self {
            #[cfg(feature = "otlp")]
            Self::Otlp { resource } => {
                Arc::new(Source { attributes: resource.to_vec(), ..Source::clone(source) })
            }
            _ => Arc::clone(source),
        }
    }
}
