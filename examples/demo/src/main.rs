//! hoplog in one command: a collector, an axum *shop* that calls an actix *payments* service, and real traffic.
//!
//! ```text
//! traffic ── sockets ──► shop (axum) ── reqwest ──► payments (actix)
//!                          │ hoplog-tower             │ hoplog-actix
//!                          └──────────► collector ◄───┘            then: what was stored, what it cost, where to look
//! ```
//!
//! `--once` checks that every request sent is stored one time and that no secret is, and exits.
#![expect(clippy::print_stdout, reason = "a demo shows something")]

mod payments;
mod report;
mod shop;
mod stored;
mod traffic;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use hoplog_collector::{Collector, Config};

/// Shows hoplog at work: two services, real traffic, one collector.
#[derive(Parser)]
struct Args {
    /// The collector's port.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Check the outcome and exit instead of staying up.
    #[arg(long)]
    once: bool,
    /// How many requests to send.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(20..=5_000))]
    requests: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<bool, Box<dyn Error>> {
    quiet_the_panic_we_ask_for();
    // From the start, so that Ctrl-C at any time ends the demo in order and leaves no files.
    let interrupted = tokio::spawn(hoplog::shutdown_signal());
    let store = tempfile::Builder::new().prefix("hoplog-demo-").tempdir()?;
    let listen = SocketAddr::from(([127, 0, 0, 1], args.port));
    let collector = Collector::start(Config::default().listen(listen).data_dir(store.path()))
        .await
        .map_err(|error| format!("{error} (the demo takes --port, as in --port 8001)"))?;
    let address = format!("http://{}", collector.local_addr());
    println!("collector  {address}  (SQLite in {})", store.path().display());

    let client = |service: &str| {
        hoplog::Client::builder()
            .endpoint(&address)
            .service(service)
            .environment("demo")
            .service_version("v1.0.0")
            .flush_interval(Duration::from_millis(200))
            .without_variables()
            .build()
    };
    let (shop_log, payments_log) = (client("shop")?, client("payments")?);
    let payments = payments::start(payments_log.clone())?;
    println!("payments   http://{}  (actix-web)", payments.address);
    let shop = shop::start(shop_log.clone(), payments.address).await?;
    println!("shop       http://{}  (axum)\n", shop.address);

    let sent = traffic::send(shop.address, args.requests).await?;
    for log in [&shop_log, &payments_log] {
        log.flush(Duration::from_secs(10)).await?;
    }
    let stored = stored::Stored::fetch(&address).await?;
    let logs = [("shop", &shop_log), ("payments", &payments_log)];
    report::print(&address, &sent, &stored, &logs).await?;
    let good = report::verdict(&sent, &stored, store.path(), &logs)?;

    if args.once {
        println!();
    } else {
        println!("\nOpen {address} in a browser. Ctrl-C ends the demo.");
        interrupted.await?;
    }
    shop.stop().await;
    payments.stop().await;
    for log in [shop_log, payments_log] {
        log.shutdown(Duration::from_secs(5)).await;
    }
    collector.shutdown().await;
    Ok(good)
}

/// One handler panics on purpose; its message would look like a fault of the demo.
fn quiet_the_panic_we_ask_for() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let ours = info.payload().downcast_ref::<&str>().is_some_and(|m| *m == shop::PANIC);
        if !ours {
            default(info);
        }
    }));
}
