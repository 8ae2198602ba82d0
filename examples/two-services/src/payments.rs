//! The payments service: charges cards, but for unlucky numbers.

mod card;

use std::error::Error;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::web::{self, Path};
use actix_web::{App, HttpServer, ResponseError};
use hoplog_actix::RequestLog;

pub(crate) async fn run(log: hoplog::Client) -> Result<(), Box<dyn Error>> {
    let of_the_app = log.clone();
    let server = HttpServer::new(move || {
        App::new().route("/charges/{order}", web::get().to(charge)).wrap(RequestLog::new(of_the_app.clone()))
    })
    // Or a client that hung up is not noticed.
    .h1_allow_half_closed(false)
    .workers(1)
    .bind("127.0.0.1:3001")?;
    eprintln!("payments listens on http://127.0.0.1:3001");
    server.run().await?;
    super::close("payments", &log).await;
    Ok(())
}

async fn charge(order: Path<u32>) -> Result<&'static str, ChargeDeclined> {
    card::charge(*order)?;
    Ok("charged\n")
}

/// Becomes the answer, and stands in the entry as its error.
#[derive(Debug)]
struct ChargeDeclined;

impl fmt::Display for ChargeDeclined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the card was declined")
    }
}

impl ResponseError for ChargeDeclined {
    fn status_code(&self) -> StatusCode {
        StatusCode::PAYMENT_REQUIRED
    }
}
