//! What each of the comparison adds to a bare request, in nanoseconds of its thread's CPU time.
//!
//! Without arguments everybody has a turn in a process of its own, again and again, so that what slows the machine slows
//! all of them; a turn's addition is that to the bare one of the same turn. `--count SUBJECT N` answers N requests and
//! ends, for callgrind.

use std::process::Command;

use hoplog_bench::{figure, median, thread_cpu};
use hoplog_peers::{SUBJECTS, bare, figure_name, subject};

const TURNS: usize = 7;
/// Requests between two moments at which everything has been delivered.
const REQUESTS: u32 = 1_000;
const ROUNDS: usize = 15;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--count", name, n, ..] => {
            let mut subject = subject(name);
            (subject.serve)(n.parse().expect("a number of requests"), &mut |answer| answer());
            // Without a farewell: its work is not the requests'.
            std::process::exit(0);
        }
        [name, ..] if !name.starts_with('-') => measure(name),
        _ => turns(),
    }
}

fn turns() {
    let mut ns = vec![Vec::new(); SUBJECTS.len()];
    for _ in 0..TURNS {
        for (name, ns) in SUBJECTS.iter().zip(&mut ns) {
            let mut turn = Command::new(std::env::current_exe().expect("its own path"));
            let output = turn.arg(name).output().expect("a process");
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            let said = String::from_utf8_lossy(&output.stdout).trim().parse::<f64>();
            ns.push(said.expect("a number"));
        }
    }
    let of = |name: &str| SUBJECTS.iter().position(|known| *known == name).map(|at| &ns[at]).expect("known");
    for name in ["axum_bare", "actix_bare"] {
        figure(&name.replace('_', "."), median(of(name).clone()), "ns");
    }
    for name in SUBJECTS.iter().filter(|name| bare(name) != **name) {
        let added = of(name).iter().zip(of(bare(name))).map(|(with, bare)| with - bare);
        figure(&format!("{}.added_ns", figure_name(name)), median(added.collect()), "ns");
    }
}

/// One turn of one of them: the middle of several rounds, per request. All that it was given must arrive.
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn measure(name: &str) {
    let mut subject = subject(name);
    let delivered = |subject: &hoplog_peers::Subject| subject.delivered.as_ref().map(|delivered| delivered());
    let before = delivered(&subject);
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let mut ns = f64::NAN;
        (subject.serve)(REQUESTS, &mut |answer| {
            let start = thread_cpu();
            answer();
            ns = (thread_cpu() - start).as_nanos() as f64 / f64::from(REQUESTS);
        });
        // The first fills pools and caches.
        if round > 0 {
            rounds.push(ns);
        }
        delivered(&subject);
    }
    let expected = u64::from(REQUESTS) * (ROUNDS as u64 + 1);
    if let Some(before) = before {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while delivered(&subject).unwrap_or(0) - before < expected && std::time::Instant::now() < until {
            std::thread::yield_now();
        }
        let arrived = delivered(&subject).unwrap_or(0) - before;
        assert_eq!(arrived, expected, "{name} delivers what it is given");
    }
    println!("{}", median(rounds));
}
