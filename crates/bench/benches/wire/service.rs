//! The service, a process of its own: answers requests, and on its standard input how it stands.

use std::io::{BufRead as _, BufReader, Write as _, stdin, stdout};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use hoplog::Client;
use hoplog_bench::process_cpu;
use hoplog_tower::RequestLogLayer;

const LONG: Duration = Duration::from_secs(60);

/// How a service stands; zeros where there is no hoplog.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) cpu_ns: u64,
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) delivered: u64,
    pub(crate) dropped: u64,
}

/// A service that runs.
pub(crate) struct Service {
    process: Child,
    out: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl Service {
    /// `bare`, or with hoplog that sends to that address.
    pub(crate) fn start(what: &str) -> Self {
        let itself = std::env::current_exe().expect("this program");
        let mut command = Command::new(itself);
        command.args(["--serve", what]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("this program runs");
        let mut out = BufReader::new(process.stdout.take().expect("it was asked for"));
        let mut line = String::new();
        out.read_line(&mut line).expect("an address");
        Self { process, out, address: line.trim().parse().expect("an address") }
    }

    /// How it stands once all that it has taken in is delivered.
    pub(crate) fn ask(&mut self) -> Said {
        self.process.stdin.as_ref().expect("it was asked for").write_all(b"?\n").expect("it runs");
        let mut line = String::new();
        self.out.read_line(&mut line).expect("an answer");
        let numbers: Vec<u64> = line.split_whitespace().map(|n| n.parse().expect("a number")).collect();
        let [cpu_ns, accepted, refused, delivered, dropped] = numbers[..] else { panic!("{line}") };
        Said { cpu_ns, accepted, refused, delivered, dropped }
    }

    /// Asks a last time and lets it end.
    pub(crate) fn end(mut self) -> Said {
        let said = self.ask();
        drop(self.process.stdin.take());
        let status = self.process.wait().expect("it ends");
        assert!(status.success(), "the service ended with {status}");
        said
    }
}

/// The process itself.
pub(crate) fn serve(what: &str) {
    super::own_core(0);
    let client = match what {
        "bare" => Client::disabled(),
        url => {
            let builder = Client::builder().endpoint(url).service("bench").without_variables();
            builder.build().expect("a client")
        }
    };
    let router = Router::new().route("/api/v1/users/{user}/orders", get(|| async { "ok" }));
    let router = match what {
        "bare" => router,
        _ => router.layer(RequestLogLayer::new(client.clone())),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    answer(&listener.local_addr().expect("an address").to_string());
    std::thread::spawn(move || {
        for _ in stdin().lines() {
            tell(&client);
        }
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    runtime.expect("a runtime").block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
        axum::serve(listener, router).await.expect("it serves");
    });
}

fn tell(client: &Client) {
    if client.is_enabled() {
        let report = client.flush_blocking(LONG).expect("an open client");
        assert_eq!(report.left, 0, "the collector is there");
    }
    let stats = client.stats();
    let (delivered, dropped) =
        stats.destinations.first().map_or((0, 0), |d| (d.delivered, d.dropped.total()));
    let cpu = process_cpu().as_nanos();
    answer(&format!("{cpu} {} {} {delivered} {dropped}", stats.accepted, stats.refused.total()));
}

fn answer(line: &str) {
    let mut out = stdout();
    out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).expect("somebody listens");
}
