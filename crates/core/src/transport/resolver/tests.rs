use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const TIMEOUT: Duration = Duration::from_secs(5);
const GOOD_FOR: Duration = Duration::from_secs(300);

type Turn = Option<io::Result<Vec<SocketAddr>>>;

/// Answers one after the other as the turns say; `None`: never.
fn resolver(turns: Vec<fn() -> Turn>) -> Resolver {
    let at = AtomicUsize::new(0);
    let look_up = move |_| {
        let turn = turns[at.fetch_add(1, Ordering::Relaxed)]();
        let found: Found = match turn {
            Some(answer) => Box::pin(async { answer }),
            None => Box::pin(std::future::pending()),
        };
        found
    };
    Resolver::over(Arc::new(look_up), TIMEOUT, GOOD_FOR)
}

fn address(last: u8) -> SocketAddr {
    ([192, 0, 2, last], 0).into()
}

fn good(last: u8) -> Turn {
    Some(Ok(vec![address(last)]))
}

async fn ask(resolver: &Resolver) -> Result<Vec<SocketAddr>, String> {
    let found = resolver.resolve("collector.test".parse().unwrap()).await;
    found.map(Iterator::collect).map_err(|error| error.to_string())
}

/// What a name server may do that is no answer: NXDOMAIN and SERVFAIL, nothing in it, silence.
const FAULTS: [fn() -> Turn; 4] = [
    || Some(Err(io::Error::new(io::ErrorKind::NotFound, "no such name"))),
    || Some(Err(io::Error::other("temporary failure in name resolution"))),
    || Some(Ok(Vec::new())),
    || None,
];

#[tokio::test(start_paused = true)]
async fn without_an_answer_the_last_good_one_serves_for_five_minutes() {
    for (i, fault) in FAULTS.into_iter().enumerate() {
        let resolver = resolver(vec![fault, || good(1), fault, fault]);
        let before = Instant::now();
        assert!(ask(&resolver).await.is_err(), "{i}: none was ever good");
        assert!(before.elapsed() <= TIMEOUT + Duration::from_millis(10), "{i}");
        assert_eq!(ask(&resolver).await.unwrap(), [address(1)], "{i}");
        tokio::time::advance(GOOD_FOR - 2 * TIMEOUT).await;
        assert_eq!(ask(&resolver).await.unwrap(), [address(1)], "{i}: the last good one");
        tokio::time::advance(2 * TIMEOUT).await;
        assert!(ask(&resolver).await.is_err(), "{i}: it is too old");
    }
    println!("FIGURE transport.dns_faults_survived {}/{} kinds", FAULTS.len(), FAULTS.len());
}

#[tokio::test(start_paused = true)]
async fn a_new_address_counts_at_once_and_of_any_family() {
    let v6 = || Some(Ok(vec![SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 0))]));
    let resolver = resolver(vec![|| good(1), || good(2), v6, FAULTS[0]]);
    assert_eq!(ask(&resolver).await.unwrap(), [address(1)]);
    assert_eq!(ask(&resolver).await.unwrap(), [address(2)]);
    for _ in 0..2 {
        assert!(ask(&resolver).await.unwrap()[0].is_ipv6());
    }
}
