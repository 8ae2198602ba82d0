//! The `hoplog` command.

mod cli;
mod spool;

use clap::{Parser, Subcommand};
use hoplog_collector::{Collector, Config, PostgresIndexes, StartError};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Takes in, keeps and finds the requests of your services.
#[derive(Parser)]
#[command(name = "hoplog", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the collector until SIGTERM or Ctrl-C.
    ///
    /// HOPLOG_API_KEY sets the key that every sender and reader must show; without one, only loopback is served.
    Serve {
        /// The address to listen on.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
        listen: SocketAddr,
        /// Where entries are kept: sqlite:PATH, a directory, or postgres://USER@HOST/DATABASE. Default: the data
        /// directory.
        #[arg(long, value_name = "STORE", env = "HOPLOG_STORE", hide_env_values = true)]
        store: Option<String>,
        /// Which indexes PostgreSQL keeps for the days that are made from now on: queries, or lean, which is quicker to
        /// write to and slower to search.
        #[arg(long, value_name = "SET", default_value = "queries")]
        postgres_indexes: PostgresIndexes,
        /// The directory for data; made if missing.
        #[arg(long, value_name = "DIR", default_value = "hoplog-data")]
        data_dir: PathBuf,
    },
    Query(Box<cli::Query>),
    Tail(Box<cli::Tail>),
    #[command(subcommand)]
    Spool(spool::Spool),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve { listen, store, postgres_indexes, data_dir } => {
            run_collector(listen, store, postgres_indexes, data_dir)
        }
        Command::Query(query) => ask(query.run()),
        Command::Tail(tail) => ask(tail.run()),
        Command::Spool(spool) => spool.run(),
    }
}

/// Runs what asks a collector. It does one thing at a time.
fn ask(question: impl Future<Output = Result<(), cli::Failure>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot reach the network: {error}")),
    };
    runtime.block_on(question).map_or_else(|failure| failure.tell(), |()| ExitCode::SUCCESS)
}

fn run_collector(
    listen: SocketAddr,
    store: Option<String>,
    postgres_indexes: PostgresIndexes,
    data_dir: PathBuf,
) -> ExitCode {
    let mut config = Config::default()
        .listen(listen)
        .data_dir(data_dir)
        .postgres_indexes(postgres_indexes)
        .api_key(std::env::var("HOPLOG_API_KEY").unwrap_or_default())
        .drain_lag(Duration::from_secs(1));
    if let Some(store) = store {
        config = config.store(store);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start threads: {error}")),
    };
    match runtime.block_on(serve(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

async fn serve(config: Config) -> Result<(), StartError> {
    // Before anybody can know that it runs: from here on a signal drains.
    let mut signals = Signals::new();
    let running = Collector::start(config).await?;
    // With stdout gone there is nobody to tell; the collector serves all the same.
    let _ = writeln!(std::io::stdout(), "hoplog listens on http://{}", running.local_addr());
    signals.next().await;
    tokio::select! {
        () = running.shutdown() => {}
        // Asked twice: whoever was not answered sends again.
        () = signals.next() => std::process::exit(130),
    }
    Ok(())
}

/// SIGTERM and SIGINT. Without handlers, which the system hardly ever refuses, a signal ends the process by itself.
struct Signals(Option<(Signal, Signal)>);

impl Signals {
    fn new() -> Self {
        let handlers = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
        Self(handlers.0.ok().zip(handlers.1.ok()))
    }

    async fn next(&mut self) {
        match &mut self.0 {
            Some((terminate, interrupt)) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            }
            None => std::future::pending().await,
        }
    }
}

fn fail(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "hoplog: {why}");
    ExitCode::FAILURE
}
