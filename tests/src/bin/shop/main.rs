//! The application that the delivery rigs kill, starve and cut off. Its entries are numbered, and what each says is a
//! function of its number, so that a rig holds numbers alone.
//!
//! ```text
//! shop serve PLAN     axum under hoplog; the first line of output says where it listens
//!                     POST /promise/{n}  answers once the entry is on the disk; 500 says why it is not
//!                     POST /note/{n}     answers at once
//!                     POST /make/{first}/{orders}/{a second}/{bytes more}  entries by itself
//!                     GET  /stats
//! shop promise PLAN   makes entries by itself; `durable N` or `failed N WHY` for each
//! ```
//!
//! The plan is JSON. SIGTERM, or the end of what was planned, is a shutdown: its report is the last line.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program of a test fails like it"
)]

mod plan;
mod promise;
mod report;
mod serve;

use std::alloc::System;

use plan::Plan;
use stats_alloc::StatsAlloc;

/// Counts what is allocated and not freed: resident memory holds the heap's free places too, and the program's own pages.
#[global_allocator]
static HEAP: StatsAlloc<System> = StatsAlloc::system();

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", plan] => serve::run(&Plan::read(plan)).await,
        ["promise", plan] => promise::run(&Plan::read(plan)).await,
        _ => panic!("usage: shop serve PLAN | shop promise PLAN"),
    }
}
