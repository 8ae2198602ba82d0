//! Requests that take long: a `running` entry tells of them, the longest gap of their stream is noted.

use std::time::Duration;

use hoplog::Client;
use hoplog::testing::capture_with;
use hoplog_testkit::rig::{Rig, ending};
use hoplog_testkit::scenarios::{Framework, routes};
use hoplog_testkit::wire::Wire;
use routes::EVENT;

use crate::scenarios_actix::Actix;
use crate::scenarios_tower::Axum;

const LONG: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_stream_is_told_of_while_it_runs_and_says_its_longest_gap_at_its_end() {
    stream(&Axum).await;
    stream(&Actix).await;
}

async fn stream<F: Framework>(framework: &F) {
    let client = Client::builder().service("test").running_after(LONG).flush_interval(LONG / 2);
    let capture = capture_with(client).unwrap();
    let mut rig = Rig::over(capture, async |client, gate| framework.serve(client, gate).await).await;
    let mut wire = Wire::connect(rig.logged.subject.address()).await;
    wire.send("GET /events HTTP/1.1\r\nhost: test\r\n\r\n").await;
    wire.body_begins(EVENT.len()).await;

    let running = rig.entry().await;
    assert_eq!((&running["kind"], &running["path"]), (&"running".into(), &"/events".into()), "{}", F::NAME);
    assert_eq!((&running["status_code"], &running["outcome"]), (&200.into(), &serde_json::Value::Null));

    rig.logged.gate.open();
    wire.response("GET").await;
    let done = rig.entry().await;
    let size = 2 * EVENT.len() as u64;
    assert_eq!(ending(&done), ("completed", Some(200), "INFO", Some(size)), "{}", F::NAME);
    assert_eq!((&done["kind"], &done["id"]), (&"request".into(), &running["exchange_id"]));
    // Between the two events the first entry came.
    let number = |name: &str| done[name].as_f64().unwrap();
    assert!(number("longest_gap_ms") > 0.0 && number("longest_gap_ms") <= number("duration_ms"), "{done}");
    assert!(number("duration_ms") >= LONG.as_secs_f64() * 1e3, "{done}");
    rig.end().await;
}
