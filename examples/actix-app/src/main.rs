//! An actix-web service with the request log.
//!
//! ```console
//! $ hoplog serve                               # the collector; without one: HOPLOG_CONSOLE=text shows the entries
//! $ cargo run -p actix-app
//! $ curl -i http://127.0.0.1:3001/users/7      # the answer carries x-trace-id and x-request-id
//! $ curl -N http://127.0.0.1:3001/countdown    # one entry, at the end; Ctrl-C makes it `body_aborted`
//! $ curl -i http://127.0.0.1:3001/fail         # level ERROR, with the error's text
//! ```
//!
//! Everything but the service's name is taken from the environment: `HOPLOG_ENDPOINT`, `HOPLOG_API_KEY`, …

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{App, HttpResponse, HttpServer, error, get};
use futures_util::stream;
use hoplog_actix::RequestLog;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = hoplog::Client::builder().service("actix-app").build()?;
    let of_the_app = client.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(of_the_app.clone()))
            .service(user)
            .service(countdown)
            .service(fail)
            // The last `wrap` is the outermost: it sees what the client sees.
            .wrap(RequestLog::new(of_the_app.clone()))
    })
    // Or a client that hung up is not noticed, and its handler runs on.
    .h1_allow_half_closed(false)
    .bind("127.0.0.1:3001")?;
    eprintln!("actix-app listens on http://127.0.0.1:3001");
    // Ends gracefully at Ctrl-C and SIGTERM.
    server.run().await?;

    // After the last request: what is queued still goes out.
    let report = client.shutdown(Duration::from_secs(5)).await;
    eprintln!("{} entries delivered on the way out, {} lost", report.delivered, report.dropped);
    Ok(())
}

#[get("/users/{id}")]
async fn user(client: Data<hoplog::Client>, id: Path<u32>) -> String {
    // Tied to the request: the same trace, under its span.
    client.info("user looked up").field("id", *id).send();
    format!("user {id}\n")
}

/// Ten lines, one every 200 ms. The entry's time to first byte is short, its duration two seconds.
#[get("/countdown")]
async fn countdown() -> HttpResponse {
    HttpResponse::Ok().streaming(stream::unfold(10, async |left| {
        if left == 0 {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        Some((Ok::<_, Infallible>(Bytes::from(format!("{left}\n"))), left - 1))
    }))
}

#[get("/fail")]
async fn fail() -> Result<&'static str, actix_web::Error> {
    Err(error::ErrorInternalServerError("something is wrong"))
}
