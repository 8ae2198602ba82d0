//! `hoplog serve`, and `hoplog config check`, which reads the same and starts nothing.

use clap::{Args, Subcommand};
use hoplog_collector::{Collector, Complaints, Effective, Settings, StartError};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a collector is told. Everything else stands in the file or in variables.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// A file of settings, in TOML; `hoplog config check` shows all there are.
    #[arg(long, value_name = "FILE", env = "HOPLOG_CONFIG")]
    config: Option<PathBuf>,
    /// The address to listen on. Default: 127.0.0.1:8000.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Where entries are kept: sqlite:PATH, a directory, or postgres://USER@HOST/DATABASE. Default: the data directory.
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Which indexes PostgreSQL keeps for the days that are made from now on: queries, or lean, which is quicker to write
    /// to and slower to search.
    #[arg(long, value_name = "SET")]
    postgres_indexes: Option<String>,
    /// Connections on which PostgreSQL is written to. Default: 2.
    #[arg(long, value_name = "NUMBER")]
    postgres_writers: Option<String>,
    /// The directory for data; made if missing. Default: hoplog-data.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Lets a network send entries to a project without a key, such as 10.1.0.0/16=shop; may be given several times.
    #[arg(long, value_name = "CIDR=PROJECT")]
    open_from: Vec<String>,
    /// A network of proxies whose X-Forwarded-For is believed; may be given several times.
    #[arg(long, value_name = "CIDR")]
    trusted_proxy: Vec<String>,
    /// A name by which browsers may call what is open without a key; may be given several times.
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// An origin whose pages may send entries from a browser, such as https://shop.example; may be given several times.
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// The certificates for TLS, in PEM, the collector's own first.
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<String>,
    /// The key to them, in PEM.
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Takes plain HTTP from anywhere, as behind a proxy that speaks TLS.
    #[arg(long)]
    insecure_listen: bool,
}

/// Looks at a configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Says everything that is wrong with it, else shows every setting and where it comes from; no secret.
    Check(Box<Flags>),
}

impl Flags {
    pub(crate) fn settings(self) -> Result<Effective, Complaints> {
        let mut settings = Settings::default();
        if let Some(file) = &self.config {
            settings.file(file);
        }
        settings.environment(|name| std::env::var(name).ok());
        for (name, values) in [
            ("listen", Vec::from_iter(self.listen)),
            ("store", Vec::from_iter(self.store)),
            ("postgres_indexes", Vec::from_iter(self.postgres_indexes)),
            ("postgres_writers", Vec::from_iter(self.postgres_writers)),
            ("data_dir", Vec::from_iter(self.data_dir)),
            ("open_from", self.open_from),
            ("trusted_proxy", self.trusted_proxy),
            ("allow_host", self.allow_host),
            ("allow_origin", self.allow_origin),
            ("tls.cert", Vec::from_iter(self.tls_cert)),
            ("tls.key", Vec::from_iter(self.tls_key)),
            ("insecure_listen", Vec::from_iter(self.insecure_listen.then(|| "true".to_owned()))),
        ] {
            settings.flag(name, values);
        }
        settings.config()
    }

    /// Runs the collector until it is told to end.
    pub(crate) fn run(self) -> ExitCode {
        let config = match self.settings() {
            Ok(effective) => effective.config,
            Err(complaints) => return tell(&complaints),
        };
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return crate::fail(&format!("cannot start threads: {error}")),
        };
        match runtime.block_on(serve(config)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => crate::fail(&error.to_string()),
        }
    }
}

impl Config {
    pub(crate) fn run(self) -> ExitCode {
        let Self::Check(flags) = self;
        match flags.settings() {
            Ok(effective) => match std::io::stdout().write_all(effective.shown().as_bytes()) {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    crate::fail(&error.to_string())
                }
                _ => ExitCode::SUCCESS,
            },
            Err(complaints) => tell(&complaints),
        }
    }
}

fn tell(complaints: &Complaints) -> ExitCode {
    for line in complaints.lines() {
        crate::fail(line);
    }
    ExitCode::FAILURE
}

async fn serve(config: hoplog_collector::Config) -> Result<(), StartError> {
    // Before anybody can know that it runs: from here on a signal drains.
    let mut signals = Signals::new();
    let running = Collector::start(config).await?;
    // With stdout gone there is nobody to tell; the collector serves all the same.
    let _ = writeln!(std::io::stdout(), "hoplog listens on {}", running.url());
    while signals.next().await == Told::Reload {
        running.reload();
    }
    tokio::select! {
        () = running.shutdown() => {}
        // Asked twice: whoever was not answered sends again.
        () = signals.end() => std::process::exit(130),
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    End,
    Reload,
}

/// SIGTERM, SIGINT and SIGHUP. Without handlers, which the system hardly ever refuses, a signal ends the process by
/// itself.
struct Signals(Option<[Signal; 3]>);

impl Signals {
    fn new() -> Self {
        let handlers = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
        let [Ok(terminate), Ok(interrupt), Ok(hangup)] = handlers else { return Self(None) };
        Self(Some([terminate, interrupt, hangup]))
    }

    async fn next(&mut self) -> Told {
        let Some([terminate, interrupt, hangup]) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = terminate.recv() => Told::End,
            _ = interrupt.recv() => Told::End,
            _ = hangup.recv() => Told::Reload,
        }
    }

    async fn end(&mut self) {
        while self.next().await != Told::End {}
    }
}
