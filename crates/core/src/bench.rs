//! Inner parts for hoplog's own benches (feature `bench`). Not part of the public interface: no promise holds here.

use std::sync::Arc;

use hoplog_entry::Record;

use crate::destination::Source;
use crate::encode::{Gzip, LogCollectorBatch, NativeBatch};
use crate::queue::{Queue, QueueLimits};
use crate::redact::{Redaction, Redactor, Verdict};

/// A queue of the default size and its sweep.
#[derive(Debug, Clone)]
pub struct BareQueue(Arc<Queue>);

impl Default for BareQueue {
    fn default() -> Self {
        let limits = QueueLimits::new(16 << 20, 65_536);
        Self(Arc::new(Queue::new(limits)))
    }
}

impl BareQueue {
    /// Whether the record was taken.
    #[inline]
    pub fn push(&self, record: &[u8]) -> bool {
        self.0.push(record, false).is_ok()
    }

    /// Takes everything out; returns entries and bytes.
    pub fn sweep(&self) -> (usize, usize) {
        self.0.sweep().iter().fold((0, 0), |(n, b), chunk| (n + chunk.entries(), b + chunk.bytes().len()))
    }

    /// Bytes held now, and the bound.
    #[must_use]
    pub fn memory(&self) -> (usize, usize) {
        self.0.memory()
    }
}

/// Queues a record as it is; false where it is refused.
#[must_use]
pub fn push(client: &crate::Client, record: &[u8]) -> bool {
    client.pipeline().is_some_and(|pipeline| pipeline.queue.push(record, false).is_ok())
}

/// Records to JSON to gzip, as the worker does it.
#[derive(Debug)]
pub struct Encoder {
    json: NativeBatch,
    gzip: Gzip,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { json: NativeBatch::new(), gzip: Gzip::new() }
    }
}

impl Encoder {
    /// One batch of records; returns the bytes of its JSON, and compressed (0 without `gzip`).
    pub fn batch<'a>(&mut self, records: impl Iterator<Item = &'a [u8]>, gzip: bool) -> (usize, usize) {
        self.json.clear();
        for bytes in records {
            if let Ok((record, _)) = Record::read(bytes) {
                let _ = self.json.push(&record);
            }
        }
        let plain = self.json.seal(|_| {});
        let packed = if gzip { self.gzip.compress(plain).map_or(0, |p| p.len()) } else { 0 };
        (plain.len(), packed)
    }
}

/// Records to the batches of other servers, as the worker writes them.
#[derive(Debug)]
pub struct Dialects {
    log_collector: LogCollectorBatch,
    #[cfg(feature = "otlp")]
    otlp: crate::encode::OtlpBatch,
}

impl Default for Dialects {
    fn default() -> Self {
        let source = Source { service: "shop".into(), environment: "production".into(), ..Source::default() };
        Self {
            log_collector: LogCollectorBatch::new(&source),
            #[cfg(feature = "otlp")]
            otlp: crate::encode::OtlpBatch::new(&source),
        }
    }
}

impl Dialects {
    /// One batch for an existing log-collector server; returns its bytes.
    pub fn log_collector<'a>(&mut self, records: impl Iterator<Item = &'a [u8]>) -> usize {
        self.log_collector.clear();
        for bytes in records {
            if let Ok((record, _)) = Record::read(bytes) {
                let _ = self.log_collector.push(&record);
            }
        }
        self.log_collector.seal().len()
    }

    /// One batch of OTLP; returns its bytes.
    #[cfg(feature = "otlp")]
    pub fn otlp<'a>(&mut self, records: impl Iterator<Item = &'a [u8]>) -> usize {
        self.otlp.clear();
        for bytes in records {
            if let Ok((record, _)) = Record::read(bytes) {
                let _ = self.otlp.push(&record);
            }
        }
        self.otlp.seal().len()
    }
}

/// The compressor of `Compression::Zstd`.
#[cfg(feature = "zstd")]
#[derive(Debug, Default)]
pub struct ZstdPacker(crate::encode::Zstd);

#[cfg(feature = "zstd")]
impl ZstdPacker {
    /// One batch of native JSON, compressed; returns its bytes.
    pub fn batch<'a>(&mut self, encoder: &mut Encoder, records: impl Iterator<Item = &'a [u8]>) -> usize {
        encoder.batch(records, false);
        self.0.compress(encoder.json.seal(|_| {})).map_or(0, |packed| packed.len())
    }
}

/// The rules of redaction, as the request path uses them.
#[derive(Debug)]
pub struct Masker {
    redactor: Redactor,
    out: Vec<u8>,
}

impl Masker {
    /// `None` where the configuration is wrong.
    #[must_use]
    pub fn new(redaction: &Redaction) -> Option<Self> {
        Some(Self { redactor: redaction.build().ok()?, out: Vec::new() })
    }

    /// Whether anything was masked in a query.
    pub fn query(&mut self, raw: &[u8]) -> bool {
        self.out.clear();
        self.redactor.query(raw, &mut self.out) == Verdict::Masked
    }

    /// Whether anything was masked in a path.
    pub fn path(&mut self, raw: &[u8]) -> bool {
        self.out.clear();
        self.redactor.path(raw, &mut self.out) == Verdict::Masked
    }

    /// Whether anything was masked in a body.
    pub fn body(&mut self, content_type: &[u8], raw: &[u8]) -> bool {
        self.out.clear();
        self.redactor.body(content_type, raw, false, &mut self.out) == Verdict::Masked
    }

    /// Whether anything was masked in a text.
    #[must_use]
    pub fn text(&self, raw: &str) -> bool {
        matches!(self.redactor.text(raw), std::borrow::Cow::Owned(_))
    }

    /// Whether a header's value was found free of secrets.
    #[must_use]
    pub fn plain_header(&self, value: &[u8]) -> bool {
        self.redactor.is_plain(value)
    }
}
