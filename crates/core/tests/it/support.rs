//! What the tests share.

use std::process::{Command, Output};
use std::time::Duration;

use hoplog::{Client, ClientBuilder, DestinationStats};
use hoplog_testkit::scripted::Scripted;

/// Longer than any delivery takes.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A client of this collector that knows nothing else, and sends what fills no batch only when it is told to.
pub(crate) fn builder(url: impl Into<String>) -> ClientBuilder {
    Client::builder()
        .without_variables()
        .endpoint(url)
        .service("shop")
        .environment("test")
        .service_version("v1.2.3")
        .flush_interval(LONG)
}

pub(crate) fn client_of(collector: &Scripted) -> Client {
    builder(collector.url()).build().unwrap()
}

/// Has what is queued sent, and waits for nothing.
pub(crate) fn kick(client: &Client) {
    client.flush_blocking(Duration::ZERO).unwrap();
}

pub(crate) fn send(client: &Client, entries: usize) {
    for i in 0..entries {
        client.info("an entry").field("i", i).send();
    }
}

/// The counts of the one destination.
pub(crate) fn destination(client: &Client) -> DestinationStats {
    let stats = client.stats();
    assert_eq!(stats.destinations.len(), 1);
    stats.destinations[0].clone()
}

/// Nothing is under way any more, and every entry that was taken in has its fate.
pub(crate) fn assert_settled(client: &Client, delivered: u64, dropped: u64) {
    let (stats, d) = (client.stats(), destination(client));
    assert_eq!((d.delivered, d.dropped.total()), (delivered, dropped), "{d:?}");
    assert_eq!((d.queued, d.in_flight, d.bytes.queued, d.bytes.in_flight), (0, 0, 0, 0), "{d:?}");
    assert_eq!(stats.accepted, delivered + dropped, "accepted = delivered + dropped");
    assert_eq!(stats.accepted_bytes, d.bytes.delivered + d.bytes.dropped, "likewise in bytes: {d:?}");
    assert_eq!(stats.drift(), 0, "{d:?}");
}

/// Every entry that there ever was is somewhere, one time, and so is every byte.
pub(crate) fn assert_adds_up(client: &Client) {
    let stats = client.stats();
    for d in &stats.destinations {
        let home = d.queued + d.in_flight + d.spooled + d.left_behind;
        assert_eq!(d.accepted + d.recovered, d.delivered + d.dropped.total() + d.filtered + home, "{d:?}");
        let b = d.bytes;
        let home = b.queued + b.in_flight + b.spooled + b.left_behind;
        assert_eq!(b.accepted + b.recovered, b.delivered + b.dropped + b.filtered + home, "{d:?}");
    }
    assert_eq!(stats.drift(), 0, "{stats:?}");
}

/// An address of loopback where nobody listens.
pub(crate) fn nobody() -> std::net::SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

const CHILD: &str = "HOPLOG_TEST_CHILD";

/// Runs `role` in a process of its own, which is this test again; for what is written to the console. `test` is the
/// full name of the calling test.
pub(crate) fn in_a_child(test: &str, role: impl FnOnce()) -> Output {
    let output = child(test, role).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// That process, not started yet, for a test that gives it an environment or pipes of its own. In the child itself it
/// plays `role` and does not return.
pub(crate) fn child(test: &str, role: impl FnOnce()) -> Command {
    if is_child() {
        role();
        std::process::exit(0);
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").env_remove("NO_COLOR");
    child
}

pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Bytes of memory that this process has in use, as the system counts them.
pub(crate) fn rss() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
