//! The program that the canary test watches from outside, so that its output is seen whole.
//!
//! ```text
//! canary service     stdin: one line of JSON, the plan ─► axum and actix, each under hoplog; ends with stdin
//! canary collector   a real collector in the directory of its first argument, at the address of its second; ends with
//!                    stdin
//! ```
//!
//! The first line of output says where it listens. Secrets come in by the plan alone: what a handler is to say is not in
//! the request.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program of a test fails like it"
)]

mod actix;
mod acts;
mod axum;
mod calls;
mod collector;
mod failure;
mod plan;
mod service;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("service"), None) => service::run().await,
        (Some("collector"), Some(directory)) => collector::run(directory, arguments.next()).await,
        _ => panic!("usage: canary service | canary collector DIR"),
    }
}

/// Until nobody wants this program any more.
async fn end_of_stdin() {
    let read = || std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    let _ = tokio::task::spawn_blocking(read).await;
}
