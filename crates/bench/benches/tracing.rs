//! What a `tracing` event costs its thread: as an entry of hoplog's, as a line of tracing-subscriber's JSON layer, as a
//! record of OpenTelemetry's appender. Each in a process of its own, under its own global subscriber, in turn; each has
//! to show that everything arrived.

#![expect(clippy::expect_used, reason = "a bench that cannot run must say so")]

use std::hint::black_box;
use std::io;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hoplog::{Client, Destination, Outcome, Output, RequestHead};
use hoplog_bench::{figure, median, thread_cpu};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{
    BatchConfigBuilder, BatchLogProcessor, LogBatch, LogExporter, SdkLoggerProvider,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::prelude::*;

const CALLS: u64 = 2_000;
const ROUNDS: usize = 15;
/// How often each subject has its turn.
const TURNS: usize = 3;

const SUBJECTS: [&str; 3] = ["tracing", "peer.tracing_subscriber_json", "peer.opentelemetry_appender"];

fn main() {
    match std::env::args().nth(1).filter(|argument| !argument.starts_with('-')) {
        Some(subject) => measure(&subject),
        None => turns(),
    }
}

/// Everybody in turn, so that they meet the same machine.
fn turns() {
    let mut measured: Vec<(String, Vec<f64>)> = Vec::new();
    for _ in 0..TURNS {
        for subject in SUBJECTS {
            let mut turn = Command::new(std::env::current_exe().expect("its own path"));
            let output = turn.arg(subject).output().expect("a process");
            assert!(output.status.success(), "{subject}: {}", String::from_utf8_lossy(&output.stderr));
            for line in String::from_utf8_lossy(&output.stdout).lines() {
                let Some((name, value)) = line.split_once(' ') else { continue };
                let value = value.parse().expect("a number");
                match measured.iter_mut().find(|(known, _)| known == name) {
                    Some((_, values)) => values.push(value),
                    None => measured.push((name.to_owned(), vec![value])),
                }
            }
        }
    }
    for (name, values) in measured {
        figure(&name, median(values), "ns");
    }
}

/// What a subject has delivered so far, once everything is on its way.
type Delivered = Box<dyn Fn() -> u64>;

fn measure(subject: &str) {
    let count = Arc::new(AtomicU64::new(0));
    if subject == SUBJECTS[0] {
        let client = client(Arc::clone(&count));
        tracing_subscriber::registry().with(hoplog_tracing::layer(&client)).init();
        let head =
            RequestHead { method: "GET", path: "/orders", http_version: "1.1", ..RequestHead::default() };
        let mut exchange = client.begin_request(&head, std::iter::empty::<(&str, &[u8])>).expect("a request");
        let delivered: Delivered = Box::new(move || {
            client.flush_blocking(Duration::from_secs(10)).expect("an open client");
            count.load(Ordering::Relaxed)
        });
        exchange.poll(|| rounds(subject, &delivered));
        exchange.finish(Outcome::Completed);
    } else if subject == SUBJECTS[1] {
        let lines = Arc::clone(&count);
        let layer = tracing_subscriber::fmt::layer().json().with_writer(move || Sink(Arc::clone(&lines)));
        tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO)).init();
        rounds(subject, &(Box::new(move || count.load(Ordering::Relaxed)) as Delivered));
    } else {
        let exporter = Exporter(Arc::clone(&count));
        let config = BatchConfigBuilder::default().with_max_queue_size(64 * 1024).build();
        let processor = BatchLogProcessor::builder(exporter).with_batch_config(config).build();
        let provider = SdkLoggerProvider::builder().with_log_processor(processor).build();
        let layer = OpenTelemetryTracingBridge::new(&provider);
        tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO)).init();
        let delivered: Delivered = Box::new(move || {
            provider.force_flush().expect("a flush");
            count.load(Ordering::Relaxed)
        });
        rounds(subject, &delivered);
    }
}

fn rounds(subject: &str, delivered: &Delivered) {
    let request = tracing::info_span!("request", method = "GET", user = 7);
    let _in = request.enter();
    let event = || tracing::info!(order_id = black_box(42), total = 9.5, customer = "bob", "order placed");
    let before = delivered();
    let ns = round(event, delivered);
    assert_eq!(delivered() - before, (ROUNDS as u64 + 1) * CALLS, "{subject} delivers what it is given");
    say(subject, "event", ns);
    let before = delivered();
    let ns = round(|| tracing::debug!(order_id = black_box(42), total = 9.5, "order placed"), delivered);
    assert_eq!(delivered(), before, "{subject} delivers nothing of a level that is off");
    say(subject, "disabled", ns);
    let span = || drop(tracing::info_span!("query", table = black_box("orders"), limit = 20).entered());
    say(subject, "span", round(span, delivered));
}

#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn say(subject: &str, what: &str, ns: f64) {
    println!("{subject}.{what}_ns {ns}");
}

/// The middle of several rounds, per call.
fn round(call: impl Fn(), delivered: &Delivered) -> f64 {
    let once = |_| {
        let start = thread_cpu();
        (0..CALLS).for_each(|_| call());
        let spent = (thread_cpu() - start).as_secs_f64() * 1e9 / CALLS as f64;
        delivered();
        spent
    };
    once(0);
    median((0..ROUNDS).map(once).collect())
}

fn client(count: Arc<AtomicU64>) -> Client {
    Client::builder()
        .service("bench")
        .without_variables()
        .without_collector()
        .min_level(hoplog::Level::Info)
        .max_events_per_request(u32::MAX)
        .destination(Output::own(Counter(count)))
        .build()
        .expect("a client")
}

struct Counter(Arc<AtomicU64>);

impl Destination for Counter {
    async fn deliver(&mut self, batch: &hoplog::Batch<'_>) -> hoplog::Delivery {
        self.0.fetch_add(batch.len() as u64, Ordering::Relaxed);
        hoplog::Delivery::Delivered
    }
}

/// Takes lines, and counts them.
struct Sink(Arc<AtomicU64>);

impl io::Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(u64::from(black_box(line).ends_with(b"\n")), Ordering::Relaxed);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes records, and counts them.
#[derive(Debug)]
struct Exporter(Arc<AtomicU64>);

impl LogExporter for Exporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.0.fetch_add(batch.iter().count() as u64, Ordering::Relaxed);
        Ok(())
    }
}
