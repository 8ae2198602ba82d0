//! The collector is away: for less than the spool holds, and for more.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::oracle::{is_quiet, orders};
use super::program::{Shop, Upstream};
use super::tail::{Tail, percentile, unix_now};
use super::{figure, times};

/// Before the outage.
const BEFORE: Duration = Duration::from_secs(1);
/// Where nobody listens it is asked that often, at least.
const BACKOFF: Duration = Duration::from_secs(5);
/// What all of that may take longer in the fast form, beside other tests.
const BUSY: f64 = 5.0;
/// So that a drain which takes too long is a figure, and not a wait in vain.
const PATIENCE: Duration = Duration::from_secs(900);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_that_the_spool_holds_loses_nothing_and_live_entries_do_not_wait_for_it() {
    let spool = tempfile::tempdir().unwrap();
    let mut upstream = Upstream::start();
    let shop = Shop::serve(&json!({"endpoint": upstream.url(), "spool": spool.path().join("spool")}));
    let away = Duration::from_secs(times(3, 600) as u64);
    let after = Duration::from_secs(times(4, 60) as u64);
    let rate = times(300, 1_000) as u64;
    let total = (BEFORE + away + after + BACKOFF.min(away)).as_secs() * rate;
    shop.make(0, total, rate, 0).await;
    sleep(BEFORE).await;
    upstream.down().await;
    let begun = Instant::now();
    let cpu = shop.program.cpu();
    sleep(away).await;
    let cpu = (shop.program.cpu() - cpu).as_secs_f64() / away.as_secs_f64();

    upstream.up();
    let away = begun.elapsed();
    let (returned, back) = (Instant::now(), unix_now());
    let tail = Tail::follow(&upstream).await;
    let delivered = shop.stats().await["delivered"].as_u64().unwrap();
    shop.stats_when(PATIENCE, |stats| stats["delivered"].as_u64() > Some(delivered)).await;
    let noticed = returned.elapsed();
    // Live batches go on meanwhile; there is a moment in which none is on the disk.
    shop.stats_when(PATIENCE, |stats| stats["spooled"] == 0 && stats["unread_bytes"] == 0).await;
    let drained = returned.elapsed();
    shop.stats_when(PATIENCE, |stats| stats["accepted"].as_u64() >= Some(total) && is_quiet(stats)).await;
    // What has been delivered is looked for every 200 ms.
    sleep(Duration::from_millis(500)).await;

    let stored = orders(&upstream).await;
    let stats = shop.stats().await;
    // From the return itself on, whenever the client takes note of it.
    let lag: Vec<f64> = tail.seen().iter().filter(|seen| seen.made >= back).map(|seen| seen.late).collect();
    figure("outage.away", format!("{:.1}", away.as_secs_f64()), "s");
    figure("outage.entries", stored.len(), "entries");
    figure("outage.lost", total - stored.len() as u64, "entries");
    figure("outage.noticed_after", format!("{:.2}", noticed.as_secs_f64()), "s");
    figure("outage.live_entries_seen", lag.len(), "entries");
    figure("outage.live_lag_p99", format!("{:.2}", percentile(lag.clone(), 99)), "s");
    figure("outage.drained_after", format!("{:.2}", drained.as_secs_f64()), "s");
    figure(
        "outage.drain_of_the_outage",
        format!("{:.1}", 100.0 * (drained - noticed).as_secs_f64() / away.as_secs_f64()),
        "%",
    );
    figure("outage.cpu_meanwhile", format!("{:.1}", 100.0 * cpu), "% of a core");
    figure("outage.drift", &stats["drift"], "entries");
    assert_eq!(
        (stored.len() as u64, &stats["lost"], &stats["drift"]),
        (total, &json!(0), &json!(0)),
        "{stats}"
    );
    assert!(stored.values().all(|said| said.len() == 1), "each once");
    let busy = if times(0, 1) == 1 { 0.0 } else { BUSY };
    let drain = if times(0, 1) == 1 { away.as_secs_f64() / 10.0 } else { away.as_secs_f64() };
    assert!(lag.len() as u64 > rate, "{}", lag.len());
    assert!(noticed.as_secs_f64() <= BACKOFF.as_secs_f64() + 1.0 + busy, "{noticed:?}");
    assert!(percentile(lag, 99) <= 5.0 + busy);
    assert!((drained - noticed).as_secs_f64() <= drain + busy, "{drained:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_that_the_spool_does_not_hold_loses_the_oldest_and_counts_them() {
    const ORDERS: u64 = 3_000;
    let spool = tempfile::tempdir().unwrap();
    let mut upstream = Upstream::start();
    upstream.down().await;
    let plan =
        json!({"endpoint": upstream.url(), "spool": spool.path().join("spool"), "max_bytes": 16 << 20});
    let shop = Shop::serve(&plan);
    shop.make(0, ORDERS, 4_000, 8 << 10).await;
    let kept = |stats: &Value| {
        stats["accepted"].as_u64() >= Some(ORDERS)
            && stats["queued"] == 0
            && stats["spool_bytes"].as_u64() > Some(8 << 20)
    };
    let bytes = shop.stats_when(PATIENCE, kept).await["spool_bytes"].as_u64().unwrap();
    upstream.up();
    let stats = shop.stats_when(PATIENCE, is_quiet).await;
    let stored = orders(&upstream).await;
    let missing: Vec<u64> = (0..ORDERS).filter(|order| !stored.contains_key(order)).collect();
    let counted = stats["dropped"]["spool_full_oldest"].as_u64().unwrap();
    let oldest_kept = stored.keys().min().copied().unwrap();
    let newest_lost = missing.iter().max().copied().unwrap();
    figure("overflow.spool_bytes", bytes, "bytes");
    figure("overflow.lost", missing.len(), "entries");
    figure("overflow.counted_as_spool_full_oldest", counted, "entries");
    figure("overflow.oldest_kept", oldest_kept, "number");
    figure("overflow.newest_lost", newest_lost, "number");
    figure("overflow.drift", &stats["drift"], "entries");
    assert_eq!((missing.len() as u64, &stats["lost"]), (counted, &json!(counted)), "{stats}");
    assert!(counted > 500 && bytes <= 24 << 20, "{counted}, {bytes}");
    // But for the batches that were under way in memory when it began.
    let kept_before = stored.keys().filter(|order| **order < newest_lost).count();
    figure("overflow.older_ones_kept", kept_before, "entries");
    assert!(kept_before <= 400, "{kept_before}");
    assert_eq!(stats["drift"], 0);
}
