//! What hoplog allocates for a request on axum and on actix-web, and what a full queue holds. A binary of its own:
//! counting has a price.
#![expect(clippy::expect_used, reason = "a bench that cannot run must say so")]

use allocation_counter::{AllocationInfo, measure};
use hoplog::bench::BareQueue;
use hoplog_bench::actix::{self, serve};
use hoplog_bench::app::{App, SCENARIOS, client, name};
use hoplog_bench::{PATIENCE, figure, request};

const REQUESTS: u32 = 1_000;

fn main() {
    let bare = on_axum("bare");
    figure("axum.bare_allocations", bare.0, "count");
    for scenario in SCENARIOS.into_iter().skip(1) {
        added(name(scenario), on_axum(scenario), bare);
    }
    let [bare, hoplog] = actix::SCENARIOS.map(on_actix);
    figure("actix.bare_allocations", bare.0, "count");
    added("actix", hoplog, bare);
    full_queue();
}

fn added(name: &str, (allocations, bytes): (f64, f64), (bare, bare_bytes): (f64, f64)) {
    figure(&format!("{name}.added_allocations"), allocations - bare, "count");
    figure(&format!("{name}.added_bytes"), bytes - bare_bytes, "bytes");
}

fn on_axum(scenario: &str) -> (f64, f64) {
    let client = client(scenario);
    let mut app = App::new(scenario, &client);
    per_request(&client, |n| {
        let mut requests: Vec<_> = (0..n).map(request).collect();
        measure(|| requests.drain(..).for_each(|request| app.answer(request)))
    })
}

fn on_actix(scenario: &str) -> (f64, f64) {
    let client = client(scenario);
    let mut serve = serve(scenario, &client);
    per_request(&client, |n| {
        let mut seen = AllocationInfo::default();
        serve(n, &mut |answers| seen = measure(answers));
        seen
    })
}

/// Allocations and bytes per request.
fn per_request(client: &hoplog::Client, mut serve: impl FnMut(u32) -> AllocationInfo) -> (f64, f64) {
    serve(REQUESTS);
    // The queue is emptied between batches, as it is in a service: its buffers are used again.
    client.flush_blocking(PATIENCE).expect("an open client");
    let seen = serve(REQUESTS);
    (seen.count_total as f64 / f64::from(REQUESTS), seen.bytes_total as f64 / f64::from(REQUESTS))
}

/// What a queue that nobody empties allocates at most, against the bound that it states.
fn full_queue() {
    let queue = BareQueue::default();
    let used = measure(|| {
        for _ in 0..200_000 {
            queue.push(&[7; 1_000]);
        }
    });
    let (held, bound) = queue.memory();
    assert!(held <= bound, "{held} bytes held, {bound} allowed");
    figure("queue.peak_percent_of_bound", used.bytes_max as f64 * 100.0 / bound as f64, "percent");
}
