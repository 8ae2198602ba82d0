//! A long time, with outages: what grows, and what does not come out even.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::oracle::is_quiet;
use super::program::{Program, Shop, Upstream, shop};
use super::{figure, times};

/// The collector is away for a sixth of each round.
const ROUNDS: usize = 15;
/// The first half warms up: what the allocator, the queue and the spool keep grows to its size, which took seven rounds of
/// a minute each.
const WARM_UP: usize = 7;
/// The application's heap, malloc(3) of glibc, gives back what is free. Else it keeps the size of the worst moment so far,
/// which comes when the machine's other work says, and resident memory would tell of that.
const HEAP: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "65536"), ("MALLOC_MMAP_THRESHOLD_", "65536")];
/// Before the rounds, so many entries as fast as they come, so that buffers have grown to their size.
const BURST: u64 = 60_000;
const BURST_RATE: u64 = 100_000;
/// What may be live more at the end of the second half, with nothing waiting, than at its beginning: a buffer grows by 64 KiB
/// at a time. A byte lost for each entry would be 1.6 MiB.
const LIVE_MORE: f64 = 256.0;
const PATIENCE: Duration = Duration::from_secs(180);
/// Student's t for 95 % on both sides, by degrees of freedom from 1 on.
const T: [f64; 10] = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];

fn variable(name: &str, default: usize) -> u64 {
    std::env::var(name).map_or(default as u64, |value| value.parse().unwrap())
}

/// The slope of a line through these points, a unit apart, and the half of its 95 % interval.
fn slope(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let (x, y) = ((n - 1.0) / 2.0, values.iter().sum::<f64>() / n);
    let squares: f64 = (0..values.len()).map(|at| (at as f64 - x).powi(2)).sum();
    let slope =
        values.iter().enumerate().map(|(at, value)| (at as f64 - x) * (value - y)).sum::<f64>() / squares;
    let rest: f64 =
        values.iter().enumerate().map(|(at, value)| (value - y - slope * (at as f64 - x)).powi(2)).sum();
    (slope, T[(values.len() - 3).min(T.len() - 1)] * (rest / (n - 2.0) / squares).sqrt())
}

async fn live_kib(shop: &Shop) -> f64 {
    shop.stats().await["live_bytes"].as_f64().unwrap() / 1_024.0
}

/// `HOPLOG_SOAK_SECONDS` and `HOPLOG_SOAK_RATE` change how long, and how many entries a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_grows_however_long_it_runs() {
    let seconds = variable("HOPLOG_SOAK_SECONDS", times(6, 1_800));
    let rate = variable("HOPLOG_SOAK_RATE", times(500, 2_000));
    let spool = tempfile::tempdir().unwrap();
    let mut upstream = Upstream::start();
    let plan = json!({"endpoint": upstream.url(), "spool": spool.path().join("spool")});
    let shop = Shop::of(Program::start(shop("serve", &plan).envs(HEAP)));
    let round = Duration::from_secs(seconds) / ROUNDS as u32;
    let burst = if seconds >= 600 { BURST } else { 0 };
    shop.make(0, burst, BURST_RATE, 100).await;
    let all = |stats: &Value, made: u64| stats["accepted"].as_u64() >= Some(made) && is_quiet(stats);
    shop.stats_when(PATIENCE, |stats| all(stats, burst)).await;
    let total = burst + seconds * rate;
    shop.make(burst, total - burst, rate, 100).await;
    let begun = Instant::now();
    let (mut memory, mut live, mut descriptors) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..ROUNDS as u32 {
        let (begun, end) = (begun + round * number, begun + round * (number + 1));
        let (mut seen, mut least) = (vec![shop.program.resident()], live_kib(&shop).await);
        while Instant::now() < end {
            let away = begun + round / 3 <= Instant::now() && Instant::now() < begun + round / 2;
            match away {
                true => upstream.down().await,
                false if !upstream.is_up() => upstream.up(),
                false => {}
            }
            seen.push(shop.program.resident());
            least = least.min(live_kib(&shop).await);
            sleep_until(end.min(Instant::now() + Duration::from_secs(1).min(round / 10))).await;
        }
        memory.push(seen.iter().sum::<f64>() / seen.len() as f64);
        live.push(least);
        descriptors.push(shop.program.descriptors());
    }
    if !upstream.is_up() {
        upstream.up();
    }
    let stats = shop.stats_when(PATIENCE, |stats| all(stats, total)).await;
    sleep(Duration::from_millis(100)).await;
    let stored = upstream.ask("/stats").await["total_logs"].as_u64().unwrap();
    let (memory_slope, live_slope) = (slope(&memory[WARM_UP..]), slope(&live[WARM_UP..]));
    let hourly = |a_round: f64| format!("{:.2}", a_round * 3_600.0 / round.as_secs_f64());
    let fds = (descriptors[WARM_UP..].iter().min().unwrap(), descriptors[WARM_UP..].iter().max().unwrap());
    figure("soak.time", seconds, "s");
    figure("soak.rate", rate, "entries/s");
    figure("soak.outages", ROUNDS, "count");
    figure("soak.entries", &stats["accepted"], "entries");
    figure("soak.stored", stored, "entries");
    figure("soak.lost", &stats["lost"], "entries");
    figure("soak.drift", &stats["drift"], "entries");
    figure("soak.rss_first", format!("{:.1}", memory[WARM_UP]), "MiB");
    figure("soak.rss_last", format!("{:.1}", memory[ROUNDS - 1]), "MiB");
    // What is left when nothing waits: the least of a round.
    figure("soak.live_first", format!("{:.0}", live[WARM_UP]), "KiB");
    figure("soak.live_last", format!("{:.0}", live[ROUNDS - 1]), "KiB");
    // Seconds show no slope.
    if seconds >= 600 {
        for (what, (slope, half), unit) in [("rss", memory_slope, "MiB/h"), ("live", live_slope, "KiB/h")] {
            figure(&format!("soak.{what}_slope"), hourly(slope), unit);
            figure(&format!("soak.{what}_slope_from"), hourly(slope - half), unit);
            figure(&format!("soak.{what}_slope_to"), hourly(slope + half), unit);
        }
    }
    figure("soak.fds_least", fds.0, "count");
    figure("soak.fds_most", fds.1, "count");
    assert_eq!((&stats["drift"], &stats["lost"]), (&json!(0), &json!(0)), "{stats}");
    assert_eq!(Some(stored), stats["accepted"].as_u64());
    // A connection more or less.
    assert!(fds.1 - fds.0 <= 8, "{descriptors:?}");
    assert!(seconds < 600 || memory_slope.0 - memory_slope.1 <= 0.0, "resident: {memory:?}");
    assert!(seconds < 600 || live[ROUNDS - 1] - live[WARM_UP] <= LIVE_MORE, "live: {live:?}");
}
