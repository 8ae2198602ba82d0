//! How cost grows with what there is more of. Each step of an axis is counted in instructions by callgrind, `cargo xtask bench
//! growth` makes a page of it; what more threads cost is CPU time, measured here.
//!
//! Without arguments it prints CPU times. `--list` names the steps, `--count AXIS.STEP N` does N of them and ends.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench that cannot run must say so"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request};
use axum::routing::get;
use hoplog::bench::{BareQueue, Encoder};
use hoplog::{Batch, Bodies, Client, Delivery, Destination, Output, Requests, RouteRules};
use hoplog_bench::app::{App, builder};
use hoplog_bench::{figure, median, process_cpu, record, request, thread_cpu};
use hoplog_tower::RequestLogLayer;

/// What grows, and how far. A name that begins with `bare_` is what the framework pays for the same.
const AXES: &[(&str, &[usize])] = &[
    ("bare_headers", &[0, 10, 20, 40, 60]),
    ("headers", &[0, 10, 20, 40, 60]),
    ("fields", &[0, 4, 16, 64, 256]),
    ("message_bytes", &[100, 1_000, 10_000, 60_000]),
    ("route_rules", &[0, 1, 10, 100, 1_000]),
    ("queue_fill_percent", &[0, 50, 90, 100]),
    ("bare_body_kib", &[1, 16, 64, 256, 1_024]),
    ("body_kib", &[1, 16, 64, 256, 1_024]),
    ("sampled_percent", &[1, 10, 50, 100]),
    ("encode_fields", &[0, 4, 16, 64, 256]),
    ("encode_message_bytes", &[100, 1_000, 10_000, 60_000]),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--list", ..] => {
            for (axis, steps) in AXES {
                steps.iter().for_each(|step| println!("{axis}.{step}"));
            }
        }
        ["--count", scenario, n, ..] => {
            let (axis, step) = scenario.split_once('.').expect("AXIS.STEP");
            let n = n.parse().expect("how many");
            count(axis, step.parse().expect("a number"), n);
            // Without a farewell: its work is not what is counted.
            std::process::exit(0);
        }
        _ => {
            [1, 2, 4, 8].into_iter().for_each(producers);
            [1, 2, 4].into_iter().for_each(destinations);
        }
    }
}

/// What callgrind counts; what `argument` took to make is not in it.
#[inline(never)]
fn measured<T>(argument: T, work: impl FnOnce(T)) {
    work(argument);
}

fn count(axis: &str, step: usize, n: u32) {
    let text = "x".repeat(step);
    match axis {
        "bare_headers" => answer(&Client::disabled(), None, n, |_| with_headers(step)),
        "headers" => answer(&client(), None, n, |_| with_headers(step)),
        "bare_body_kib" => answer(&Client::disabled(), Some(step), n, request),
        "body_kib" => {
            let client = builder().bodies(Bodies::default()).build().expect("a client");
            answer(&client, Some(step), n, request);
        }
        "route_rules" => {
            let route = |requests: Requests, i| requests.route(format!("/rule/{i}"), RouteRules::default());
            let client = builder().requests((0..step).fold(Requests::default(), route)).build();
            answer(&client.expect("a client"), None, n, request);
        }
        "sampled_percent" => {
            let client = builder().requests(Requests::default().sample(step as f64 / 100.0)).build();
            answer(&client.expect("a client"), None, n, of_another_trace);
        }
        "fields" => {
            let (client, names) = (client(), names(step));
            for _ in 0..n {
                measured(&names, |names| with_fields(&client, names));
            }
        }
        "message_bytes" => {
            let client = client();
            (0..n).for_each(|_| measured(&text, |text| client.info(text).send()));
        }
        "queue_fill_percent" => {
            let (queue, record) = (BareQueue::default(), record(7));
            let bound = queue.memory().1;
            while queue.memory().0 * 100 < bound * step && queue.push(&record) {}
            (0..n).for_each(|_| measured(&record, |record| _ = queue.push(record)));
        }
        "encode_fields" => encode(n, |record| {
            names(step).iter().for_each(|name| record.custom_text(name, "a value"));
        }),
        "encode_message_bytes" => encode(n, |record| record.text(hoplog_entry::Field::Message, &text)),
        other => panic!("there is no axis {other}"),
    }
}

fn client() -> Client {
    builder().build().expect("a client")
}

