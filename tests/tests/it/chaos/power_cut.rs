//! The power fails: what the disk has at that moment is all that is left. What is in the system's memory is not in the
//! image of the disk; torn sectors and what a device does not tell of are left to the tests of the spool.

use std::io::BufRead as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hoplog_testkit::facts::fact;
use serde_json::{Value, json};

use super::disk::Blank;
use super::oracle::{Found, Oracle, is_quiet};
use super::program::{Program, Shop, Upstream, shop};
use super::{Dice, bound, figure, skipped, times};

/// How many wait for the disk at a time.
const WAITING: u64 = 16;
/// Each cut has numbers of its own.
const NUMBERS: u64 = 1_000_000;
const PATIENCE: Duration = Duration::from_secs(30);
/// Within which a start finds what its spool holds.
const LOOK: Duration = Duration::from_secs(2);

/// Cuts the power so often, and hands what the disk had each time to the collector.
async fn cut(blank: &Blank, cuts: usize, upstream: &Upstream, broken: &Value) -> Arc<Oracle> {
    let oracle = Arc::new(Oracle::default());
    let mut dice = Dice(cuts as u64);
    for round in 0..cuts {
        let disk = blank.disk(round).unwrap();
        let first = round as u64 * NUMBERS;
        let mut plan = json!({
            "endpoint": "http://127.0.0.1:1", "spool": disk.at.path().join("spool"), "write_through": true,
            "first": first, "at_a_time": WAITING,
        });
        plan.as_object_mut().unwrap().extend(broken.as_object().unwrap().clone());
        let mut writer = Program::start(&mut shop("promise", &plan));
        let (said, holder) = (writer.said.take().unwrap(), Arc::clone(&oracle));
        let before = oracle.count();
        let listener = std::thread::spawn(move || {
            let mut last = first;
            for line in said.lines().map_while(Result::ok) {
                if let Some(order) = line.strip_prefix("durable ") {
                    last = last.max(order.parse().unwrap());
                    holder.owed(order.parse().unwrap());
                }
            }
            (first..=last + WAITING).for_each(|order| holder.asked(order));
        });
        fact("the first promise", || (oracle.count() > before).then_some(())).await;
        tokio::time::sleep(Duration::from_millis(dice.next(50, 800))).await;
        let left = disk.cut(writer);
        listener.join().unwrap();
        let plan = json!({"endpoint": upstream.url(), "spool": left.at.path().join("spool")});
        let shop = Shop::serve(&plan);
        // It is not quiet before it has looked, and finds something, but where the rig is broken.
        let (begun, least) = (Instant::now(), u64::from(broken == &json!({})));
        let found = |stats: &Value| stats["recovered"].as_u64() >= Some(least);
        let looked = |stats: &Value| stats["recovered"] != 0 || begun.elapsed() > LOOK;
        shop.stats_when(PATIENCE, |stats| is_quiet(stats) && found(stats) && looked(stats)).await;
    }
    oracle
}

/// `None`, said aloud, where no disk can be cut off.
fn blank() -> Option<Blank> {
    Blank::new()
        .map_err(|why| skipped("power cut", &format!("needs root, loop devices and ext4 ({why})")))
        .ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_durable_when_the_power_failed_is_on_the_disk() {
    let Some(blank) = blank() else { return };
    let upstream = Upstream::start();
    let cuts = times(2, 50);
    let oracle = cut(&blank, cuts, &upstream, &json!({})).await;
    let found = oracle.look(&upstream).await;
    figure("power_cut.cuts", cuts, "count");
    figure("power_cut.durable", oracle.count(), "entries");
    found.print("power_cut");
    figure("power_cut.bound_per_cut", bound(cuts), "probability");
    assert_eq!(found, Found::default());
    assert!(oracle.count() > cuts * 20, "{}", oracle.count());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oracle_sees_a_promise_that_was_written_and_not_synced() {
    let Some(blank) = blank() else { return };
    let upstream = Upstream::start();
    let cuts = times(1, 10);
    let broken = json!({"promises_early": true, "never_synced": true});
    let oracle = cut(&blank, cuts, &upstream, &broken).await;
    let found = oracle.look(&upstream).await;
    figure("power_cut.control_cuts", cuts, "count");
    figure("power_cut.control_missing", found.missing, "entries");
    assert!(found.missing > 0, "the control stays green: {found:?}");
}
