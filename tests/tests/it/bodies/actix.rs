use std::convert::Infallible;

use actix_web::web::{self, Bytes, Path, Payload};
use actix_web::{App, HttpResponse, HttpServer};
use futures_util::stream::{self, StreamExt as _};
use hoplog_actix::RequestLog;

use super::PIECE;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_kept_break_nothing_in_actix() {
    super::bodies_break_nothing("actix", async |client| {
        let server = HttpServer::new(move || {
            App::new()
                .wrap(RequestLog::new(client.clone()))
                .route("/count", web::post().to(count))
                .route("/early", web::post().to(|| async { HttpResponse::PayloadTooLarge().finish() }))
                .route("/flood/{n}", web::get().to(flood))
                .route("/json", web::post().to(json))
                .route(
                    "/events",
                    web::get().to(|| async { answer("text/event-stream", "data: 1\n\n".into()) }),
                )
        })
        .workers(1)
        .h1_allow_half_closed(false)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let address = server.addrs()[0];
        tokio::spawn(server.run());
        address
    })
    .await;
}

async fn count(mut body: Payload) -> String {
    let (mut size, mut sum) = (0, 0);
    while let Some(piece) = body.next().await {
        let piece = piece.unwrap();
        size += piece.len() as u64;
        sum += piece.iter().map(|&b| u64::from(b)).sum::<u64>();
    }
    format!("{size} {sum}")
}

async fn flood(n: Path<u64>) -> HttpResponse {
    let piece = Bytes::from(vec![b'y'; PIECE]);
    let pieces = stream::iter(0..*n / PIECE as u64).map(move |_| Ok::<_, Infallible>(piece.clone()));
    HttpResponse::Ok().content_type("text/plain").streaming(pieces)
}

async fn json(sent: String) -> HttpResponse {
    answer("application/json", format!("{{\"token\":\"t0ps3cret\",\"sent\":{sent}}}"))
}

fn answer(content_type: &str, body: String) -> HttpResponse {
    HttpResponse::Ok().content_type(content_type).body(body)
}
