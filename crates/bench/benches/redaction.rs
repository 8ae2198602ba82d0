//! What each rule of redaction costs, and what a plain copy and a plain scan of the same bytes cost in the same run.

#![expect(clippy::expect_used, reason = "a bench that cannot run must say so")]

use std::hint::black_box;

use hoplog::bench::Masker;
use hoplog::{Detector, Redaction, Treatment};
use hoplog_bench::{figure, median, thread_cpu};

const QUERY: &str = "status=open&limit=20&sort=created_at";
const PATH: &str = "/api/v1/users/4711/orders";
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const MESSAGE: &str = "order 4711 of customer 0815 placed: 3 items, 19.90 EUR, paid by invoice, shipped to 1010 Vienna \
                       at 2026-11-20T16:07:39Z by worker-3 (attempt 1 of 5)";

const DETECTORS: [(&str, Detector); 9] = [
    ("jwt", Detector::Jwt),
    ("authorization", Detector::Authorization),
    ("private_key", Detector::PrivateKey),
    ("service_key", Detector::ServiceKey),
    ("url", Detector::Url),
    ("pair", Detector::Pair),
    ("card", Detector::Card),
    ("email", Detector::Email),
    ("ip_address", Detector::IpAddress),
];

fn main() {
    let mut all = Masker::new(&Redaction::default()).expect("the defaults");
    let secret_query = format!("{QUERY}&access_token=0123456789");
    for (name, raw) in [("query", QUERY), ("query_masked", &secret_query)] {
        compare(name, raw.as_bytes(), |raw| all.query(raw));
    }
    compare("path", PATH.as_bytes(), |raw| all.path(raw));
    compare("user_agent_seen", AGENT.as_bytes(), |raw| all.plain_header(raw));
    // One of two, so that neither is remembered.
    let long = AGENT.repeat(4);
    compare("user_agent_unseen_284", long.as_bytes(), |raw| all.plain_header(raw));
    names(&mut all);
    let json = json(4096);
    compare("json_body_4k", json.as_bytes(), |raw| all.body(b"application/json", raw));
    compare("form_1k", form(1024).as_bytes(), |raw| all.body(b"application/x-www-form-urlencoded", raw));
    compare("values_message", MESSAGE.as_bytes(), |_| all.text(MESSAGE));
    for (name, detector) in DETECTORS {
        let others = DETECTORS.iter().filter(|(_, other)| *other != detector);
        let alone = others
            .fold(Redaction::default(), |r, (_, other)| r.ignore(*other))
            .detect(detector, Treatment::Mask);
        let alone = Masker::new(&alone).expect("one detector");
        compare(&format!("values_message_{name}"), MESSAGE.as_bytes(), |_| alone.text(MESSAGE));
    }
    let none = DETECTORS.iter().fold(Redaction::default(), |r, (_, detector)| r.ignore(*detector));
    let mut none = Masker::new(&none).expect("no detector");
    compare("values_message_off", MESSAGE.as_bytes(), |_| none.text(MESSAGE));
    compare("json_body_4k_names_only", json.as_bytes(), |raw| none.body(b"application/json", raw));
}

/// A name that was seen before, and names that nobody remembers: longer than what is kept.
fn names(masker: &mut Masker) {
    compare("names_seen", b"created_at=1", |raw| masker.query(raw));
    compare("names_unseen", b"created_at_by_the_first_customer_of_all=1", |raw| masker.query(raw));
}

/// Nanoseconds of `mask`, and how many times those of a copy and of a scan for one byte.
fn compare(name: &str, raw: &[u8], mut mask: impl FnMut(&[u8]) -> bool) {
    let mut copy = Vec::with_capacity(raw.len());
    let copied = nanoseconds(|| {
        copy.clear();
        copy.extend_from_slice(black_box(raw));
        black_box(copy.len());
    });
    let scanned = nanoseconds(|| {
        black_box(black_box(raw).iter().position(|&b| b == b'\0'));
    });
    let masked = nanoseconds(|| {
        black_box(mask(black_box(raw)));
    });
    figure(&format!("redact.{name}_ns"), masked, "ns");
    figure(&format!("redact.{name}_per_copy"), masked / copied.max(0.1), "ratio");
    figure(&format!("redact.{name}_per_scan"), masked / scanned.max(0.1), "ratio");
}

/// The middle of several runs, per call.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    const CALLS: u32 = 2_000;
    let run = |call: &mut dyn FnMut()| {
        let start = thread_cpu();
        (0..CALLS).for_each(|_| call());
        (thread_cpu() - start).as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    run(&mut call);
    median((0..15).map(|_| run(&mut call)).collect())
}

/// An order as a shop sends it, one secret in it, of about so many bytes.
fn json(size: usize) -> String {
    let mut text = String::from("{\"customer\":{\"name\":\"Bob\",\"password\":\"hunter2\"},\"items\":[");
    while text.len() + 100 < size {
        text.push_str("{\"sku\":\"A-4711\",\"title\":\"Teapot, blue, 1.2 l\",\"price\":19.90,\"count\":2,\"gift\":false},");
    }
    text.push_str("null],\"note\":\"ring twice\"}");
    text
}

fn form(size: usize) -> String {
    let mut text = String::from("password=hunter2");
    while text.len() + 50 < size {
        text.push_str("&street=Main+Road+7&city=Z%C3%BCrich&country=CH&count=2");
    }
    text
}
