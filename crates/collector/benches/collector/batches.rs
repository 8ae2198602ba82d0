//! What is sent: requests of a shop of eight services, about 530 bytes of JSON each, from the last hour until now in order.

use hoplog_entry::{EntryId, SpanId, TraceId};
use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Entries of a batch.
pub(crate) const ENTRIES: usize = 1_000;
/// One in two of all entries is of the first one.
pub(crate) const SERVICES: [&str; 8] = ["shop", "pay", "cart", "mail", "search", "auth", "stock", "edge"];
const SPAN: Duration = Duration::from_secs(3_600);

/// Batches, one after another.
pub(crate) struct Source {
    rows: usize,
    made: usize,
    bytes: usize,
    began: Duration,
    /// One that was sent.
    pub(crate) trace: String,
}

impl Source {
    pub(crate) fn new(rows: usize) -> Self {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() - SPAN;
        Self { rows, made: 0, bytes: 0, began, trace: String::new() }
    }

    /// Entries that are still to be sent.
    pub(crate) fn left(&self) -> usize {
        self.rows.saturating_sub(self.made)
    }

    pub(crate) fn wire_bytes_per_entry(&self) -> f64 {
        self.bytes as f64 / self.made as f64
    }

    /// The next batches, no more than there are left.
    pub(crate) fn take(&mut self, batches: usize) -> Vec<Vec<u8>> {
        (0..batches.min(self.left().div_ceil(ENTRIES))).map(|_| self.batch()).collect()
    }

    fn batch(&mut self) -> Vec<u8> {
        let mut plain = String::from(r#"{"logs":["#);
        for n in self.made..self.made + ENTRIES {
            let at = self.began + SPAN.mul_f64(n as f64 / self.rows as f64);
            let id = EntryId::generate(at.as_millis() as u64);
            let (trace, span) = (TraceId::generate(), SpanId::generate());
            if n == self.rows / 2 {
                self.trace = trace.to_string();
            }
            let mixed = n.wrapping_mul(2_654_435_761) >> 7;
            let (status, level) = match mixed % 40 {
                0 => (500, "ERROR"),
                1..=3 => (404, "WARN"),
                _ => (200, "INFO"),
            };
            let service = SERVICES[(mixed % 16).saturating_sub(8)];
            if n > self.made {
                plain.push(',');
            }
            plain.push_str(&format!(
                r#"{{"id":"{id}","kind":"request","created_at":{}.{:06},"level":"{level}","message":"GET /api/v1/users/{{id}}/orders {status}","service":"{service}","environment":"production","service_version":"v1.2.3","method":"GET","path":"/api/v1/users/{}/orders","route":"/api/v1/users/{{id}}/orders","query":"status=open&limit=20","status_code":{status},"outcome":"completed","duration_ms":{}.{:03},"ttfb_ms":0.{:03},"response_size":{},"ip":"203.0.113.{}","user_agent":"Mozilla/5.0 (X11; Linux x86_64)","trace_id":"{trace}","span_id":"{span}"}}"#,
                at.as_secs(),
                at.subsec_micros(),
                mixed % 10_000,
                mixed % 90,
                mixed % 1_000,
                mixed % 997,
                mixed % 5_000,
                mixed % 250,
            ));
        }
        plain.push_str("]}");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain.as_bytes()).unwrap();
        let body = encoder.finish().unwrap();
        self.made += ENTRIES;
        self.bytes += body.len();
        body
    }
}
