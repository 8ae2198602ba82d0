//! What networks do to connections, by a proxy between client and collector.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use hoplog::{Client, Network};
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::proxy::{Cut, Proxy, Treatment, Way};
use hoplog_testkit::scripted::Scripted;

use crate::support::{
    LONG, assert_adds_up, assert_settled, builder, client_of, destination, in_a_child, kick, rss, send,
};

/// How much of it: a little with the other tests, a lot for `cargo xtask chaos`.
fn scaled<T>(fast: T, large: T) -> T {
    if std::env::var_os("HOPLOG_CHAOS").is_some() { large } else { fast }
}

/// A collector behind a proxy, and a client of it.
fn behind_a_proxy() -> (Scripted, Proxy, Client) {
    let collector = Scripted::start([]);
    let proxy = Proxy::to(collector.address());
    let client = builder(proxy.url()).build().unwrap();
    (collector, proxy, client)
}

/// Entries that the collector got, and how many of them it got before.
fn raw(collector: &Scripted) -> (usize, usize) {
    let ids: Vec<String> = collector.entries().iter().map(|entry| entry["id"].to_string()).collect();
    let unique = ids.iter().collect::<BTreeSet<_>>().len();
    (unique, ids.len() - unique)
}

#[test]
fn wherever_a_connection_is_reset_every_entry_arrives() {
    let places = [
        ("before_the_request", Cut::reset(Way::Up, 0), false),
        ("within_the_request", Cut::reset(Way::Up, 300), false),
        ("before_the_answer", Cut::reset(Way::Down, 0), true),
        ("within_the_answer", Cut::reset(Way::Down, 40), true),
        ("closed_before_the_answer", Cut::close(Way::Down, 0), true),
    ];
    let rounds = scaled(5, 100);
    let one = |(place, cut, arrives): (&str, Cut, bool)| {
        let (collector, proxy, client) = behind_a_proxy();
        for round in 0..rounds {
            // The second one hits what is sent at once after the first.
            proxy.cut(vec![cut; 1 + usize::from(round == 0)]);
            send(&client, 3);
            client.flush_blocking(LONG).unwrap();
        }
        assert_settled(&client, 3 * rounds, 0);
        let (unique, again) = raw(&collector);
        assert_eq!((unique as u64, proxy.cuts_left()), (3 * rounds, 0), "{place}");
        assert_eq!(again > 0, arrives, "{place}: {again} came twice");
        assert_eq!(destination(&client).outages, 0, "{place}");
        (proxy.fired().cuts, again, 3 * rounds - destination(&client).delivered)
    };
    // Side by side, for what is no stale connection is followed by a pause.
    let (mut resets, mut duplicates, mut lost) = (0, 0, 0);
    std::thread::scope(|scope| {
        let all = places.map(|place| scope.spawn(move || one(place)));
        for (cuts, again, gone) in all.map(|thread| thread.join().unwrap()) {
            (resets, duplicates, lost) = (resets + cuts, duplicates + again, lost + gone);
        }
    });
    println!("FIGURE transport.connections_cut {resets} connections");
    println!("FIGURE transport.raw_duplicates_of_cuts {duplicates} entries");
    println!("FIGURE transport.lost_to_cuts {lost} entries");
}

#[test]
fn a_connection_that_ends_as_a_request_goes_out_on_it_is_no_failure() {
    let (collector, proxy, client) = behind_a_proxy();
    send(&client, 1);
    client.flush_blocking(LONG).unwrap();
    let hits = scaled(200, 5_000);
    for _ in 0..hits {
        proxy.cut([Cut::reset(Way::Up, 0)]);
        send(&client, 1);
        client.flush_blocking(LONG).unwrap();
        // So that the next one goes out on a connection that was used.
        send(&client, 1);
        client.flush_blocking(LONG).unwrap();
    }
    let stats = destination(&client);
    println!("FIGURE transport.stale_connections_hit {} requests", proxy.fired().cuts);
    println!("FIGURE transport.failures_of_stale_connections {} requests", stats.retries);
    assert_eq!((proxy.fired().cuts, stats.retries, stats.outages), (hits, 0, 0));
    assert_settled(&client, 2 * hits + 1, 0);
    assert_eq!(raw(&collector), (2 * hits as usize + 1, 0));
    // The control: where it was never used, the same cut is a failure like any other.
    let (_collector, proxy, client) = behind_a_proxy();
    proxy.cut([Cut::reset(Way::Up, 0)]);
    send(&client, 1);
    client.flush_blocking(LONG).unwrap();
    assert_eq!(destination(&client).retries, 1);
}

