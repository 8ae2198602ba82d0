//! Connections that send one request after the other: as fast as they are answered, or at a rate.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use hoplog_bench::HEADERS;

const CONNECTIONS: u32 = 16;
/// What each answer ends with: the handler's.
const END: &[u8] = b"\r\n\r\nok";

/// What came of it.
pub(crate) struct Sent {
    pub(crate) seconds: f64,
    /// How long each answer took, the least first.
    took: Vec<Duration>,
}

impl Sent {
    pub(crate) fn answered(&self) -> usize {
        self.took.len()
    }

    pub(crate) fn percentile_us(&self, share: f64) -> f64 {
        let at = (self.took.len() as f64 * share) as usize;
        self.took[at.min(self.took.len() - 1)].as_secs_f64() * 1e6
    }
}

/// All connections together send `rate` requests per second, or as many as are answered.
pub(crate) fn send(address: SocketAddr, time: Duration, rate: Option<f64>) -> Sent {
    let every = rate.map(|rate| Duration::from_secs_f64(f64::from(CONNECTIONS) / rate));
    let start = Instant::now();
    let mut took: Vec<Duration> = std::thread::scope(|s| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|i| {
                // Not all in one moment.
                let first = start + every.unwrap_or_default().mul_f64(f64::from(i) / f64::from(CONNECTIONS));
                s.spawn(move || one(address, first, start + time, every, i))
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a sender")).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    took.sort_unstable();
    assert!(!took.is_empty(), "nothing was answered");
    Sent { seconds, took }
}

fn one(
    address: SocketAddr,
    mut due: Instant,
    end: Instant,
    every: Option<Duration>,
    seed: u32,
) -> Vec<Duration> {
    let mut connection = TcpStream::connect(address).expect("the service listens");
    connection.set_nodelay(true).expect("a socket");
    let requests: Vec<Vec<u8>> = (0..50).map(|i| request(seed * 50 + i)).collect();
    let mut took = Vec::new();
    for request in requests.iter().cycle() {
        let now = Instant::now();
        if now >= end {
            break;
        }
        // Late requests are late from when they were due: a slow answer is not forgiven the next ones.
        let from = match every {
            None => now,
            Some(every) => {
                let from = if let Some(early) = due.checked_duration_since(now) {
                    std::thread::sleep(early);
                    Instant::now()
                } else {
                    due
                };
                due += every;
                from
            }
        };
        connection.write_all(request).expect("the service reads");
        let (mut answer, mut len) = ([0; 1024], 0);
        while !answer[..len].ends_with(END) {
            let read = connection.read(&mut answer[len..]).expect("an answer");
            assert!(read > 0, "an answer that ends");
            len += read;
        }
        took.push(from.elapsed());
    }
    took
}

fn request(user: u32) -> Vec<u8> {
    let mut text =
        format!("GET /api/v1/users/{user}/orders?status=open&limit=20&sort=created_at HTTP/1.1\r\n");
    for (name, value) in HEADERS {
        write!(text, "{name}: {value}\r\n").expect("text");
    }
    (text + "\r\n").into_bytes()
}
