//! What comes after the request: enqueueing beside a live consumer, encoding, compressing.
//!
//! Without arguments it prints times. `--count json|gzip|zstd N` makes batches of N records in all and ends: run twice under
//! callgrind, the difference is the cost of an entry.

#![expect(clippy::expect_used, reason = "a bench that cannot run must say so")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hoplog::bench::{BareQueue, Dialects, Encoder, ZstdPacker};
use hoplog_bench::{figure, record, thread_cpu};

fn main() {
    let records: Vec<Vec<u8>> = (0..BATCH).map(record).collect();
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let ["--count", form, n, ..] = args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        return count(&records, form, n.parse().expect("a number of records"));
    }
    for producers in [1, 2] {
        enqueue(producers, &records[0]);
    }
    encode(&records);
    encode_for_others(&records);
}

/// Records in a batch.
const BATCH: u64 = 1_000;

/// A batch of what is more than whole ones, and whole ones: between two counts are whole ones alone.
fn count(records: &[Vec<u8>], form: &str, n: usize) {
    let (mut encoder, mut zstd) = (Encoder::default(), ZstdPacker::default());
    let whole = std::iter::repeat_n(records, n / records.len());
    for batch in std::iter::once(&records[..n % records.len()]).chain(whole) {
        pack(&mut encoder, &mut zstd, form, batch);
    }
}

/// What callgrind counts.
#[inline(never)]
fn pack(encoder: &mut Encoder, zstd: &mut ZstdPacker, form: &str, records: &[Vec<u8>]) {
    let each = records.iter().map(Vec::as_slice);
    match form {
        "json" => _ = encoder.batch(each, false),
        "gzip" => _ = encoder.batch(each, true),
        "zstd" => _ = zstd.batch(encoder, each),
        other => unreachable!("there is no form {other}"),
    }
}

/// Wall time of single pushes at 100 000 per second and producer, with a consumer that sweeps every millisecond.
fn enqueue(producers: usize, record: &[u8]) {
    const PUSHES: usize = 200_000;
    const PACE: Duration = Duration::from_micros(10);
    let queue = BareQueue::default();
    let done = AtomicBool::new(false);
    let mut ns: Vec<u64> = std::thread::scope(|s| {
        let consumer = s.spawn(|| {
            let mut swept = 0;
            while !done.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
                swept += queue.sweep().0;
            }
            swept + queue.sweep().0
        });
        let threads: Vec<_> = (0..producers)
            .map(|_| {
                s.spawn(|| {
                    let mut ns = Vec::with_capacity(PUSHES);
                    let mut due = Instant::now();
                    for _ in 0..PUSHES {
                        due += PACE;
                        while Instant::now() < due {
                            std::hint::spin_loop();
                        }
                        let start = Instant::now();
                        assert!(queue.push(record), "the consumer keeps up");
                        ns.push(start.elapsed().as_nanos() as u64);
                        // A descheduled producer does not make up for lost time by a burst.
                        due = due.max(Instant::now() - PACE);
                    }
                    ns
                })
            })
            .collect();
        let ns = threads.into_iter().flat_map(|t| t.join().expect("a producer")).collect();
        done.store(true, Ordering::Relaxed);
        assert_eq!(consumer.join().expect("the consumer"), producers * PUSHES);
        ns
    });
    ns.sort_unstable();
    let clock = clock_cost();
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
        let at = (ns.len() as f64 * share) as usize;
        figure(&format!("enqueue.{name}_ns.{producers}"), (ns[at] as f64 - clock).max(0.0), "ns");
    }
}

/// What two clock reads measure of themselves.
fn clock_cost() -> f64 {
    let mut ns: Vec<u64> = (0..10_001).map(|_| Instant::now().elapsed().as_nanos() as u64).collect();
    ns.sort_unstable();
    ns[ns.len() / 2] as f64
}

/// The best of several runs over all records, in entries per second: a machine only ever adds time.
fn best(records: &[Vec<u8>], mut batch: impl FnMut()) -> f64 {
    const BATCHES: usize = 60;
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = thread_cpu();
        for _ in 0..BATCHES {
            batch();
        }
        best = best.min((thread_cpu() - start).as_secs_f64());
    }
    (BATCHES * records.len()) as f64 / best
}

fn encode(records: &[Vec<u8>]) {
    let mut encoder = Encoder::default();
    let each = || records.iter().map(Vec::as_slice);
    let plain = best(records, || _ = encoder.batch(each(), false));
    figure("encode.entries_per_s", plain, "1/s");
    let mut sizes = (0, 0);
    let packed = best(records, || sizes = encoder.batch(each(), true));
    figure("encode_gzip.entries_per_s", packed, "1/s");
    figure("encode.bytes_per_entry", sizes.0 as f64 / records.len() as f64, "bytes");
    figure("encode_gzip.saved_percent", saved(sizes.1, sizes.0), "percent");
    let (mut zstd, mut size) = (ZstdPacker::default(), 0);
    let packed = best(records, || size = zstd.batch(&mut encoder, each()));
    figure("encode_zstd.entries_per_s", packed, "1/s");
    figure("encode_zstd.saved_percent", saved(size, sizes.0), "percent");
}

fn saved(packed: usize, plain: usize) -> f64 {
    100.0 - packed as f64 * 100.0 / plain as f64
}

/// The dialects of other servers, beside the native one above.
fn encode_for_others(records: &[Vec<u8>]) {
    let (mut dialects, mut size) = (Dialects::default(), 0);
    let each = || records.iter().map(Vec::as_slice);
    let rate = best(records, || size = dialects.otlp(each()));
    figure("encode_otlp.entries_per_s", rate, "1/s");
    figure("encode_otlp.bytes_per_entry", size as f64 / records.len() as f64, "bytes");
    let rate = best(records, || size = dialects.log_collector(each()));
    figure("encode_log_collector.entries_per_s", rate, "1/s");
    figure("encode_log_collector.bytes_per_entry", size as f64 / records.len() as f64, "bytes");
}
