//! `POST /logs` of an existing log-collector server.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use hoplog_entry::{Malformed, Record};

use super::{Dialect, Mark};
use crate::destination::Source;
use crate::encode::{LogCollectorBatch, log_collector_part, truncate_json};
use crate::transport::{Answer, Verdict};

pub(super) struct LogCollector {
    batch: LogCollectorBatch,
    own: Arc<Source>,
}

impl LogCollector {
    pub(super) fn new(own: &Arc<Source>) -> Self {
        Self { batch: LogCollectorBatch::new(own), own: Arc::clone(own) }
    }
}

impl Dialect for LogCollector {
    fn begin(&mut self, source: Option<&Arc<Source>>) {
        self.batch.written_by(source.unwrap_or(&self.own));
    }

    fn push(&mut self, record: &Record<'_>) -> Result<(), Malformed> {
        self.batch.push(record)
    }

    fn entries(&self) -> usize {
        self.batch.entries()
    }

    fn len(&self) -> usize {
        self.batch.len()
    }

    fn seal(&mut self, _mark: Mark) -> &[u8] {
        self.batch.seal()
    }

    fn clear(&mut self) {
        self.batch.clear();
    }

    fn verdict(&self, answer: &Answer, entries: u64, now: SystemTime) -> Verdict {
        Verdict::of_log_collector(answer, entries, now)
    }

    fn part(&self, plain: &[u8], entries: Range<u64>, _tell_losses: bool) -> Option<Vec<u8>> {
        log_collector_part(plain, entries)
    }

    fn truncated(&self, plain: &[u8]) -> Option<Vec<u8>> {
        truncate_json(plain)
    }
}
