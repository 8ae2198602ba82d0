//! Batches on their way, and how long each took until it was acknowledged.

use crate::batches::ENTRIES;
use crate::collector::Collector;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What was sent.
#[derive(Default)]
pub(crate) struct Load {
    took: Duration,
    times: Vec<Duration>,
}

/// Sends batches over so many connections; at a rate of entries per second, or as fast as they are taken.
pub(crate) fn run(
    collector: &Collector,
    bodies: Vec<Vec<u8>>,
    connections: usize,
    rate: Option<usize>,
) -> Load {
    let (next, times) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(&collector.address).unwrap();
                stream.set_nodelay(true).unwrap();
                loop {
                    let n = next.fetch_add(1, Relaxed);
                    let Some(body) = bodies.get(n) else { break };
                    // A batch that is late is late from the moment it was due: nothing is hidden by waiting.
                    let due = rate.map_or_else(Instant::now, |rate| {
                        began + Duration::from_secs_f64((n * ENTRIES) as f64 / rate as f64)
                    });
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    send(&mut stream, body);
                    times.lock().unwrap().push(due.elapsed());
                }
            });
        }
    });
    Load { took: began.elapsed(), times: times.into_inner().unwrap() }
}

impl Load {
    pub(crate) fn add(&mut self, other: Self) {
        self.took += other.took;
        self.times.extend(other.times);
    }

    pub(crate) fn entries(&self) -> usize {
        self.times.len() * ENTRIES
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.entries() as f64 / self.took.as_secs_f64()
    }

    /// How long acknowledgements took.
    pub(crate) fn times(&self, phase: &str, figure: &dyn Fn(&str, f64, &str)) {
        let mut times = self.times.clone();
        times.sort_unstable();
        for p in [50, 99] {
            let at = times[(times.len() - 1) * p / 100];
            figure(&format!("{phase}.ack_p{p}_ms"), at.as_secs_f64() * 1e3, "ms");
        }
    }
}

/// One batch on its way, and the word that it is stored.
fn send(stream: &mut TcpStream, body: &[u8]) {
    let head = format!(
        "POST /logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while !answer.ends_with(b"}") {
        let n = stream.read(&mut piece).unwrap();
        assert!(n > 0, "closed: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..n]);
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"accepted\":1000"), "{answer}");
}
