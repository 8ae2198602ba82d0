//! OTLP/HTTP with Protocol Buffers: `POST /v1/logs` of any OpenTelemetry backend.

use std::time::SystemTime;

use hoplog_entry::{Malformed, Record};

use super::{Dialect, Halves, Mark};
use crate::destination::Source;
use crate::encode::OtlpBatch;
use crate::transport::{Answer, Verdict, otlp_remark};

pub(super) struct Otlp(OtlpBatch);

impl Otlp {
    pub(super) fn new(source: &Source, resource: &[(String, String)]) -> Self {
        Self(OtlpBatch::new(source, resource))
    }
}

impl Dialect for Otlp {
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
        Verdict::of_otlp(answer, entries, now)
    }

    fn halves(&self, plain: &[u8]) -> Option<Halves> {
        let (first, entries_in_first, second) = self.0.halves(plain)?;
        Some(Halves { first, entries_in_first, second })
    }

    fn remark(&self, answer: &Answer) -> Option<String> {
        otlp_remark(&answer.body)
    }
}
