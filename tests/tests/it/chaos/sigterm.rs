//! SIGTERM in the middle of sending: what the report says was lost is what is missing, and the end comes in time.

use std::collections::HashMap;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::oracle::{is_quiet, orders};
use super::program::{Shop, Upstream};
use super::{figure, times};

/// Each shop has numbers of its own.
const NUMBERS: u64 = 1_000_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// What stands at the endpoint.
const PEERS: [&str; 3] = ["alive", "refusing", "silent"];
const DEADLINES: [u64; 3] = [0, 100, 5_000];

struct Cell {
    peer: &'static str,
    deadline: u64,
    first: u64,
    endpoint: String,
    spool: Option<TempDir>,
    report: Value,
}

/// A shop that makes entries faster than they can be sent, and hears SIGTERM meanwhile.
async fn run(mut cell: Cell) -> Cell {
    let spool = cell.spool.as_ref().map(|dir| dir.path().join("spool"));
    let shop = Shop::serve(&json!({"endpoint": cell.endpoint, "spool": spool, "deadline_ms": cell.deadline}));
    shop.make(cell.first, 5_000, 5_000, 0).await;
    shop.stats_when(PATIENCE, |stats| stats["accepted"].as_u64() > Some(1_000)).await;
    cell.report = tokio::task::spawn_blocking(|| shop.shut_down()).await.unwrap();
    cell
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_ends_in_time_and_its_report_is_the_truth() {
    let upstream = Upstream::start();
    let (refusing, silent) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let at = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    let endpoints =
        HashMap::from([("alive", upstream.url()), ("refusing", at(&refusing)), ("silent", at(&silent))]);
    drop(refusing);
    let (mut cells, mut first) = (JoinSet::new(), 0);
    let mut done = Vec::new();
    for deadline in DEADLINES {
        for (peer, spooled) in PEERS.into_iter().flat_map(|peer| [(peer, false), (peer, true)]) {
            let spool = spooled.then(|| tempfile::tempdir().unwrap());
            let endpoint = endpoints[peer].clone();
            cells.spawn(run(Cell { peer, deadline, first, endpoint, spool, report: Value::Null }));
            first += NUMBERS;
        }
        while let Some(cell) = cells.join_next().await {
            done.push(cell.unwrap());
        }
    }
    let (mut off, mut unsure, mut late, mut lost_with_spool) = (0, 0, 0, 0);
    // What the spools have goes to the collector.
    for cell in &done {
        if let Some(spool) = &cell.spool {
            let next = Shop::serve(&json!({"endpoint": upstream.url(), "spool": spool.path().join("spool")}));
            let left = cell.report["spooled"].as_u64().unwrap();
            next.stats_when(PATIENCE, |stats| is_quiet(stats) && stats["recovered"].as_u64() >= Some(left))
                .await;
        }
    }
    let stored = orders(&upstream).await;
    for cell in &done {
        let there = stored.keys().filter(|order| (cell.first..cell.first + NUMBERS).contains(order)).count();
        let report = &cell.report;
        let number = |value: &Value| value.as_u64().unwrap();
        let dropped: u64 = report["stats"]["dropped"].as_object().unwrap().values().map(number).sum();
        let accepted = number(&report["stats"]["accepted"]);
        let (missing, said) = (accepted as i64 - there as i64, (dropped + number(&report["left"])) as i64);
        let what = format!("{} {} {}: {report}", cell.peer, cell.deadline, cell.spool.is_some());
        // What was under way when time was over is told lost: the collector may have it, or the disk. Never the opposite.
        assert!(missing <= said, "{missing} missing, {said} told; {what}");
        match (cell.peer, &cell.spool) {
            ("alive", _) | (_, Some(_)) => unsure += said - missing,
            _ => off += said - missing,
        }
        late = late.max(number(&report["took_ms"]).saturating_sub(cell.deadline));
        if cell.spool.is_some() && cell.deadline == 5_000 {
            lost_with_spool += missing;
        }
        assert_eq!(report["stats"]["drift"], 0, "{what}");
    }
    figure("sigterm.shutdowns", done.len(), "count");
    figure("sigterm.report_off_by", off, "entries");
    figure("sigterm.told_lost_and_stored", unsure, "entries");
    figure("sigterm.lost_with_a_spool_and_5_s", lost_with_spool, "entries");
    figure("sigterm.latest_after_deadline", late, "ms");
    assert_eq!((off, lost_with_spool), (0, 0));
    // Where all the tests share the cores, a process may wait for one.
    assert!(late <= times(1_000, 250) as u64, "{late} ms");
}
