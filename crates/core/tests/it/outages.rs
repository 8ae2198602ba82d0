//! A collector that is away, slow or dead.

use std::time::{Duration, Instant};

use hoplog::DropReason;
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::gate::Gate;
use hoplog_testkit::scripted::{Answer, Scripted};
use serde_json::json;

use crate::support::{
    LONG, assert_settled, builder, child, client_of, destination, in_a_child, is_child, kick, nobody, send,
};

/// What a shutdown may take beyond its deadline.
const GRACE: Duration = Duration::from_millis(250);

#[test]
fn a_collector_that_comes_up_late_gets_everything() {
    let address = nobody();
    let client = builder(format!("http://{address}")).build().unwrap();
    send(&client, 5);
    kick(&client);
    let stats = fact_blocking("an attempt has failed", || {
        Some(destination(&client)).filter(|stats| stats.retries > 0)
    });
    assert_eq!((stats.delivered, stats.dropped.total(), stats.in_flight), (0, 0, 5));
    let collector = Scripted::start_on(address, []);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 5, 0);
    assert_eq!(collector.entries().len(), 5);
}

#[test]
fn a_collector_that_goes_and_comes_back_gets_everything() {
    let collector = Scripted::start([]);
    let address = collector.address();
    let client = client_of(&collector);
    send(&client, 5);
    client.flush_blocking(LONG).unwrap();
    drop(collector);
    send(&client, 7);
    kick(&client);
    fact_blocking("the loss of the connection is seen", || (destination(&client).retries > 0).then_some(()));
    let collector = Scripted::start_on(address, []);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 12, 0);
    assert_eq!(collector.entries().len(), 7);
}

#[test]
fn a_full_queue_drops_the_newest_within_its_bound_and_keeps_room_for_errors() {
    let gate = Gate::default();
    let collector = Scripted::start((0..4).map(|_| Answer::stored().behind(&gate)));
    let client = builder(collector.url())
        .queue_bytes(1 << 20)
        .flush_interval(Duration::from_millis(10))
        .build()
        .unwrap();
    let text = "x".repeat(1_000);
    // Until the four batches under way are held at the gate, room keeps appearing.
    fact_blocking("the queue is full", || {
        for _ in 0..100 {
            client.info(&text).send();
        }
        let stats = client.stats();
        assert!(stats.queue_bytes <= stats.queue_bytes_max && stats.queue_bytes_max <= 1 << 20);
        (collector.received().len() == 4 && stats.refused.total() > 0).then_some(())
    });
    let before = client.stats();
    client.info(&text).send();
    let after = client.stats();
    assert_eq!(after.accepted, before.accepted);
    assert_eq!(after.refused.of(DropReason::QueueFullNewest), after.refused.total());
    assert_eq!(after.refused.total(), before.refused.total() + 1);
    client.error("still heard").send();
    assert_eq!(client.stats().accepted, before.accepted + 1, "a tenth is kept for errors");
    for _ in 0..4 {
        gate.open();
    }
    client.flush_blocking(LONG).unwrap();
    let stats = client.stats();
    assert_settled(&client, stats.accepted, 0);
    assert!(collector.entries().iter().any(|e| e["message"] == "still heard"));
    assert_eq!(stats.lost(), stats.refused.total());
    let told = fact_blocking("a batch that tells of the loss", || {
        collector.received().into_iter().map(|r| r.json["ledger"]["dropped"].clone()).next_back()
    });
    assert_eq!(told, json!({"queue_full_newest": stats.refused.total()}));
}

#[test]
fn a_shutdown_keeps_its_deadline_whatever_the_collector_does() {
    let deadline = Duration::from_millis(300);
    let gate = Gate::default();
    let hanging = Scripted::start([Answer::stored().behind(&gate)]);
    for (name, url) in [("nobody there", format!("http://{}", nobody())), ("hanging", hanging.url())] {
        let client = builder(url).build().unwrap();
        send(&client, 5);
        let begun = Instant::now();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let report = runtime.block_on(client.shutdown(deadline));
        let took = begun.elapsed();
        assert!(took >= deadline && took < deadline + GRACE, "{name}: {took:?}");
        assert_eq!((report.delivered, report.dropped, report.left), (0, 5, 0), "{name}");
        assert_eq!(destination(&client).dropped.of(DropReason::ShutdownDeadline), 5, "{name}");
        assert_settled(&client, 0, 5);
    }
}