/// Requests on axum, with a text of so many KiB as their answer.
fn answer(client: &Client, body_kib: Option<usize>, n: u32, request: impl Fn(u32) -> Request<Body>) {
    let text: &'static str = body_kib.map_or("ok", |kib| "body text ".repeat(kib * 1_024 / 10).leak());
    let router = Router::new().route("/api/v1/users/{user}/orders", get(move || async move { text }));
    let router =
        if client.is_enabled() { router.layer(RequestLogLayer::new(client.clone())) } else { router };
    let mut app = App::of(router);
    for i in 0..n {
        measured(request(i), |request| app.answer(request));
    }
}

/// Many headers that stay, of which none is one that hoplog knows.
fn with_headers(count: usize) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = "/api/v1/users/7/orders".parse().expect("a path");
    let headers = request.headers_mut();
    headers.reserve(count);
    for i in 0..count {
        let name = HeaderName::from_bytes(format!("x-header-{i}").as_bytes()).expect("a name");
        headers.append(name, HeaderValue::from_static("twenty bytes of text"));
    }
    request
}

fn of_another_trace(i: u32) -> Request<Body> {
    let mut request = request(i);
    // Spread over all trace ids, the same on every run.
    let id = u128::from(i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let value = HeaderValue::from_str(&format!("00-{id:032x}-00f067aa0ba902b7-03")).expect("a header");
    request.headers_mut().insert("traceparent", value);
    request
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("field_{i}")).collect()
}

fn with_fields(client: &Client, names: &[String]) {
    let entry = client.info("order placed");
    names.iter().fold(entry, |entry, name| entry.field(name, "a value")).send();
}

fn encode(n: u32, fill: impl FnOnce(&mut hoplog_entry::RecordWriter)) {
    let mut writer = hoplog_entry::RecordWriter::default();
    let id = hoplog_entry::EntryId::from_bytes([7; 16]);
    writer.begin(hoplog_entry::Kind::Event, id, 1_763_600_000_000_000_000);
    fill(&mut writer);
    let record = writer.end(hoplog_entry::Level::Info, None).to_vec();
    let mut encoder = Encoder::default();
    (0..n)
        .for_each(|_| measured(&record, |record| _ = encoder.batch([record.as_slice()].into_iter(), false)));
}

/// CPU time of a push beside others, with a consumer that sweeps every millisecond.
fn producers(count: usize) {
    // What eight of them push has room in the queue, whenever the consumer comes.
    const PUSHES: u32 = 5_000;
    let (record, mut rounds) = ([7; 200], Vec::new());
    for _ in 0..41 {
        let (queue, done) = (BareQueue::default(), AtomicBool::new(false));
        let spent: Duration = std::thread::scope(|s| {
            s.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    queue.sweep();
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            let push = || {
                let start = thread_cpu();
                (0..PUSHES).for_each(|_| assert!(queue.push(&record), "there is room"));
                thread_cpu() - start
            };
            let threads: Vec<_> = (0..count).map(|_| s.spawn(push)).collect();
            let spent = threads.into_iter().map(|thread| thread.join().expect("a producer")).sum();
            done.store(true, Ordering::Relaxed);
            spent
        });
        rounds.push(spent.as_secs_f64() * 1e9 / (f64::from(PUSHES) * count as f64));
    }
    figure(&format!("growth.cpu_ns.producers.{count}"), median(rounds), "ns");
}

/// Takes entries and does nothing with them.
struct Idle;

impl Destination for Idle {
    async fn deliver(&mut self, _: &Batch<'_>) -> Delivery {
        Delivery::Delivered
    }
}

/// CPU time of an entry that is not its producer's.
fn destinations(count: usize) {
    const AT_ONCE: u32 = 5_000;
    let record = record(7);
    let builder = Client::builder().without_variables().without_collector().queue_bytes(64 << 20);
    let builder = (0..count).fold(builder, |builder, _| builder.destination(Output::own(Idle)));
    let client = builder.build().expect("a client");
    let mut rounds = Vec::new();
    for _ in 0..15 {
        let (all, own) = (process_cpu(), thread_cpu());
        (0..AT_ONCE).for_each(|_| assert!(hoplog::bench::push(&client, &record), "the queue takes it"));
        let report = client.flush_blocking(Duration::from_secs(60)).expect("open");
        assert_eq!((report.left, report.dropped), (0, 0));
        let spent = (process_cpu() - all).saturating_sub(thread_cpu() - own);
        rounds.push(spent.as_secs_f64() * 1e9 / f64::from(AT_ONCE));
    }
    figure(&format!("growth.cpu_ns.destinations.{count}"), median(rounds), "ns");
}
