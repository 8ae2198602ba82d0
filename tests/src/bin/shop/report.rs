//! What the client says of itself, as JSON.

use std::time::{Duration, Instant};

use hoplog::{Client, Stats};
use serde_json::{Value, json};

pub(crate) fn stats(stats: &Stats) -> Value {
    let own = &stats.destinations[0];
    let reasons = |drops: &hoplog::Drops| -> Value {
        drops.iter().map(|(reason, n)| (reason.as_str().to_owned(), Value::from(n))).collect()
    };
    json!({
        "accepted": stats.accepted, "refused": reasons(&stats.refused), "pending": stats.pending(),
        "delivered": own.delivered, "duplicates": own.duplicates, "recovered": own.recovered,
        "in_flight": own.in_flight, "queued": own.queued, "spooled": stats.spooled(), "durable": own.durable,
        "dropped": reasons(&own.dropped), "drift": stats.drift(), "lost": stats.lost(),
        "unread_bytes": own.spool.map(|spool| spool.unread_bytes),
        "spool_bytes": own.spool.map_or(0, |spool| spool.bytes),
        "degraded": own.spool.is_some_and(|spool| spool.degraded),
        "live_bytes": live_bytes(),
        "failed_syncs": own.spool.map_or(0, |spool| spool.failed_syncs),
    })
}

/// What is allocated and not freed.
fn live_bytes() -> usize {
    let heap = crate::HEAP.stats();
    heap.bytes_allocated.saturating_sub(heap.bytes_deallocated)
}

/// Ends the client, and says what came of it.
pub(crate) async fn shut_down(client: &Client, deadline: Duration) {
    let begun = Instant::now();
    let report = client.shutdown(deadline).await;
    let took = begun.elapsed().as_millis() as u64;
    let said = json!({
        "took_ms": took, "delivered": report.delivered, "dropped": report.dropped, "spooled": report.spooled,
        "left": report.left, "stats": stats(&client.stats()),
    });
    println!("report {said}");
}
