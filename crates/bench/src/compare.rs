//! Apps against each other, in one run: what slows the machine slows all of them.
#![expect(clippy::expect_used, reason = "a bench that cannot run must say so")]

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;

use crate::app::App;
use crate::{median, thread_cpu};

/// The worker empties the queue between rounds, as it does every `batch_size` entries in a service.
const REQUESTS: u32 = 1_000;

/// Nanoseconds of the first app, and what each of the others adds to that: medians of many rounds, paired by round.
pub fn nanoseconds(
    apps: &mut [App],
    clients: &[hoplog::Client],
    rounds: usize,
    request: impl Fn(u32) -> Request<Body>,
) -> (f64, Vec<f64>) {
    let mut ns = vec![Vec::with_capacity(rounds); apps.len()];
    for round in 0..=rounds {
        for (app, ns) in apps.iter_mut().zip(&mut ns) {
            let requests: Vec<_> = (0..REQUESTS).map(&request).collect();
            let start = thread_cpu();
            requests.into_iter().for_each(|request| app.answer(request));
            // The first round fills pools and caches.
            if round > 0 {
                ns.push((thread_cpu() - start).as_nanos() as f64 / f64::from(REQUESTS));
            }
        }
        for client in clients {
            client.flush_blocking(Duration::from_secs(5)).expect("an open client");
        }
    }
    let added = |with: &Vec<f64>| median(with.iter().zip(&ns[0]).map(|(with, base)| with - base).collect());
    (median(ns[0].clone()), ns[1..].iter().map(added).collect())
}
