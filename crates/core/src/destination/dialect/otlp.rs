//! OTLP/HTTP with Protocol Buffers: `POST /v1/logs` of any OpenTelemetry backend.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use hoplog_entry::{Malformed, Record};

use super::{Dialect, Mark};
use crate::destination::Source;
use crate::encode::OtlpBatch;
use crate::transport::{Answer, Verdict, otlp_remark};

pub(super) struct Otlp {
    batch: OtlpBatch,
    own: Arc<Source>,
}

impl Otlp {
    pub(super) fn new(own: Arc<Source>) -> Self {
        Self { batch: OtlpBatch::new(&own), own }
    }
}

impl Dialect for Otlp {
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
        Verdict::of_otlp(answer, entries, now)
    }

    fn part(&self, plain: &[u8], entries: Range<u64>, _tell_losses: bool) -> Option<Vec<u8>> {
        self.batch.part(plain, entries)
    }

    fn remark(&self, answer: &Answer) -> Option<String> {
        otlp_remark(&answer.body)
    }
}
