//! Requests while the collector is dead, and while it is there: pairs of runs, one after the other, in turns.

use std::net::TcpListener;
use std::time::Instant;

use hoplog_testkit::wire::Wire;
use serde_json::json;

use super::program::{Shop, Upstream};
use super::tail::percentile;
use super::{figure, times};

/// The 99th percentile of so many requests on one connection, in µs.
async fn requests(wire: &mut Wire, count: usize) -> f64 {
    let mut took = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        wire.send("POST /note/1 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(wire.response("POST").await.status, 200);
        took.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    percentile(took, 99)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_do_not_feel_that_the_collector_is_dead() {
    let upstream = Upstream::start();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let up = Shop::serve(&json!({"endpoint": upstream.url(), "spool": here.path().join("spool")}));
    let dead =
        Shop::serve(&json!({"endpoint": format!("http://{nobody}"), "spool": there.path().join("spool")}));
    let mut wires = [Wire::connect(up.address()).await, Wire::connect(dead.address()).await];
    let (pairs, count) = (times(4, 60), times(100, 1_000));
    for wire in &mut wires {
        requests(wire, count).await;
    }
    let (mut ups, mut deads, mut more) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..pairs {
        let mut p99 = [0.0; 2];
        // Which goes first changes: what drifts hits both.
        for which in if pair % 2 == 0 { [0, 1] } else { [1, 0] } {
            p99[which] = requests(&mut wires[which], count).await;
        }
        ups.push(p99[0]);
        deads.push(p99[1]);
        more.push(100.0 * (p99[1] / p99[0] - 1.0));
    }
    let figure = |name: &str, value: f64, unit: &str| figure(name, format!("{value:.1}"), unit);
    figure("request_path.pairs", pairs as f64, "count");
    figure("request_path.up_p99", percentile(ups, 50), "µs");
    figure("request_path.dead_p99", percentile(deads, 50), "µs");
    figure("request_path.dead_costs", percentile(more.clone(), 50), "% of p99, the median pair");
    figure("request_path.dead_costs_from", percentile(more.clone(), 37), "%");
    figure("request_path.dead_costs_to", percentile(more.clone(), 63), "%");
    assert_eq!(dead.stats().await["lost"], 0);
    // A few short runs show nothing of a tail.
    assert!(times(0, 1) == 0 || percentile(more, 50) <= 3.0);
}
