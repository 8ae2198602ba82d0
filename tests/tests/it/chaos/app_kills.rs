//! The application is killed at any moment, again and again, while the collector comes and goes; what it promised is
//! stored once in the end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::oracle::{Found, Oracle, is_quiet};
use super::program::{Shop, Upstream};
use super::{Dice, bound, figure, times};

/// Promises a second.
const RATE: u32 = 500;
/// For what is left of all rounds.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// So much longer than the shop lives are orders asked for.
pub(super) const BEYOND: Duration = Duration::from_millis(20);

/// Asks for orders at the rate until `end`; those that were answered with 200 are owed.
pub(super) async fn order(shop: &str, oracle: &Arc<Oracle>, next: &mut u64, end: Instant) -> JoinSet<()> {
    let client = reqwest::Client::new();
    let mut asked = JoinSet::new();
    let mut ticks = interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while ticks.tick().await < end {
        let order = *next;
        *next += 1;
        oracle.asked(order);
        let request = client.post(format!("{shop}/promise/{order}"));
        let oracle = Arc::clone(oracle);
        asked.spawn(async move {
            if request.send().await.is_ok_and(|answer| answer.status() == 200) {
                oracle.owed(order);
            }
        });
    }
    asked
}

struct Run {
    kills: usize,
    up_at_kill: usize,
    oracle: Arc<Oracle>,
}

/// Kills it so often, from 0.2 s on up to so many ms after it began.
async fn kill(kills: usize, up_to_ms: u64, upstream: &mut Upstream, plan: &serde_json::Value) -> Run {
    let oracle = Arc::new(Oracle::default());
    let (mut dice, mut next, mut up_at_kill) = (Dice(kills as u64), 0, 0);
    for _ in 0..kills {
        let mut shop = Shop::serve(plan);
        let lives = Duration::from_millis(dice.next(200, up_to_ms));
        let (begun, end) = (Instant::now(), Instant::now() + lives);
        let flips = async {
            sleep_until(begun + lives / 2).await;
            match upstream.is_up() {
                true => upstream.down().await,
                false => upstream.up(),
            }
        };
        let url = shop.url("");
        let kill = async {
            sleep_until(end).await;
            shop.program.kill();
        };
        let (mut asked, (), ()) = tokio::join!(order(&url, &oracle, &mut next, end + BEYOND), flips, kill);
        up_at_kill += usize::from(upstream.is_up());
        // What it said before it heard of its end was promised, too.
        while asked.join_next().await.is_some() {}
    }
    Run { kills, up_at_kill, oracle }
}

/// What is stored once a last shop has delivered what all of them left; and its counts.
async fn settle(run: &Run, upstream: &mut Upstream, plan: &serde_json::Value) -> (Found, serde_json::Value) {
    if !upstream.is_up() {
        upstream.up();
    }
    let shop = Shop::serve(plan);
    let stats = shop.stats_when(PATIENCE, |stats| is_quiet(stats) && is_alone(plan)).await;
    (run.oracle.look(upstream).await, stats)
}

/// Whether nothing of the dead is left in the spool: a process takes over so many at a time, and is quiet before it looks
/// for the next.
pub(super) fn is_alone(plan: &serde_json::Value) -> bool {
    let folder = Path::new(plan["spool"].as_str().unwrap()).join("collector");
    std::fs::read_dir(folder).unwrap().count() <= 1
}

fn plan(upstream: &Upstream, spool: &Path) -> serde_json::Value {
    json!({"endpoint": upstream.url(), "spool": spool, "write_through": true})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_application_promised_before_it_was_killed_is_stored_once() {
    let spool = tempfile::tempdir().unwrap();
    let mut upstream = Upstream::start();
    let plan = plan(&upstream, &spool.path().join("spool"));
    let run = kill(times(6, 200), times(1_000, 3_000) as u64, &mut upstream, &plan).await;
    let (found, stats) = settle(&run, &mut upstream, &plan).await;
    figure("app_kill.kills", run.kills, "count");
    figure("app_kill.kills_with_the_collector_up", run.up_at_kill, "count");
    figure("app_kill.durable", run.oracle.count(), "entries");
    found.print("app_kill");
    figure("app_kill.raw_duplicates", &stats["duplicates"], "entries");
    figure("app_kill.drift", &stats["drift"], "entries");
    figure("app_kill.bound_per_kill", bound(run.kills), "probability");
    assert_eq!(found, Found::default());
    assert_eq!((&stats["drift"], &stats["lost"]), (&json!(0), &json!(0)), "{stats}");
    assert!(stats["duplicates"] != 0, "nothing was sent twice: the kills hit nothing");
    assert!(run.oracle.count() > run.kills * 10, "{}", run.oracle.count());
    assert!(0 < run.up_at_kill && run.up_at_kill < run.kills);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oracle_sees_an_application_that_promises_before_it_waits() {
    let spool = tempfile::tempdir().unwrap();
    let mut upstream = Upstream::start();
    let mut plan = plan(&upstream, &spool.path().join("spool"));
    (plan["promises_early"], plan["write_through"]) = (json!(true), json!(false));
    let run = kill(3, 400, &mut upstream, &plan).await;
    let (found, _) = settle(&run, &mut upstream, &plan).await;
    figure("app_kill.control_missing", found.missing, "entries");
    assert!(found.missing > 0, "the control stays green: {found:?}");
}
