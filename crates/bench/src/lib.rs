//! What the benches share: the request that all of them send, a clock for one thread's CPU time, figures.
//!
//! A bench prints its results as `FIGURE name value unit` lines; `cargo xtask bench` runs them all, `cargo xtask bench
//! gate` holds some of them against `limits.txt`.

pub mod actix;
pub mod app;
pub mod compare;
mod record;

pub use record::record;

use std::fmt::Write as _;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Request, Uri};
use rustix::time::{ClockId, clock_gettime};

/// Requests before those that are counted: as many, so that every buffer that these take was there before.
pub const WARM_UP: u32 = 1_200;
/// How long an emptied queue is waited for.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The request of every comparison: ten headers as a service behind a proxy gets them. Made as hyper makes it: room
/// for the headers is asked for once, their values are slices. What growing and copying cost depends on the heap's
/// other users, and would be laid at the middleware's door.
#[must_use]
#[expect(clippy::expect_used, reason = "a fixed request")]
pub fn request(user: u32) -> Request<Body> {
    let mut uri = String::with_capacity(128);
    write!(uri, "/api/v1/users/{user}/orders?status=open&limit=20&sort=created_at").expect("text");
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_maybe_shared(Bytes::from(uri)).expect("a valid URI");
    let headers = request.headers_mut();
    headers.reserve(HEADERS.len());
    for (name, value) in HEADERS {
        headers.append(name, HeaderValue::from_static(value));
    }
    request
}

/// The headers of that request.
pub const HEADERS: [(&str, &str); 10] = [
    ("host", "shop.example.com"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    ("accept", "application/json, text/plain, */*"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-US,en;q=0.5"),
    (
        "authorization",
        "Bearer eyJhbGciOiJIUzI1NiJ9.00000000000000000000000000000000000000000000000000000000000000000000\
         00000000000000000000000000000000000000000000000000000000000000000000",
    ),
    ("cookie", "session=0123456789abcdef0123456789abcdef; theme=dark"),
    ("x-request-id", "0190f3f2-7d9c-7c1e-9f3a-2b5c6d7e8f90"),
    ("x-forwarded-for", "203.0.113.7, 10.0.0.2"),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
];

/// CPU time of this thread so far.
#[must_use]
pub fn thread_cpu() -> Duration {
    cpu(ClockId::ThreadCPUTime)
}

/// CPU time of this process so far.
#[must_use]
pub fn process_cpu() -> Duration {
    cpu(ClockId::ProcessCPUTime)
}

fn cpu(clock: ClockId) -> Duration {
    let t = clock_gettime(clock);
    Duration::new(u64::try_from(t.tv_sec).unwrap_or(0), u32::try_from(t.tv_nsec).unwrap_or(0))
}

/// Prints one figure.
#[expect(clippy::print_stdout, reason = "that is what a bench is for")]
pub fn figure(name: &str, value: f64, unit: &str) {
    println!("FIGURE {name} {value:.2} {unit}");
}

/// The middle one.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
