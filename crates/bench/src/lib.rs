//! What the benches share: the request that all of them send, a clock for one thread's CPU time, figures.
//!
//! A bench prints its results as `FIGURE name value unit` lines; `cargo xtask bench` runs them all, `cargo xtask bench
//! gate` holds some of them against `limits.txt`.

pub mod app;

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use rustix::time::{ClockId, clock_gettime};

/// The request of every comparison: ten headers as a service behind a proxy gets them.
#[must_use]
#[expect(clippy::expect_used, reason = "a fixed request")]
pub fn request(user: u32) -> Request<Body> {
    Request::builder()
        .uri(format!("/api/v1/users/{user}/orders?status=open&limit=20&sort=created_at"))
        .header("host", "shop.example.com")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
        .header("accept", "application/json, text/plain, */*")
        .header("accept-encoding", "gzip, deflate, br, zstd")
        .header("accept-language", "en-US,en;q=0.5")
        .header("authorization", format!("Bearer {:0<157}", "eyJhbGciOiJIUzI1NiJ9."))
        .header("cookie", "session=0123456789abcdef0123456789abcdef; theme=dark")
        .header("x-request-id", "0190f3f2-7d9c-7c1e-9f3a-2b5c6d7e8f90")
        .header("x-forwarded-for", "203.0.113.7, 10.0.0.2")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .body(Body::empty())
        .expect("a valid request")
}

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
