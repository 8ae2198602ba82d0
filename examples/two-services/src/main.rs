//! Two services and one trace: an axum *shop* calls an actix *payments* service.
//!
//! ```text
//! curl ─► shop (axum, :3000) ── reqwest, traceparent ─► payments (actix-web, :3001)
//!           │ request, outgoing, "order placed"            │ request, "charged"
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

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        None => {
            tokio::try_join!(shop::run(), payments::run())?;
        }
        Some("shop") => shop::run().await?,
        Some("payments") => payments::run().await?,
        Some(other) => {
            return Err(format!("`{other}` is no service: say `shop`, `payments`, or nothing").into());
        }
    }
    Ok(())
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
