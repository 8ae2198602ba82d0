//! What hoplog adds to a request on axum, on the request's own thread.
//!
//! Without arguments it prints nanoseconds, all scenarios interleaved in one run. `--count SCENARIO N` sends N requests
//! and ends: run twice under callgrind, the difference is the cost of a request.

#![expect(clippy::expect_used, reason = "a bench that cannot run must say so")]

use hoplog_bench::app::{App, SCENARIOS, client, name};
use hoplog_bench::compare::nanoseconds;
use hoplog_bench::{PATIENCE, WARM_UP, figure, request};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--count", scenario, n, ..] => {
            let client = client(scenario);
            let mut app = App::new(scenario, &client);
            // As it is in a service: the queue was emptied before, and its buffers are used again.
            (0..WARM_UP).for_each(|i| app.serve(i));
            client.flush_blocking(PATIENCE).expect("an open client");
            (0..n.parse().expect("a number of requests")).for_each(|i| app.serve(i));
            // Without a farewell: its work is not the requests'.
            std::process::exit(0);
        }
        _ => figures(),
    }
}

fn figures() {
    const ROUNDS: usize = 81;
    let clients = SCENARIOS.map(client);
    let mut apps: Vec<App> = SCENARIOS.iter().zip(&clients).map(|(s, c)| App::new(s, c)).collect();
    let (bare, added) = nanoseconds(&mut apps, &clients, ROUNDS, request);
    figure("axum.bare_ns", bare, "ns");
    for (scenario, ns) in SCENARIOS.iter().skip(1).zip(added) {
        figure(&format!("{}.added_ns", name(scenario)), ns, "ns");
    }
}