#[test]
fn dropping_the_last_handle_gives_up_on_a_dead_collector_after_two_seconds() {
    let gate = Gate::default();
    let hanging = Scripted::start([Answer::stored().behind(&gate)]);
    let client = client_of(&hanging);
    send(&client, 5);
    let begun = Instant::now();
    drop(client);
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(2) + 2 * GRACE, "{took:?}");
}

#[test]
fn a_flush_without_time_returns_and_says_what_is_left() {
    let gate = Gate::default();
    let hanging = Scripted::start([Answer::stored().behind(&gate)]);
    let client = client_of(&hanging);
    send(&client, 5);
    let report = client.flush_blocking(Duration::ZERO).unwrap();
    assert_eq!((report.delivered, report.dropped, report.left), (0, 0, 5));
    gate.open();
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 5, 0);
}

#[test]
fn a_dead_collector_is_complained_about_once_a_minute() {
    let output = in_a_child("outages::a_dead_collector_is_complained_about_once_a_minute", || {
        let url = format!("http://{}/prefix", nobody());
        let client = builder(url).api_key("hl_secret").build().unwrap();
        for attempt in 1..=4 {
            send(&client, 1);
            kick(&client);
            fact_blocking("one more attempt", || (destination(&client).retries >= attempt).then_some(()));
        }
    });
    let stderr = String::from_utf8(output.stderr).unwrap();
    let ours: Vec<&str> = stderr.lines().filter(|line| line.starts_with("hoplog:")).collect();
    let [ceiling, line] = ours[..] else { panic!("two lines, not {ours:?}") };
    assert!(ceiling.ends_with("MiB of memory at most"), "said at the start: {ceiling}");
    assert!(line.contains("the collector cannot be reached") && line.contains("entries are kept"), "{line}");
    assert!(!stderr.contains("hl_secret") && !stderr.contains("an entry"));
}

/// CPU time of this process, in clock ticks of 10 ms.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The name in parentheses may hold anything; user and system time are the 12th and 13th field behind it.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn while_a_probe_waits_for_its_answer_the_worker_sleeps() {
    // In a process of its own: the other tests use CPU too.
    in_a_child("outages::while_a_probe_waits_for_its_answer_the_worker_sleeps", || {
        let gate = Gate::default();
        let collector = Scripted::start([Answer::status(503), Answer::stored().behind(&gate)]);
        // Without a flush, which would forget when the next attempt was due.
        let interval = Duration::from_millis(50);
        let client = builder(collector.url()).flush_interval(interval).build().unwrap();
        send(&client, 1);
        assert_eq!(collector.wait_for(2).len(), 2);
        // More work than the one place for a probe can take.
        send(&client, 1);
        let before = cpu_ticks();
        std::thread::sleep(Duration::from_secs(1));
        let used = cpu_ticks() - before;
        gate.open();
        client.flush_blocking(LONG).unwrap();
        assert_settled(&client, 2, 0);
        assert!(used <= 20, "{used} ticks of CPU in a second of waiting");
    });
}

#[test]
fn what_goes_to_this_machine_goes_through_no_proxy() {
    let test = "outages::what_goes_to_this_machine_goes_through_no_proxy";
    let role = || {
        let collector = Scripted::start([]);
        let client = client_of(&collector);
        send(&client, 3);
        client.flush_blocking(Duration::from_secs(5)).unwrap();
        assert_settled(&client, 3, 0);
    };
    if is_child() {
        child(test, role);
    }
    let proxy = Scripted::start([]);
    let mut child = child(test, role);
    child
        .env("HTTP_PROXY", proxy.url())
        .env("http_proxy", proxy.url())
        .env_remove("NO_PROXY")
        .env_remove("no_proxy");
    let output = child.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(proxy.received().is_empty(), "the proxy saw what was meant to stay here");
}
