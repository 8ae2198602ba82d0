//! Faults, and an oracle that holds what was promised. Each run prints how often its fault fired. The fast forms run
//! with every test; `cargo xtask chaos` runs the large ones.

mod bombs;
mod drain;
mod kills;
mod malformed;
mod malformed_protocols;
mod restarts;
mod scans;
mod slow;

use hoplog_entry::EntryId;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

/// How often the fault is to happen: the second number where `cargo xtask chaos` asks.
pub(crate) fn times(fast: usize, large: usize) -> usize {
    if alone_on_the_machine() { large } else { fast }
}

/// `cargo xtask chaos` runs one test after the other.
pub(crate) fn alone_on_the_machine() -> bool {
    std::env::var_os("HOPLOG_CHAOS").is_some()
}

#[expect(clippy::print_stdout, reason = "figures are read off the tests' output")]
pub(crate) fn figure(name: &str, value: impl std::fmt::Display, unit: &str) {
    println!("FIGURE {name} {value} {unit}");
}

#[expect(clippy::print_stdout, reason = "what was left out is read off the tests' output")]
pub(crate) fn skipped(what: &str, why: &str) {
    println!("SKIPPED {what}: {why}");
}

/// With no fault in `trials`, the chance of one is below this with 95 % confidence: the rule of three.
fn bound(trials: usize) -> f64 {
    3.0 / trials as f64
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as usize % below
    }
}

/// What the entry of an id says, so that nobody has to remember it.
fn payload(id: EntryId) -> String {
    let half = |at: usize| id.as_bytes()[at..at + 8].iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
    format!("{:016x}", half(0).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ half(8))
}

/// One request from an address of its own, of which a collector takes only so many connections each. `None`: no
/// whole answer came.
fn ask(from: u8, to: SocketAddr, request: &[u8]) -> Option<String> {
    let mut stream = crate::support::RUNTIME.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().ok()?;
        socket.bind(SocketAddr::from(([127, 0, 1, from], 0))).ok()?;
        socket.connect(to).await.ok()?.into_std().ok()
    })?;
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    // A server that refuses early may close before all is sent; what it said counts.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    (length == Some(body.len())).then_some(answer)
}

fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /logs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         {headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
