//! What each option adds to, or takes from, the cost of a request: over a bare axum Router, as `request_path` has it.
//!
//! Without arguments it prints nanoseconds. `--list` names the options, `--count OPTION N` sends N requests and ends,
//! for callgrind; `cargo xtask bench options` does both.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench that cannot run must say so")]

use std::time::Duration;

use hoplog::{
    Bodies, ClientBuilder, ClientIp, Level, LogCollector, Redaction, Requests, RouteRules, Spool, TraceMode,
    Treatment, Trust,
};
use hoplog_bench::app::{App, builder};
use hoplog_bench::compare::nanoseconds;
use hoplog_bench::{figure, request};

type Setting = (&'static str, fn(ClientBuilder) -> ClientBuilder);

/// The first is what the others are measured against.
const OPTIONS: &[Setting] = &[
    ("bare", |b| b),
    ("defaults", |b| b),
    // Skipped: by each way to say so.
    ("skip_path", |b| b.requests(Requests::default().skip_path(PATH))),
    ("skip_prefix", |b| b.requests(Requests::default().skip_prefix("/api/v1/users"))),
    ("skip_route", |b| b.requests(Requests::default().skip_route(ROUTE))),
    ("skip_closure", |b| b.requests(Requests::default().skip_if(|head| head.method == "GET"))),
    // Not skipped, though it was asked.
    ("skip_none", |b| {
        let requests =
            Requests::default().skip_path("/metrics").skip_prefix("/assets").skip_route("/internal");
        b.requests(requests.skip_if(|head| head.method == "OPTIONS"))
    }),
    ("health_check", |b| b.requests(Requests::default().health_paths([PATH]))),
    // The request's trace has its randomness at 0.807 of the range.
    ("sample_in", |b| b.requests(Requests::default().sample(0.5))),
    ("sample_out", |b| b.requests(Requests::default().sample(0.1))),
    ("sample_at_end_in", |b| b.requests(Requests::default().sample_at_end(0.5))),
    ("sample_at_end_out", |b| b.requests(Requests::default().sample_at_end(0.1))),
    ("slow_no", |b| b.requests(Requests::default().slow(Duration::from_secs(600)))),
    ("slow_yes", |b| b.requests(Requests::default().slow(Duration::from_nanos(1)))),
    ("levels", |b| {
        let requests = Requests::default().level(404, Level::Info).level(400..=499, Level::Warn);
        b.requests(requests.level(429, Level::Error).level(503, Level::Warn).level(200..=299, Level::Debug))
    }),
    ("route", |b| {
        let other =
            |path: &str| Requests::default().route(path, RouteRules::default().level(404, Level::Info));
        let requests = other("/a").route("/b", RouteRules::default()).route("/z", RouteRules::default());
        b.requests(requests.route(ROUTE, RouteRules::default().slow(Duration::from_secs(600))))
    }),
    ("bodies", |b| b.bodies(Bodies::default())),
    ("bodies_only_errors", |b| b.bodies(Bodies::default().only_errors())),
    ("trusted_proxies", |b| b.trust(Trust::default().proxies(["unix:", "10.0.0.0/8"]))),
    ("client_types", |b| b.trust(Trust::default().client_types())),
    ("trace_restart", |b| b.trust(Trust::default().traces_from_others(TraceMode::Restart))),
    ("all_headers", |b| b.redaction(Redaction::default().all_headers())),
    ("ip_truncated", |b| b.redaction(Redaction::default().client_ip(ClientIp::Truncate))),
    ("ip_hashed", |b| b.redaction(keyed().client_ip(ClientIp::Hash))),
    ("header_hashed", |b| b.redaction(keyed().treat_header("cookie", Treatment::Hash))),
    ("custom", |b| b.redaction(Redaction::default().custom(|_, _, _| None))),
    // Two writes to a file per request. That the server is away costs the worker, not the request's thread.
    ("open_requests", |b| {
        let spool = Spool::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/open-requests")).leave_free(0);
        b.log_collector(LogCollector::new("http://127.0.0.1:9")).spool(spool.open_requests(256))
    }),
    ("no_headers", |b| b.requests(Requests::default().request_headers(false).response_headers(false))),
];

fn keyed() -> Redaction {
    Redaction::default().hash_key(*b"thirty-two bytes for the bench..")
}

const PATH: &str = "/api/v1/users/7/orders";
const ROUTE: &str = "/api/v1/users/{user}/orders";

fn client((_, option): &Setting) -> hoplog::Client {
    option(builder()).build().expect("a client")
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--list", ..] => OPTIONS.iter().for_each(|(name, _)| println!("{name}")),
        ["--count", name, n, ..] => {
            let option = OPTIONS.iter().find(|(known, _)| known == name).expect("a known option");
            let mut app = App::new(name, &client(option));
            (0..n.parse().expect("a number of requests")).for_each(|_: u32| app.answer(request(7)));
            // Without a farewell: its work is not the requests'.
            std::process::exit(0);
        }
        _ => figures(),
    }
}

fn figures() {
    const ROUNDS: usize = 41;
    let clients: Vec<_> = OPTIONS.iter().map(client).collect();
    let mut apps: Vec<App> = OPTIONS.iter().zip(&clients).map(|((name, _), c)| App::new(name, c)).collect();
    let (_, added) = nanoseconds(&mut apps, &clients, ROUNDS, |_| request(7));
    for ((name, _), ns) in OPTIONS.iter().skip(1).zip(added) {
        figure(&format!("options.added_ns.{name}"), ns, "ns");
    }
}
