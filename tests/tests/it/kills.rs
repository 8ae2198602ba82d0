//! A process that is killed, and what the collector's store has of it in the end.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use hoplog::{Client, Durability, Spool};
use hoplog_testkit::facts::fact;

use crate::collector::{Collector, Directory};

const ROUNDS: usize = 5;
/// What the process says before it is killed, more each time.
const LINES: usize = 20;

fn client(url: &str, spool: &str) -> Client {
    let builder =
        Client::builder().without_variables().endpoint(url).flush_interval(Duration::from_millis(20));
    builder.spool(Spool::new(spool).leave_free(0)).durability(Durability::WriteThrough).build().unwrap()
}

/// What the killed process does: logs, waits for the disk, says so.
#[expect(clippy::print_stdout, reason = "how its parent hears of it")]
async fn promise(url: &str, spool: &str, round: &str) {
    let client = client(url, spool);
    for i in 0.. {
        client.info(format!("sent {round}-{i}")).send();
        if client.info(format!("promised {round}-{i}")).durable().await.is_ok() {
            println!("promised {round}-{i}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_durable_when_a_process_was_killed_is_stored_once() {
    let variable = |name: &str| std::env::var(name);
    if let (Ok(url), Ok(spool), Ok(round)) =
        (variable("HOPLOG_TEST_URL"), variable("HOPLOG_TEST_SPOOL"), variable("HOPLOG_TEST_ROUND"))
    {
        return promise(&url, &spool, &round).await;
    }
    let directory = Directory::new();
    let spool = tempfile::tempdir().unwrap();
    let spool = spool.path().to_str().unwrap();
    let collector = Collector::start(&directory).await;
    let mut promised = Vec::new();
    for round in 0..ROUNDS {
        let test = "kills::what_was_durable_when_a_process_was_killed_is_stored_once";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env("HOPLOG_TEST_URL", collector.url())
            .env("HOPLOG_TEST_SPOOL", spool)
            .env("HOPLOG_TEST_ROUND", round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stdout.take().unwrap());
        let mut lines = told.lines().map_while(Result::ok).filter(|line| line.starts_with("promised "));
        promised.extend(lines.by_ref().take(LINES * (round + 1)));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it heard of its end was promised, too.
        promised.extend(lines.filter(|line| line.contains('-')));
    }
    assert!(promised.len() >= LINES * ROUNDS * (ROUNDS + 1) / 2, "{}", promised.len());

    let client = client(&collector.url(), spool);
    fact("the last of them is delivered", || {
        let own = &client.stats().destinations[0];
        let idle = own.spool.is_some_and(|spool| spool.unread_bytes == 0);
        (idle && own.recovered > 0 && own.spooled + own.in_flight == 0).then_some(())
    })
    .await;
    let own = client.stats().destinations[0].clone();
    assert_eq!((own.drift, own.dropped.total()), (0, 0), "{own:?}");
    let mut stored = Vec::new();
    for word in ["promised", "sent"] {
        let found = collector.ask(&format!("/api/v1/logs?q={word}&limit=1000")).await;
        let found = found["logs"].as_array().unwrap().clone();
        stored.extend(found.iter().map(|entry| entry["message"].as_str().unwrap().to_owned()));
    }
    let total = stored.len();
    let missing = promised.iter().filter(|one| !stored.contains(one)).count();
    stored.sort_unstable();
    stored.dedup();
    println!(
        "\nFIGURE kills.durable {} 1\nFIGURE kills.missing {missing} 1\nFIGURE kills.duplicates_sent {} 1",
        promised.len(),
        own.duplicates
    );
    assert_eq!((missing, stored.len()), (0, total), "all of them, none twice");
    assert!(client.shutdown(Duration::from_secs(5)).await.spooled == 0);
}
