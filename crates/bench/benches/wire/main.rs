//! What hoplog costs from the request to the wire: a service on axum over real sockets, bare and with hoplog that ships to a
//! real collector.
//!
//! The service has one core, its worker included; the senders and the collector have another one. CPU time is that of the
//! service's process. The collector is the program `hoplog` beside the benches; `cargo xtask bench wire` builds it.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a bench that cannot run must say so"
)]

mod collector;
mod senders;
mod service;

use std::time::Duration;

use hoplog_bench::{figure, median};
use rustix::thread::{CpuSet, sched_setaffinity};

use collector::Collector;
use senders::{Sent, send};
use service::Service;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let ["--serve", what, ..] = args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        return service::serve(what);
    }
    own_core(1);
    let collector = Collector::start();
    let (mut bare, mut with) = (Service::start("bare"), Service::start(&collector.url));
    for service in [&bare, &with] {
        send(service.address, ROUND / 2, None);
    }
    let saturated = saturated(&mut bare, &mut with);
    at_half(&mut bare, &mut with, saturated / 2.0);
    let end = with.end();
    figure("wire.drift", end.accepted as f64 - (end.delivered + end.dropped) as f64, "entries");
    figure("wire.delivered_but_not_stored", end.delivered as f64 - collector.stored() as f64, "entries");
    bare.end();
}

/// Each as fast as it can; returns the requests per second with hoplog.
fn saturated(bare: &mut Service, with: &mut Service) -> f64 {
    let (mut cpu, mut rate, mut busy) = ([vec![], vec![]], [vec![], vec![]], vec![]);
    for _ in 0..ROUNDS {
        for (which, service) in [&mut *bare, &mut *with].into_iter().enumerate() {
            let before = service.ask();
            let sent = send(service.address, ROUND, None);
            let after = service.ask();
            let spent = after.cpu_ns - before.cpu_ns;
            cpu[which].push(spent as f64 / sent.answered() as f64 / 1e3);
            rate[which].push(sent.answered() as f64 / sent.seconds);
            if which == 1 {
                exact(&sent, &before, &after);
            } else {
                busy.push(spent as f64 / 1e7 / sent.seconds);
            }
        }
    }
    let [bare_us, us] = cpu.map(median);
    let [bare_rate, rate] = rate.map(median);
    figure("wire.bare_us", bare_us, "µs");
    figure("wire.added_us", us - bare_us, "µs");
    figure("wire.added_percent", (us - bare_us) / bare_us * 100.0, "percent");
    figure("wire.bare_requests_per_s", bare_rate, "1/s");
    figure("wire.requests_kept_percent", rate / bare_rate * 100.0, "percent");
    // Where the senders are the slower ones, requests per second say nothing of the service.
    figure("wire.bare_busy_percent", median(busy), "percent");
    rate
}

/// Both at the same rate: how long answers take, and that nothing is lost.
fn at_half(bare: &mut Service, with: &mut Service, rate: f64) {
    let (mut p99, mut cpu, mut lost) = ([vec![], vec![]], [vec![], vec![]], 0);
    for _ in 0..ROUNDS {
        for (which, service) in [&mut *bare, &mut *with].into_iter().enumerate() {
            let before = service.ask();
            let sent = send(service.address, ROUND, Some(rate));
            let after = service.ask();
            p99[which].push(sent.percentile_us(0.99));
            cpu[which].push((after.cpu_ns - before.cpu_ns) as f64 / sent.answered() as f64 / 1e3);
            if which == 1 {
                exact(&sent, &before, &after);
                lost += after.refused - before.refused + after.dropped - before.dropped;
            }
        }
    }
    let [bare_p99, p99] = p99.map(median);
    let [bare_us, us] = cpu.map(median);
    figure("wire.half.requests_per_s", rate, "1/s");
    figure("wire.half.bare_us", bare_us, "µs");
    figure("wire.half.added_us", us - bare_us, "µs");
    figure("wire.half.bare_p99_us", bare_p99, "µs");
    figure("wire.half.p99_us", p99, "µs");
    figure("wire.half.lost", lost as f64, "entries");
}

/// Every request that was answered is an entry that was taken, or one that was refused and counted.
fn exact(sent: &Sent, before: &service::Said, after: &service::Said) {
    let counted = after.accepted + after.refused - before.accepted - before.refused;
    assert_eq!(counted, sent.answered() as u64, "requests answered, and entries taken or refused");
}

/// Keeps this process on one core, and those that it starts until they choose their own.
fn own_core(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    if let Err(error) = sched_setaffinity(None, &cores) {
        eprintln!("no core {core} ({error}): requests per second are those of all together");
    }
}
