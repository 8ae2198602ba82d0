//! A real collector.

use std::net::SocketAddr;

use hoplog_collector::{Collector, Config};

use crate::end_of_stdin;

/// Serves until stdin ends. `HOPLOG_API_KEY` is its key, as in the program that users start.
pub(crate) async fn run(directory: String, listen: Option<String>) {
    let listen: SocketAddr = listen.as_deref().unwrap_or("127.0.0.1:0").parse().expect("an address");
    let key = std::env::var("HOPLOG_API_KEY").unwrap_or_default();
    let config = Config::default().listen(listen).data_dir(directory).api_key(key);
    eprintln!("{config:?}"); // as somebody might who wonders why
    let running = Collector::start(config).await.expect("a collector");
    println!("{}", running.local_addr());
    end_of_stdin().await;
    running.shutdown().await;
}
