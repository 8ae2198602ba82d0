//! A proxy on the way to servers.

use hoplog::{Client, Network};
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::scripted::{Answer, Scripted};

use crate::support::{LONG, assert_settled, builder, destination, in_a_child, kick, nobody, send};

/// A client of a collector that only the proxy knows.
fn through(proxy: impl Into<String>) -> Client {
    builder("http://collector.test").network(Network::new().proxy(proxy)).build().unwrap()
}

#[test]
fn requests_go_through_the_proxy_with_its_password() {
    let proxy = Scripted::start([]);
    let client = through(format!("http://user:secret@{}", proxy.address()));
    send(&client, 3);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 3, 0);
    let request = &proxy.received()[0];
    assert_eq!(request.line, "POST http://collector.test/logs HTTP/1.1");
    assert_eq!(request.header("proxy-authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
}

#[test]
fn a_proxy_that_refuses_us_costs_nothing() {
    let proxy = Scripted::start([Answer::status(407), Answer::stored()]);
    let client = through(proxy.url());
    send(&client, 3);
    kick(&client);
    fact_blocking("it was refused", || (destination(&client).retries == 1).then_some(()));
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 3, 0);
}

#[test]
fn what_goes_to_this_machine_goes_straight_whatever_proxy_is_set() {
    let (collector, proxy) = (Scripted::start([]), Scripted::start([]));
    let client = builder(collector.url()).network(Network::new().proxy(proxy.url())).build().unwrap();
    send(&client, 3);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 3, 0);
    assert!(proxy.received().is_empty());
}

#[test]
fn the_password_of_a_proxy_is_never_told() {
    let output = in_a_child("proxying::the_password_of_a_proxy_is_never_told", || {
        for endpoint in ["http://collector.test", "https://collector.test"] {
            let proxy = format!("http://user:secret@{}", nobody());
            let client = builder(endpoint).network(Network::new().proxy(proxy)).build().unwrap();
            send(&client, 1);
            kick(&client);
            fact_blocking("it was tried", || (destination(&client).retries > 0).then_some(()));
            println!("{client:?} {:?}", client.stats());
        }
    });
    let told = format!("{output:?}");
    assert!(told.contains("cannot be reached"), "{told}");
    assert_eq!(told.matches("over plain HTTP").count(), 1, "of the two, one can be read on the way: {told}");
    assert!(!told.contains("secret") && !told.contains("dXNlcjpzZWNyZXQ="), "{told}");
}
