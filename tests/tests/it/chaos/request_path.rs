//! Requests while the collector is dead, and while it is there: runs in turns, compared round by round.
//!
//! The collector that is there is a sink that takes every batch at next to no cost: a real one would share the cores with the
//! application that it is compared by.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use flate2::read::GzDecoder;
use hoplog_testkit::wire::Wire;
use serde_json::{Value, json};

use super::program::Shop;
use super::tail::percentile;
use super::{figure, times};

/// What a dead collector may cost, in % of the 99th percentile.
const MOST: f64 = 3.0;
/// How long the control holds up each of its requests.
const CONTROL_US: u64 = 60;
/// Of the interval of a median, in standard deviations: 99 %.
const SURE: f64 = 2.576;

/// Answers every batch as stored; `None` where the sender is gone.
fn take(stream: &mut BufReader<TcpStream>) -> Option<()> {
    let (mut length, mut packed) = (0, false);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_ascii_lowercase();
        match line.split_once(": ") {
            Some(("content-length", n)) => length = n.parse().ok()?,
            Some(("content-encoding", "gzip")) => packed = true,
            None if line.is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    if packed {
        let mut plain = Vec::new();
        GzDecoder::new(&*body).read_to_end(&mut plain).ok()?;
        body = plain;
    }
    let entries = body.windows(6).filter(|bytes| bytes == br#"{"id":"#).count();
    let answer = format!("{{\"accepted\":{entries}}}");
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
    stream.get_mut().write_all((head + &answer).as_bytes()).ok()
}

fn sink() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut stream = BufReader::new(stream);
                while take(&mut stream).is_some() {}
            });
        }
    });
    address
}

/// An application, and what its runs took.
struct Subject {
    shop: Shop,
    wire: Wire,
    /// Of each run: µs.
    p99: Vec<f64>,
    cpu: Vec<f64>,
}

impl Subject {
    async fn start(plan: &Value) -> Self {
        let shop = Shop::serve(plan);
        let wire = Wire::connect(shop.address()).await;
        Self { shop, wire, p99: Vec::new(), cpu: Vec::new() }
    }

    /// So many requests on one connection.
    async fn run(&mut self, count: usize) {
        let (mut took, cpu) = (Vec::with_capacity(count), self.shop.program.cpu());
        for _ in 0..count {
            let begun = std::time::Instant::now();
            self.wire.send("POST /note/1 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n").await;
            assert_eq!(self.wire.response("POST").await.status, 200);
            took.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        self.p99.push(percentile(took, 99));
        self.cpu.push((self.shop.program.cpu() - cpu).as_secs_f64() * 1e6 / count as f64);
    }

    /// How much more its p99 is than that of another one in the same round, in %: the median, and its interval by ranks.
    fn costs(&self, than: &Self) -> (f64, f64, f64) {
        let mut more: Vec<f64> =
            self.p99.iter().zip(&than.p99).map(|(own, other)| 100.0 * (own / other - 1.0)).collect();
        more.sort_unstable_by(f64::total_cmp);
        let half = more.len() as f64 / 2.0;
        let off = SURE * (more.len() as f64).sqrt() / 2.0;
        let at = |rank: f64| more[(rank.max(0.0) as usize).min(more.len() - 1)];
        (at(half), at((half - off).floor()), at((half + off).ceil()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_do_not_feel_that_the_collector_is_dead() {
    let sink = sink();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let spools = tempfile::tempdir().unwrap();
    let plan = |name: &str, collector: SocketAddr, holds_us: u64| json!({"endpoint": format!("http://{collector}"), "spool": spools.path().join(name), "holds_us": holds_us});
    let mut subjects = [
        Subject::start(&plan("up", sink, 0)).await,
        Subject::start(&plan("dead", nobody, 0)).await,
        Subject::start(&plan("control", sink, CONTROL_US)).await,
    ];
    let (at_a_time, most, count) = (times(4, 60), times(4, 600), times(100, 1_000));
    for subject in &mut subjects {
        subject.run(count).await;
        (subject.p99, subject.cpu) = (Vec::new(), Vec::new());
    }
    // Until the intervals decide, or the patience is at an end.
    for round in 0..most {
        // Who goes first changes: what drifts hits all.
        for turn in 0..3 {
            subjects[(round + turn) % 3].run(count).await;
        }
        let [up, dead, control] = &subjects;
        let decided = {
            let (_, from, to) = dead.costs(up);
            (to <= MOST || from > MOST) && control.costs(up).1 > MOST
        };
        if (round + 1) % at_a_time == 0 && decided {
            break;
        }
    }
    let [up, dead, control] = &subjects;
    let figure = |name: &str, value: f64, unit: &str| figure(name, format!("{value:.1}"), unit);
    figure("request_path.rounds", up.p99.len() as f64, "count");
    for (name, subject) in [("up", up), ("dead", dead), ("control", control)] {
        figure(&format!("request_path.{name}_p99"), percentile(subject.p99.clone(), 50), "µs");
        figure(
            &format!("request_path.{name}_cpu"),
            percentile(subject.cpu.clone(), 50),
            "µs of a core a request",
        );
    }
    for (name, subject) in [("dead", dead), ("control", control)] {
        let (median, from, to) = subject.costs(up);
        figure(&format!("request_path.{name}_costs"), median, "% of p99, the median round");
        figure(&format!("request_path.{name}_costs_from"), from, "%");
        figure(&format!("request_path.{name}_costs_to"), to, "%");
    }
    let (up_stats, dead_stats) = (up.shop.stats().await, dead.shop.stats().await);
    assert_eq!((&up_stats["lost"], &dead_stats["lost"]), (&json!(0), &json!(0)));
    assert!(up_stats["delivered"].as_u64() > Some(0), "one delivers: {up_stats}");
    assert_eq!(dead_stats["delivered"], 0, "and one does not");
    // A few short runs show nothing of a tail.
    if times(0, 1) == 1 {
        assert!(dead.costs(up).2 <= MOST, "{:?}", dead.costs(up));
        assert!(
            control.costs(up).1 > MOST,
            "the rig sees a request that takes longer: {:?}",
            control.costs(up)
        );
    }
}
