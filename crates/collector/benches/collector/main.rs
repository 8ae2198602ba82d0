//! What the collector takes in and answers, end to end: `hoplog serve` on a disk, fed with gzip batches of 1 000 entries by
//! a sender on the same machine, each batch acknowledged after its commit; then asked. Once on SQLite, once on a PostgreSQL
//! of its own (with its disk, as installed) with each set of indexes, where there is one.
//!
//! ```text
//! start ─► one connection, batch after batch (alone) ─► 20 000/s ─► 50 000/s ─► all that it takes ─► questions
//! ```
//!
//! `cargo bench -p hoplog-collector --bench collector -- [--only sqlite|postgresql|postgresql_lean] [--rows 1000000]
//! [--connections 8] [--dir DIR]`

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench, not a part of anything")]

mod batches;
mod collector;
mod load;
mod questions;

use collector::Collector;
use hoplog_testdb::{Cluster, Sync};
use std::path::PathBuf;

/// What is asked for.
struct Plan {
    /// Entries altogether, at least [`LEAST`].
    rows: usize,
    connections: usize,
    directory: PathBuf,
}

/// Batches of each phase before the one that takes the rest.
const ALONE: usize = 100;
const SLOW: usize = 100;
const FAST: usize = 250;
/// Entries per second of the two phases at a rate.
const RATES: [(&str, usize, usize); 2] = [("at_20k", 20_000, SLOW), ("at_50k", 50_000, FAST)];
const LEAST: usize = (ALONE + SLOW + FAST + 50) * batches::ENTRIES;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).map(String::as_str)
    };
    let number = |name: &str, default: usize| option(name).map_or(default, |text| text.parse().unwrap());
    let directory = option("--dir").map_or_else(std::env::temp_dir, PathBuf::from);
    let plan = Plan {
        rows: number("--rows", 1_000_000).max(LEAST),
        connections: number("--connections", 8),
        directory: directory.join(format!("hoplog-bench-{}", std::process::id())),
    };
    let wanted = |name: &str| option("--only").is_none_or(|only| only == name);
    if wanted("sqlite") {
        let files = || {
            std::fs::read_dir(&plan.directory).unwrap().map(|file| file.unwrap().metadata().unwrap().len())
        };
        measure("collector", &plan, &[], None, &|| files().sum());
    }
    for (name, indexes) in [("postgresql", "queries"), ("postgresql_lean", "lean")] {
        if !wanted(name) {
            continue;
        }
        let Some(cluster) = Cluster::start(Sync::On) else { return };
        cluster.age();
        let url = cluster.database();
        let sizes = "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'logs'::regclass";
        let arguments = ["--store", &url, "--postgres-indexes", indexes];
        let size = || cluster.sql(&url, sizes).parse().unwrap();
        measure(&format!("collector.{name}"), &plan, &arguments, Some(&cluster), &size);
    }
}

/// All phases on one store; `size` tells the bytes that it takes on the disk.
fn measure(prefix: &str, plan: &Plan, arguments: &[&str], cluster: Option<&Cluster>, size: &dyn Fn() -> u64) {
    let figure = |name: &str, value: f64, unit: &str| {
        let digits = if value < 100.0 { 2 } else { 0 };
        println!("FIGURE {prefix}.{name} {value:.digits$} {unit}");
    };
    let collector = Collector::start(&plan.directory, arguments);
    figure("start_ms", collector.started.as_secs_f64() * 1e3, "ms");
    let mut source = batches::Source::new(plan.rows);

    let alone = load::run(&collector, source.take(ALONE), 1, None);
    alone.times("alone", &figure);
    for (name, rate, batches) in RATES {
        let paced = load::run(&collector, source.take(batches), plan.connections, Some(rate));
        paced.times(name, &figure);
        figure(&format!("{name}.entries_per_s"), paced.per_second(), "1/s");
    }
    // In parts, so that the bodies of ten million entries need not be in memory.
    let mut whole = load::Load::default();
    let servers = || cluster.map_or(0.0, |cluster| collector::family_cpu_seconds(cluster.pid()));
    let (mut cpu, mut server_cpu) = (0.0, 0.0);
    while source.left() > 0 {
        let bodies = source.take(1_000);
        let (before, before_servers) = (collector.cpu_seconds(), servers());
        whole.add(load::run(&collector, bodies, plan.connections, None));
        cpu += collector.cpu_seconds() - before;
        server_cpu += servers() - before_servers;
    }
    let taken = whole.entries() as f64;
    figure("entries_per_s", whole.per_second(), "1/s");
    figure("cpu_us_per_entry", cpu * 1e6 / taken, "us");
    if cluster.is_some() {
        figure("server_cpu_us_per_entry", server_cpu * 1e6 / taken, "us");
    }
    whole.times("full", &figure);
    figure("peak_rss_mib", collector.peak_memory_mib(), "MiB");
    figure("wire_bytes_per_entry", source.wire_bytes_per_entry(), "B");
    questions::ask(&collector, &source, &figure);
    drop(collector);
    figure("disk_bytes_per_entry", size() as f64 / plan.rows as f64, "B");
    // One that keeps its entries elsewhere may have made none.
    let _ = std::fs::remove_dir_all(&plan.directory);
}
