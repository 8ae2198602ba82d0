//! Clients that hold on to connections and do nothing with them, beside one that works.

use super::{figure, times};
use crate::support::{Server, connect};
use hoplog_collector::Limits;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_millis(500);

/// How one of them begins; from then on it sends a byte now and then, or nothing.
const BEGINNINGS: [(&str, bool); 4] = [
    ("", false),
    ("GET / HTTP/1.1\r\nhost: local", true),
    (
        "POST /logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{",
        true,
    ),
    (
        "POST /logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{",
        false,
    ),
];

/// Holds a connection for as long as it is let.
fn hold(address: SocketAddr, beginning: &str, drips: bool) -> Duration {
    let mut stream = connect(address);
    let began = Instant::now();
    stream.write_all(beginning.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut piece = [0; 1024];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return began.elapsed(),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                if drips && stream.write_all(b" ").is_err() {
                    return began.elapsed();
                }
            }
            Err(_) => return began.elapsed(),
        }
        assert!(began.elapsed() < Duration::from_secs(30), "never closed");
    }
}

/// The 99th percentile of so many batches on one connection.
fn work(stream: &mut TcpStream, batches: usize) -> Duration {
    let body = br#"{"logs":[{"message":"x"}]}"#;
    let head = format!(
        "POST /logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut times: Vec<Duration> = (0..batches)
        .map(|_| {
            let began = Instant::now();
            stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
            let mut answer = [0; 2048];
            let n = stream.read(&mut answer).unwrap();
            assert!(answer[..n].starts_with(b"HTTP/1.1 200"));
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[(times.len() - 1) * 99 / 100]
}

#[test]
fn clients_that_do_nothing_are_closed_in_time_and_hold_nobody_up() {
    let server = Server::with(|config| {
        let mut limits = Limits::default();
        limits.connections_per_address = 4_096;
        (limits.header_time, limits.body_idle, limits.body_total) = (LIMIT, LIMIT, LIMIT);
        config.limits(limits)
    });
    let count = times(200, 2_000);
    let address = server.address;
    let mut good = connect(address);
    let alone = work(&mut good, 100);
    let (longest, beside) = std::thread::scope(|scope| {
        let held: Vec<_> = (0..count)
            .map(|n| BEGINNINGS[n % BEGINNINGS.len()])
            .map(|(beginning, drips)| scope.spawn(move || hold(address, beginning, drips)))
            .collect();
        let beside = work(&mut good, 100);
        (held.into_iter().map(|held| held.join().unwrap()).max().unwrap(), beside)
    });
    let millis = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
    figure("slow_clients.count", count, "count");
    figure("slow_clients.closed_after_at_most", millis(longest), "ms");
    figure("slow_clients.good_p99_alone", millis(alone), "ms");
    figure("slow_clients.good_p99_beside", millis(beside), "ms");
    assert!(longest <= LIMIT + Duration::from_secs(1), "{longest:?}");
    // Twice, and what a thread per client of the test costs on few cores.
    assert!(beside <= 2 * alone + Duration::from_millis(100), "{beside:?}, alone {alone:?}");
}
