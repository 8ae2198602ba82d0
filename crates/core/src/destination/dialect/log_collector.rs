//! `POST /logs` of an existing log-collector server.

use std::time::SystemTime;

use hoplog_entry::{Malformed, Record};

use super::{Dialect, Halves, Mark};
use crate::destination::Source;
use crate::encode::{LogCollectorBatch, log_collector_halves};
use crate::transport::{Answer, Verdict};

pub(super) struct LogCollector(LogCollectorBatch);

impl LogCollector {
    pub(super) fn new(source: &Source) -> Self {
        Self(LogCollectorBatch::new(source))
    }
}

impl Dialect for LogCollector {
    fn push(&mut self, record: &Record<'_>) -> Result<(), Malformed> {
        self.0.push(record)
    }

    fn entries(&self) -> usize {
        self.0.entries()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn seal(&mut self, _mark: Mark) -> &[u8] {
        self.0.seal()
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn verdict(&self, answer: &Answer, entries: u64, now: SystemTime) -> Verdict {
        Verdict::of_log_collector(answer, entries, now)
    }

    fn halves(&self, plain: &[u8]) -> Option<Halves> {
        let (first, entries_in_first, second) = log_collector_halves(plain)?;
        Some(Halves { first, entries_in_first, second })
    }
}
