//! An application that is killed, starved and cut off, and an oracle that holds what it promised. Each run prints how
//! often its fault fired. The fast forms run with every test; `cargo xtask chaos` runs the large ones.

mod app_kills;
mod both_killed;
mod disk;
mod disk_troubles;
mod injected;
mod oracle;
mod outage;
mod power_cut;
mod program;
mod request_path;
mod sigterm;
mod soak;
mod tail;

use std::fmt::Display;

/// How often the fault is to happen: the second number where `cargo xtask chaos` asks.
fn times(fast: usize, large: usize) -> usize {
    if std::env::var_os("HOPLOG_CHAOS").is_some() { large } else { fast }
}

#[expect(clippy::print_stdout, reason = "figures are read off the tests' output")]
fn figure(name: &str, value: impl Display, unit: &str) {
    println!("FIGURE {name} {value} {unit}");
}

#[expect(clippy::print_stdout, reason = "what is left out is said aloud")]
fn skipped(what: &str, why: &str) {
    println!("SKIPPED {what}: {why}");
}

/// With no fault in `trials`, the chance of one is below this with 95 % confidence: the rule of three.
fn bound(trials: usize) -> f64 {
    3.0 / trials as f64
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    /// From `from` on, below `to`.
    fn next(&mut self, from: u64, to: u64) -> u64 {
        self.0 += 1;
        let letters = journeys::payload(self.0);
        from + letters.bytes().fold(0, |n, letter| n << 4 | u64::from(letter - b'a')) % (to - from)
    }
}
