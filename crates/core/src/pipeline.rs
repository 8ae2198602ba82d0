//! What request threads and the worker share: clock, redaction, queue.

use std::time::Duration;

use hoplog_entry::{KnownHeader, Level};

use crate::clock::Clock;
use crate::queue::{Queue, QueueLimits};
use crate::redact::{HeaderAction, Redactor};

/// The default of [`Pipeline::running_after`].
const RUNNING_AFTER: Duration = Duration::from_secs(30);

/// One client's shared parts. Exchanges hold it, so that one that outlives its client ends as a counted drop.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) clock: Clock,
    pub(crate) queue: Queue,
    pub(crate) redactor: Redactor,
    /// The redactor's word on every header that has a code, decided once.
    known_headers: [HeaderAction; KnownHeader::ALL.len()],
    /// Events below this level are not taken.
    pub(crate) min_level: Level,
    /// An exchange that is open for so long gets a `running` entry.
    pub(crate) running_after: Duration,
}

impl Pipeline {
    pub(crate) fn new(clock: Clock, limits: QueueLimits, redactor: Redactor, min_level: Level) -> Self {
        let mut known_headers = [HeaderAction::Skip; KnownHeader::ALL.len()];
        for (header, action) in KnownHeader::ALL.iter().zip(&mut known_headers) {
            *action = redactor.header(header.as_str().as_bytes());
        }
        let queue = Queue::new(limits);
        Self { clock, queue, redactor, known_headers, min_level, running_after: RUNNING_AFTER }
    }

    /// What becomes of a header.
    #[inline]
    pub(crate) fn header(&self, known: Option<KnownHeader>, name: &str) -> HeaderAction {
        match known {
            Some(known) => self.known_headers[known as usize],
            None => self.redactor.header(name.as_bytes()),
        }
    }
}
