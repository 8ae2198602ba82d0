//! Where subjects deliver to, in the place of a network, and how much has arrived there.

use std::hint::black_box;
use std::io::{self, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use fastrace::collector::{Reporter, SpanRecord};
use hoplog::{Batch, Delivery, Destination};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use outlet::{RequestData, RequestHandler, ResponseData};
use sentry::{Envelope, Transport};

/// Pushes what is under way and tells how much has arrived.
pub type Delivered = Box<dyn Fn() -> u64>;

/// Entries, spans, events or lines that arrived.
#[derive(Debug, Clone, Default)]
pub struct Count(Arc<AtomicU64>);

impl Count {
    fn add(&self, n: usize) {
        self.0.fetch_add(n as u64, Relaxed);
    }

    /// So far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Destination for Count {
    async fn deliver(&mut self, batch: &Batch<'_>) -> Delivery {
        self.add(batch.len());
        Delivery::Delivered
    }
}

/// Lines.
impl io::Write for Count {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.add(usize::from(black_box(line).ends_with(b"\n")));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogExporter for Count {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.add(batch.iter().count());
        Ok(())
    }
}

impl SpanExporter for Count {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.add(black_box(batch).len());
        Ok(())
    }
}

/// Roots of traces: one is a request.
impl Reporter for Count {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        self.add(black_box(spans).len());
    }
}

/// sentry's own transport hands envelopes to a thread at once; so does this, where they are serialized as there.
#[derive(Debug)]
pub struct Envelopes(std::sync::mpsc::SyncSender<Envelope>, Count, Arc<AtomicU64>);

impl Envelopes {
    /// A transport that counts what its thread has serialized.
    #[must_use]
    pub fn new(count: Count) -> Self {
        let (sender, receiver) = std::sync::mpsc::sync_channel::<Envelope>(100_000);
        let counted = count.clone();
        std::thread::spawn(move || {
            for envelope in receiver {
                let mut body = Vec::new();
                envelope.to_writer(&mut body).expect("memory");
                counted.add(usize::from(!black_box(body).is_empty()));
            }
        });
        Self(sender, count, Arc::default())
    }
}

impl Transport for Envelopes {
    fn send_envelope(&self, envelope: Envelope) {
        self.2.fetch_add(u64::from(self.0.try_send(envelope).is_ok()), Relaxed);
    }

    fn flush(&self, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        while self.1.get() < self.2.load(Relaxed) && Instant::now() < until {
            std::thread::yield_now();
        }
        self.1.get() >= self.2.load(Relaxed)
    }
}

impl RequestHandler for Count {
    async fn handle_request(&self, data: RequestData) {
        black_box(data);
    }

    async fn handle_response(&self, request: RequestData, response: ResponseData) {
        black_box((request, response));
        self.add(1);
    }
}

/// An address where every POST is answered 200, and how often `mark` stands in the bodies: once in each record.
///
/// # Panics
/// It cannot listen.
#[must_use]
pub fn http_server(count: Count, mark: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let count = count.clone();
            std::thread::spawn(move || {
                let (mut head, mut piece) = (Vec::new(), [0; 64 * 1024]);
                while let Ok(n @ 1..) = stream.read(&mut piece) {
                    head.extend_from_slice(&piece[..n]);
                    let Some(end) = head.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
                    let length = content_length(&head[..end]);
                    if head.len() >= end + 4 + length {
                        let body = &head[end + 4..end + 4 + length];
                        count.add(body.windows(mark.len()).filter(|w| *w == mark.as_bytes()).count());
                        head.drain(..end + 4 + length);
                        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    format!("http://{address}/v1/logs")
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    value.unwrap_or(0)
}
