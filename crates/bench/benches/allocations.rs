//! What hoplog allocates for a request on axum, and what a full queue holds. A binary of its own: counting has a price.

use hoplog::bench::BareQueue;
use hoplog_bench::app::{App, SCENARIOS, client, name};
use hoplog_bench::{figure, request};

const REQUESTS: u32 = 1_000;

fn main() {
    let clients = SCENARIOS.map(client);
    let counts =
        SCENARIOS.iter().zip(&clients).map(|(scenario, client)| per_request(&mut App::new(scenario, client)));
    let counts: Vec<(f64, f64)> = counts.collect();
    let (bare, bare_bytes) = counts[0];
    figure("axum.bare_allocations", bare, "count");
    for (scenario, (allocations, bytes)) in SCENARIOS.iter().zip(&counts).skip(1) {
        figure(&format!("{}.added_allocations", name(scenario)), allocations - bare, "count");
        figure(&format!("{}.added_bytes", name(scenario)), bytes - bare_bytes, "bytes");
    }
    full_queue();
}

fn per_request(app: &mut App) -> (f64, f64) {
    (0..REQUESTS).for_each(|i| app.serve(i));
    let (mut allocations, mut bytes) = (0, 0);
    for i in 0..REQUESTS {
        let request = request(i);
        let seen = allocation_counter::measure(|| app.answer(request));
        allocations += seen.count_total;
        bytes += seen.bytes_total;
    }
    (allocations as f64 / f64::from(REQUESTS), bytes as f64 / f64::from(REQUESTS))
}

/// What a queue that nobody empties allocates at most, against the bound that it states.
fn full_queue() {
    let queue = BareQueue::default();
    let used = allocation_counter::measure(|| {
        for _ in 0..200_000 {
            queue.push(&[7; 1_000]);
        }
    });
    let (held, bound) = queue.memory();
    assert!(held <= bound, "{held} bytes held, {bound} allowed");
    figure("queue.peak_percent_of_bound", used.bytes_max as f64 * 100.0 / bound as f64, "percent");
}
