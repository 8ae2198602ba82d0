//! Everything at once: the application is killed, the collector is killed, and the network between them cuts, drips and
//! swallows. When it is over, a fresh entry arrives soon.

use std::sync::Arc;
use std::time::Duration;

use hoplog_testkit::proxy::{Cut, Proxy, Treatment, Way};
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use super::app_kills::{BEYOND, PATIENCE, is_alone, order};
use super::oracle::{Found, Oracle, is_quiet};
use super::program::{Shop, Upstream};
use super::{Dice, bound, figure, times};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ends_are_killed_and_the_network_fails_and_what_was_promised_is_stored_once() {
    let end = Instant::now() + Duration::from_secs(times(5, 1_800) as u64);
    let spool = tempfile::tempdir().unwrap();
    let mut upstream = Upstream::start();
    let proxy = Proxy::to(upstream.address());
    let plan = json!({"endpoint": proxy.url(), "spool": spool.path().join("spool"), "write_through": true});
    let oracle = Arc::new(Oracle::default());
    let (mut dice, mut next, mut kills, mut collector_kills) = (Dice(1), 0, 0, 0);
    while Instant::now() < end {
        let mut shop = Shop::serve(&plan);
        let lives = Duration::from_millis(dice.next(200, times(1_000, 5_000) as u64));
        let (begun, over) = (Instant::now(), Instant::now() + lives);
        let url = shop.url("");
        let after = usize::try_from(dice.next(0, 4_000)).unwrap();
        match dice.next(0, 5) {
            0 => proxy.cut([Cut::reset(Way::Up, after), Cut::reset(Way::Down, after / 8)]),
            1 => proxy.cut([Cut::close(Way::Down, after / 8), Cut::close(Way::Up, after)]),
            2 => proxy.treat(Way::Down, Treatment::Swallow),
            3 => proxy.treat(Way::Up, Treatment::Late(Duration::from_millis(after as u64 / 10))),
            _ => proxy.sever(),
        }
        let killed = dice.next(0, 2) == 0;
        let collector = async {
            sleep_until(begun + lives / 2).await;
            if killed {
                upstream.kill();
            }
            sleep(lives / 4).await;
            if killed {
                upstream.up();
            }
            proxy.heal();
        };
        let kill = async {
            sleep_until(over).await;
            shop.program.kill();
        };
        let (mut asked, (), ()) =
            tokio::join!(order(&url, &oracle, &mut next, over + BEYOND), collector, kill);
        while asked.join_next().await.is_some() {}
        (kills, collector_kills) = (kills + 1, collector_kills + usize::from(killed));
    }
    let shop = Shop::serve(&plan);
    let (begun, fresh) = (Instant::now(), next);
    oracle.asked(fresh);
    let url = shop.url(&format!("/promise/{fresh}"));
    assert_eq!(reqwest::Client::new().post(url).send().await.unwrap().status(), 200);
    oracle.owed(fresh);
    let soon = async {
        while upstream.ask(&format!("/api/v1/logs?metadata.order={fresh}")).await["logs"] == json!([]) {}
    };
    tokio::time::timeout(PATIENCE, soon).await.unwrap();
    let alive = begun.elapsed();
    let stats = shop.stats_when(PATIENCE, |stats| is_quiet(stats) && is_alone(&plan)).await;
    let found = oracle.look(&upstream).await;
    figure("both_killed.kills_of_the_application", kills, "count");
    figure("both_killed.kills_of_the_collector", collector_kills, "count");
    let fired = proxy.fired();
    figure("both_killed.connections_cut", fired.cuts, "count");
    figure("both_killed.bytes_swallowed", fired.swallowed, "bytes");
    figure("both_killed.pieces_held_up", fired.delayed, "count");
    figure("both_killed.durable", oracle.count(), "entries");
    found.print("both_killed");
    figure("both_killed.raw_duplicates", &stats["duplicates"], "entries");
    figure("both_killed.drift", &stats["drift"], "entries");
    figure("both_killed.fresh_entry_after", format!("{:.2}", alive.as_secs_f64()), "s");
    figure("both_killed.bound_per_kill", bound(kills), "probability");
    assert_eq!((found, &stats["drift"], &stats["lost"]), (Found::default(), &json!(0), &json!(0)), "{stats}");
    assert!(kills > 2 && alive <= Duration::from_secs(30), "{kills} {alive:?}");
}
