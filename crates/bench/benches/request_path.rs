//! What hoplog adds to a request on axum, on the request's own thread.
//!
//! Without arguments it prints nanoseconds, all scenarios interleaved in one run. `--count SCENARIO N` sends N requests
//! and ends: run twice under callgrind, the difference is the cost of a request.

#![expect(clippy::expect_used, reason = "a bench that cannot run must say so")]

use std::time::Duration;

use hoplog_bench::app::{App, SCENARIOS, client, name};
use hoplog_bench::{figure, median, request, thread_cpu};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--count", scenario, n, ..] => {
            let mut app = App::new(scenario, &client(scenario));
            (0..n.parse().expect("a number of requests")).for_each(|i| app.serve(i));
            // Without a farewell: its work is not the requests'.
            std::process::exit(0);
        }
        _ => figures(),
    }
}

fn figures() {
    const ROUNDS: usize = 81;
    // The worker empties the queue between rounds, as it does every batch_size entries in a service.
    const REQUESTS: u32 = 1_000;
    let clients = SCENARIOS.map(client);
    let mut apps: Vec<App> = SCENARIOS.iter().zip(&clients).map(|(s, c)| App::new(s, c)).collect();
    for app in &mut apps {
        (0..REQUESTS).for_each(|i| app.serve(i));
    }

    let mut ns = [const { Vec::new() }; SCENARIOS.len()];
    for _ in 0..ROUNDS {
        for (app, ns) in apps.iter_mut().zip(&mut ns) {
            let requests: Vec<_> = (0..REQUESTS).map(|i| request(i % 1_000)).collect();
            let start = thread_cpu();
            requests.into_iter().for_each(|r| app.answer(r));
            ns.push((thread_cpu() - start).as_nanos() as f64 / f64::from(REQUESTS));
        }
        for client in &clients {
            client.flush_blocking(Duration::from_secs(5)).expect("an open client");
        }
    }
    let [bare, ..] = &ns;
    figure("axum.bare_ns", median(bare.clone()), "ns");
    for (scenario, ns) in SCENARIOS.iter().zip(&ns).skip(1) {
        // Paired by round: what slows the machine slows both.
        let added = ns.iter().zip(bare).map(|(with, without)| with - without).collect();
        figure(&format!("{}.added_ns", name(scenario)), median(added), "ns");
    }
}
