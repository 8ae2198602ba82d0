//! The `hoplog` command.

mod cli;
mod command;
mod spool;

use clap::{Parser, Subcommand};
use hoplog_collector::{Collector, Config, StartError};
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
    /// Keys are made by `hoplog keys create`; HOPLOG_API_KEY sets one that may do everything. As long as there is none,
    /// only loopback is served.
    Serve {
        /// The address to listen on.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
        listen: SocketAddr,
        /// Where entries are kept: sqlite:PATH, a directory. Default: the data directory.
        #[arg(long, value_name = "STORE")]
        store: Option<String>,
        /// The directory for data; made if missing.
        #[arg(long, value_name = "DIR", default_value = "hoplog-data")]
        data_dir: PathBuf,
        /// Lets a network send entries to a project without a key, such as 10.1.0.0/16=shop; may be given several times.
        #[arg(long, value_name = "CIDR=PROJECT")]
        open_from: Vec<String>,
        /// A network of proxies whose X-Forwarded-For is believed; may be given several times.
        #[arg(long, value_name = "CIDR")]
        trusted_proxy: Vec<String>,
        /// A name by which browsers may call what is open without a key; may be given several times.
        #[arg(long, value_name = "NAME")]
        allow_host: Vec<String>,
    },
    Query(Box<cli::Query>),
    Tail(Box<cli::Tail>),
    #[command(subcommand)]
    Spool(spool::Spool),
    #[command(subcommand)]
    Keys(command::keys::Keys),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve { listen, store, data_dir, open_from, trusted_proxy, allow_host } => {
            let config = Config::default().listen(listen).data_dir(data_dir);
            let config = open_from.into_iter().fold(config, Config::open_from);
            let config = trusted_proxy.into_iter().fold(config, Config::trusted_proxy);
            run_collector(allow_host.into_iter().fold(config, Config::allow_host), store)
        }
        Command::Query(query) => ask(query.run()),
        Command::Tail(tail) => ask(tail.run()),
        Command::Spool(spool) => spool.run(),
        Command::Keys(keys) => keys.run(),
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

fn run_collector(config: Config, store: Option<String>) -> ExitCode {
    let mut config = config
        .api_key(std::env::var("HOPLOG_API_KEY").unwrap_or_default())
        .key_pepper(std::env::var("HOPLOG_KEY_PEPPER").unwrap_or_default())
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

pub(crate) fn fail(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "hoplog: {why}");
    ExitCode::FAILURE
}
