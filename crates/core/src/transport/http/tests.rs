use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use hoplog_testkit::proxy::{Proxy, Treatment, Way};
use hoplog_testkit::scripted::{Answer as Says, Scripted};
use tokio::time::Instant;

use super::*;
use crate::sync::lock;
use crate::transport::{Encoding, Timing};

#[cfg(target_os = "linux")]
mod vanished;

fn batch() -> SealedBatch {
    SealedBatch {
        bytes: r#"{"logs":[{},{},{}]}"#.into(),
        encoding: Encoding::Plain,
        entries: 3,
        sizes: [40, 50, 60].into(),
        number: 1,
        offset: 0,
        foreign: false,
        unsure: false,
        lone: None,
        search: None,
        truncated: false,
    }
}

fn config(url: &str, timing: Timing) -> HttpConfig {
    let reach = Reach { timing, ..Reach::default() };
    let timeout = Duration::from_secs(5);
    HttpConfig { url: url.parse().unwrap(), headers: HeaderMap::new(), timeout, reach, peer: "it" }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_request_that_panics_has_failed() {
    let runtime = runtime();
    assert_eq!(runtime.block_on(caught(async { Ok(7) })).unwrap(), 7);
    let error = runtime.block_on(caught::<()>(async { panic!("no threads") })).unwrap_err();
    assert_eq!(error.to_string(), "could not be asked: the request panicked");
}

#[test]
fn an_answer_that_drips_is_given_up() {
    for (status, is_answer) in [(200, false), (503, true)] {
        let server = Scripted::start([Says::saying(status, "x".repeat(1 << 20))]);
        let proxy = Proxy::to(server.address());
        proxy.treat(Way::Down, Treatment::Drip(200, Duration::from_millis(10)));
        let answer = Duration::from_millis(100);
        let mut http = Http::new(config(&proxy.url(), Timing { answer, ..Timing::default() }));
        let begun = Instant::now();
        let result = runtime().block_on(http.send(batch()));
        assert!(begun.elapsed() >= answer && begun.elapsed() < Duration::from_secs(4));
        assert!(proxy.fired().delayed > 1, "it dripped");
        match result {
            Ok(answer) => assert!(is_answer && answer.status == status, "the status says it all"),
            Err(error) => assert!(!is_answer && error.kind == Failure::BrokeOff, "{error}"),
        }
    }
}

#[test]
fn a_collector_that_moves_is_found_where_it_is_now() {
    // Two addresses of this machine, one port; their name leads to the first, then to the other.
    let first = Scripted::start([]);
    let port = first.address().port();
    let there = SocketAddr::from(([127, 0, 0, 2], port));
    let second = Scripted::start_on(there, []);
    let says = Arc::new(Mutex::new((0, Ok(vec![first.address()]))));
    let asked = Arc::clone(&says);
    let resolver = |timing: &Timing| {
        let look_up = move |_| -> std::pin::Pin<Box<dyn Future<Output = _> + Send>> {
            let mut asked = lock(&asked);
            asked.0 += 1;
            let answer: Result<Vec<SocketAddr>, std::io::ErrorKind> = asked.1.clone();
            Box::pin(async move { answer.map_err(std::io::Error::from) })
        };
        Resolver::over(Arc::new(look_up), timing.dns, timing.dns_good_for)
    };
    let timing = Timing { max_age: Duration::from_millis(200), ..Timing::default() };
    let mut config = config(&format!("http://collector.test:{port}/logs"), timing);
    config.reach.proxying = crate::transport::Proxying::Straight;
    let mut http = Http::over(config, resolver(&timing));
    let runtime = runtime();
    let mut send = || runtime.block_on(http.send(batch())).unwrap().status;
    for _ in 0..3 {
        assert_eq!(send(), 200);
    }
    assert_eq!((first.received().len(), lock(&says).0), (3, 1), "one connection, one look at the name");
    let moved = Instant::now();
    lock(&says).1 = Ok(vec![there]);
    while second.received().is_empty() {
        assert_eq!(send(), 200);
        assert!(moved.elapsed() < Duration::from_secs(5), "it is never looked at again");
    }
    println!("FIGURE transport.collector_that_moved_found_after_ms {} ms", moved.elapsed().as_millis());
    println!("FIGURE transport.max_connection_age_ms {} ms", timing.max_age.as_millis());
    assert!(moved.elapsed() < timing.max_age + Duration::from_secs(2));
    // The name server is gone: where it was last is good enough.
    lock(&says).1 = Err(std::io::ErrorKind::TimedOut);
    let looked = lock(&says).0;
    while lock(&says).0 == looked {
        assert_eq!(send(), 200);
    }
}

#[test]
fn a_name_that_leads_nowhere_is_a_server_that_cannot_be_reached() {
    let v6 = IpAddr::from(std::net::Ipv6Addr::LOCALHOST);
    let nobody = std::net::TcpListener::bind((v6, 0)).map(|l| l.local_addr().unwrap());
    let answers: [Result<Vec<SocketAddr>, std::io::ErrorKind>; 3] =
        [Ok(Vec::new()), Err(std::io::ErrorKind::NotFound), Ok(nobody.into_iter().collect())];
    for answer in answers {
        let timing = Timing::default();
        let look_up = move |_| -> std::pin::Pin<Box<dyn Future<Output = _> + Send>> {
            let answer = answer.clone();
            Box::pin(async move { answer.map_err(std::io::Error::from) })
        };
        let resolver = Resolver::over(Arc::new(look_up), timing.dns, timing.dns_good_for);
        let mut config = config("http://collector.test:9/logs", timing);
        config.reach.proxying = crate::transport::Proxying::Straight;
        let error = runtime().block_on(Http::over(config, resolver).send(batch())).unwrap_err();
        assert_eq!(error.kind, Failure::Unreachable, "{error}");
    }
}
