//! The `hoplog` command.

mod cli;
mod command;
mod spool;

use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::process::ExitCode;

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
    Serve(Box<command::serve::Flags>),
    #[command(subcommand)]
    Config(command::serve::Config),
    Query(Box<cli::Query>),
    Tail(Box<cli::Tail>),
    #[command(subcommand)]
    Spool(spool::Spool),
    #[command(subcommand)]
    Store(Box<command::store::Store>),
    #[command(subcommand)]
    Keys(Box<command::keys::Keys>),
    Doctor(Box<command::doctor::Doctor>),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(flags) => flags.run(),
        Command::Config(config) => config.run(),
        Command::Query(query) => ask(query.run()),
        Command::Tail(tail) => ask(tail.run()),
        Command::Spool(spool) => spool.run(),
        Command::Store(store) => store.run(),
        Command::Keys(keys) => keys.run(),
        Command::Doctor(doctor) => examine(doctor.run()),
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

/// Runs what looks at this machine and a collector.
fn examine(doctor: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(doctor),
        Err(error) => fail(&format!("cannot reach the network: {error}")),
    }
}

pub(crate) fn fail(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "hoplog: {why}");
    ExitCode::FAILURE
}
