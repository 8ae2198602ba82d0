//! What each of the comparison allocates for a request. A binary of its own: counting has a price.

use std::process::Command;

use hoplog_bench::figure;
use hoplog_peers::{SUBJECTS, bare, figure_name, subject};

const REQUESTS: u32 = 1_000;

fn main() {
    match std::env::args().nth(1).filter(|argument| !argument.starts_with('-')) {
        Some(name) => count(&name),
        None => all(),
    }
}

fn all() {
    let mut counted: Vec<(f64, f64)> = Vec::new();
    for name in SUBJECTS {
        let mut turn = Command::new(std::env::current_exe().expect("its own path"));
        let output = turn.arg(name).output().expect("a process");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout);
        let mut numbers = said.split_whitespace().map(|n| n.parse().expect("a number"));
        counted.push((numbers.next().expect("allocations"), numbers.next().expect("bytes")));
    }
    for (name, (allocations, bytes)) in SUBJECTS.iter().zip(&counted) {
        let base = SUBJECTS.iter().position(|known| *known == bare(name)).map(|at| counted[at]);
        let (bare_allocations, bare_bytes) = base.expect("known");
        if bare(name) != *name {
            let name = figure_name(name);
            figure(&format!("{name}.added_allocations"), allocations - bare_allocations, "count");
            figure(&format!("{name}.added_bytes"), bytes - bare_bytes, "bytes");
        }
    }
}

#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn count(name: &str) {
    let mut subject = subject(name);
    // The first requests fill pools and caches.
    (subject.serve)(REQUESTS, &mut |answer| answer());
    (subject.serve)(REQUESTS, &mut |answer| {
        let seen = allocation_counter::measure(&mut *answer);
        let per_request = |n: u64| n as f64 / f64::from(REQUESTS);
        println!("{} {}", per_request(seen.count_total), per_request(seen.bytes_total));
    });
}
