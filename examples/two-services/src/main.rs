//! Two services and one trace: an axum *shop* calls an actix *payments* service.
//!
//! ```text
//! curl ─► shop (axum, :3000) ── reqwest, traceparent ─► payments (actix-web, :3001)
//!           │ request, outgoing, "order placed"            │ request, tracing::info!("charged")
//!           └──────────────────── collector ───────────────┘   one trace
//! ```
//!
//! ```console
//! $ hoplog serve                               # the collector; without one: HOPLOG_CONSOLE=text shows the entries
//! $ cargo run -p two-services                  # both in one process, or one in each of two:
//! $ cargo run -p two-services -- payments
//! $ cargo run -p two-services -- shop
//! ```

mod payments;
mod shop;

use std::error::Error;
use std::time::Duration;
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let asked = std::env::args().nth(1);
    let client_of = |service: &str| match asked.as_deref() {
        None => client(service).map(Some),
        Some(asked) => (asked == service).then(|| client(service)).transpose(),
    };
    let (shop, payments) = (client_of("shop")?, client_of("payments")?);
    if let (None, None, Some(other)) = (&shop, &payments, &asked) {
        return Err(format!("`{other}` is no service: say `shop`, `payments`, or nothing").into());
    }
    // A process of one service needs no filter; here each takes what its own module says.
    let mut layers = Vec::new();
    for (client, module) in [(&shop, "two_services::shop"), (&payments, "two_services::payments")] {
        if let Some(client) = client {
            layers.push(hoplog_tracing::builder(client).levels(format!("off,{module}=info")).build()?);
        }
    }
    tracing_subscriber::registry().with(layers).init();

    tokio::try_join!(run(shop.map(shop::run)), run(payments.map(payments::run)))?;
    Ok(())
}

/// Runs a service that is asked for.
async fn run(
    service: Option<impl Future<Output = Result<(), Box<dyn Error>>>>,
) -> Result<(), Box<dyn Error>> {
    match service {
        Some(service) => service.await,
        None => Ok(()),
    }
}

/// A service's own client: what it is called is all that the two differ in.
fn client(service: &str) -> Result<hoplog::Client, hoplog::Error> {
    hoplog::Client::builder().service(service).build()
}

/// After a service's last request: what is queued still goes out.
async fn close(service: &str, client: &hoplog::Client) {
    let report = client.shutdown(Duration::from_secs(5)).await;
    eprintln!("{service}: {} entries delivered on the way out, {} lost", report.delivered, report.dropped);
}
