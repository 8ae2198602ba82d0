//! The payments service, on actix-web.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use hoplog_actix::RequestLog;
use serde::{Deserialize, Serialize};

/// Asks for an amount to be charged.
#[derive(Deserialize, Serialize)]
pub(crate) struct Charge {
    pub(crate) order: u32,
    pub(crate) cents: u32,
}

pub(crate) struct Payments {
    pub(crate) address: SocketAddr,
    handle: ServerHandle,
}

impl Payments {
    pub(crate) async fn stop(self) {
        self.handle.stop(true).await;
    }
}

/// Serves on a free port, with a thread and a runtime of its own as actix wants it.
pub(crate) fn start(log: hoplog::Client) -> io::Result<Payments> {
    let (ready, started) = std::sync::mpsc::channel();
    std::thread::Builder::new().name("payments".into()).spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                let state = web::Data::new(log.clone());
                App::new()
                    .app_data(state)
                    .wrap(RequestLog::new(log.clone()))
                    .route("/charges", web::post().to(charge))
                    .route("/charges/{id}", web::get().to(show))
            })
            .workers(1)
            .disable_signals()
            // Without this a client that hung up is not noticed.
            .h1_allow_half_closed(false)
            .bind(("127.0.0.1", 0));
            match server {
                Ok(server) => {
                    let address = server.addrs()[0];
                    let running = server.run();
                    let _ = ready.send(Ok(Payments { address, handle: running.handle() }));
                    let _ = running.await;
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                }
            }
        });
    })?;
    started.recv().map_err(io::Error::other)?
}

/// Large amounts take longer, some are declined, and now and then the bank is away.
async fn charge(log: web::Data<hoplog::Client>, charge: web::Json<Charge>) -> HttpResponse {
    actix_web::rt::time::sleep(Duration::from_micros(500 + u64::from(charge.cents) / 4)).await;
    if charge.order % 11 == 7 {
        log.warn("card declined")
            .field("order", charge.order)
            .field("card_number", "4111111111111111")
            .send();
        return HttpResponse::PaymentRequired().json(serde_json::json!({"error": "declined"}));
    }
    if charge.order % 29 == 13 {
        log.error("the bank does not answer").field("order", charge.order).send();
        return HttpResponse::InternalServerError().json(serde_json::json!({"error": "bank"}));
    }
    log.info("charged").field("order", charge.order).field("cents", charge.cents).send();
    HttpResponse::Created().json(serde_json::json!({"charge": charge.order}))
}

async fn show(id: web::Path<u32>) -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"charge": *id}))
}
