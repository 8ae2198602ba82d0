//! What hoplog adds to a request on actix-web, on the request's own thread; see `request_path`.

#![expect(clippy::expect_used, reason = "a bench that cannot run must say so")]

use std::time::Duration;

use hoplog_bench::actix::{SCENARIOS, Serve, serve};
use hoplog_bench::app::client;
use hoplog_bench::{PATIENCE, WARM_UP, figure, median, thread_cpu};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--count", scenario, n, ..] => {
            let client = client(scenario);
            let mut serve = serve(scenario, &client);
            // As it is in a service: the queue was emptied before, and its buffers are used again.
            serve(WARM_UP, &mut |answers| answers());
            client.flush_blocking(PATIENCE).expect("an open client");
            serve(n.parse().expect("a number of requests"), &mut |answers| answers());
            // Without a farewell: its work is not the requests'.
            std::process::exit(0);
        }
        _ => figures(),
    }
}

fn figures() {
    const ROUNDS: usize = 81;
    const REQUESTS: u32 = 1_000;
    let client = client("hoplog");
    let mut apps = SCENARIOS.map(|scenario| (serve(scenario, &client), Vec::new()));
    for round in 0..=ROUNDS {
        for (serve, ns) in &mut apps {
            let took = time(serve, REQUESTS).as_nanos() as f64 / f64::from(REQUESTS);
            // The first round fills pools and caches.
            if round > 0 {
                ns.push(took);
            }
        }
        client.flush_blocking(PATIENCE).expect("an open client");
    }
    let [(_, bare), (_, hoplog)] = apps;
    let added = hoplog.iter().zip(&bare).map(|(with, base)| with - base).collect();
    figure("actix.bare_ns", median(bare), "ns");
    figure("actix.added_ns", median(added), "ns");
}

fn time(serve: &mut Serve, requests: u32) -> Duration {
    let mut took = Duration::ZERO;
    serve(requests, &mut |answers| {
        let start = thread_cpu();
        answers();
        took = thread_cpu() - start;
    });
    took
}