#[test]
fn a_server_that_closes_connections_when_they_are_silent_is_no_failure() {
    let collector = Scripted::start([]);
    let idle = Duration::from_millis(scaled(4, 10));
    collector.close_idle(idle);
    let client = client_of(&collector);
    let sends = scaled(300, 10_000);
    for i in 0..sends {
        send(&client, 1);
        client.flush_blocking(LONG).unwrap();
        // From the answer on: on a busy machine the exchange alone takes longer than the limit.
        let until = Instant::now() + idle * (80 + i % 31) / 100;
        while Instant::now() < until {
            std::thread::yield_now();
        }
    }
    let connections = collector.received().iter().map(|r| r.connection).max().unwrap() + 1;
    let stats = destination(&client);
    println!("FIGURE transport.sends_at_the_idle_limit {sends} requests");
    println!("FIGURE transport.connections_at_the_idle_limit {connections} connections");
    println!("FIGURE transport.failures_at_the_idle_limit {} requests", stats.retries);
    assert!(connections > 10, "they are closed: {connections}");
    assert_eq!((stats.retries, stats.outages), (0, 0));
    assert_settled(&client, sends.into(), 0);
}

#[test]
fn a_peer_that_is_gone_without_a_word_is_found_out_and_passed_by() {
    let collector = Scripted::start([]);
    let proxy = Proxy::to(collector.address());
    let timeout = Duration::from_millis(300);
    let network = Network::new().timeout(timeout);
    let client = builder(proxy.url()).network(network).build().unwrap();
    send(&client, 3);
    client.flush_blocking(LONG).unwrap();
    proxy.strand();
    fact_blocking("the connection is half open", || (proxy.fired().stranded == 1).then_some(()));
    let begun = Instant::now();
    send(&client, 3);
    kick(&client);
    fact_blocking("it is found out", || (destination(&client).retries == 1).then_some(()));
    let found_out = begun.elapsed();
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 6, 0);
    assert_eq!(raw(&collector), (6, 0));
    assert_eq!(proxy.fired().connections, 2, "it goes on by a fresh one");
    println!("FIGURE transport.half_open_found_out_ms {} ms", found_out.as_millis());
    println!("FIGURE transport.half_open_timeout_ms {} ms", timeout.as_millis());
    assert!(found_out >= timeout && found_out < timeout + Duration::from_secs(2), "{found_out:?}");
}

/// The 99th percentile of calls to `send()`, in nanoseconds: the best of three, for what others do on the machine is not
/// the call's.
fn p99(client: &Client, calls: usize) -> u128 {
    let once = || {
        let mut took: Vec<u128> = (0..calls / 3)
            .map(|_| {
                let begun = Instant::now();
                client.info("an entry like any other").send();
                begun.elapsed().as_nanos()
            })
            .collect();
        took.sort_unstable();
        took[took.len() * 99 / 100]
    };
    (0..3).map(|_| once()).min().unwrap()
}

#[test]
fn a_server_that_is_slow_costs_the_caller_nothing_and_no_memory() {
    // In a process of its own: the memory of the others is not to be measured.
    let output = in_a_child("faults::a_server_that_is_slow_costs_the_caller_nothing_and_no_memory", || {
        let collector = Scripted::start([]);
        let proxy = Proxy::to(collector.address());
        let network = Network::new().timeout(Duration::from_millis(500));
        let interval = Duration::from_millis(50);
        let client = builder(proxy.url())
            .network(network)
            .flush_interval(interval)
            .queue_bytes(2 << 20)
            .build()
            .unwrap();
        let _ = p99(&client, 50_000);
        let (calls, before) = (20_000, p99(&client, 20_000));
        let memory = rss();
        let mut worst = 0;
        for (name, up, down) in [
            ("dripping", Treatment::Drip(512, Duration::from_millis(20)), Treatment::Pass),
            ("late", Treatment::Pass, Treatment::Late(Duration::from_millis(300))),
            ("silent", Treatment::Pass, Treatment::Hold),
        ] {
            proxy.treat(Way::Up, up);
            proxy.treat(Way::Down, down);
            let delayed = proxy.fired().delayed;
            let during = p99(&client, calls);
            if name != "silent" {
                fact_blocking("it is slow", || (proxy.fired().delayed > delayed).then_some(()));
            }
            let stats = destination(&client);
            println!("FIGURE transport.caller_p99_ns_{name} {during} ns");
            assert!(stats.in_flight <= 4 * 1_000 + 256, "{name}: {stats:?}");
            assert!(client.stats().queue_bytes <= client.stats().queue_bytes_max);
            worst = worst.max(during);
        }
        let grown = rss().saturating_sub(memory);
        println!("FIGURE transport.caller_p99_ns_well {before} ns");
        println!("FIGURE transport.memory_of_a_slow_server_mib {} MiB", grown >> 20);
        println!("FIGURE transport.pieces_held_up {} pieces", proxy.fired().delayed);
        assert!(proxy.fired().delayed > 0, "it was slow");
        // A scheduler's slice on a busy machine is not the caller's.
        assert!(worst <= 2 * before + 50_000, "{worst} ns, {before} ns where all is well");
        assert!(grown <= client.stats().memory_ceiling, "{grown} bytes more");
        proxy.heal();
        client.flush_blocking(LONG).unwrap();
        assert_adds_up(&client);
    });
    print!("{}", String::from_utf8_lossy(&output.stdout));
}
