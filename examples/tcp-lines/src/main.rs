//! A destination of one's own: JSON lines over TCP, and into a local file while nobody takes them.
//!
//! ```console
//! $ nc -lk 5170 &
//! $ cargo run -p tcp-lines -- 127.0.0.1:5170
//! ```

mod lines;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hoplog::{Client, Output};
use lines::TcpLines;

#[expect(clippy::print_stdout, reason = "a program that shows something")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server: SocketAddr = std::env::args().nth(1).as_deref().unwrap_or("127.0.0.1:5170").parse()?;
    let client = client(server, Path::new("tcp-lines.jsonl"))?;
    for number in 1..=3 {
        client.info("order placed").field("order", number).send();
    }
    client.flush_blocking(Duration::from_secs(2))?;
    println!("sent to {server}, or kept in tcp-lines.jsonl until the next run");
    Ok(())
}

/// A client whose entries go there, or into the file.
fn client(server: SocketAddr, fallback: &Path) -> Result<Client, hoplog::Error> {
    let lines = Output::own(TcpLines::new(server, fallback)).name("tcp");
    Client::builder().service("shop").without_collector().destination(lines).build()
}

#[cfg(test)]
mod tests;
