//! The service as an actix-web app.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, Error, HttpMessage as _, HttpRequest, HttpResponse, HttpServer};
use futures_util::stream;
use hoplog::ErrorReport;
use hoplog_actix::RequestLog;

use crate::acts::{Acts, Done};
use crate::failure::Failure;

/// Serves on a free port.
pub(crate) fn serve(acts: Arc<Acts>) -> SocketAddr {
    let log = acts.log.clone();
    let acts = Data::from(acts);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(acts.clone())
            .route("/steps/{n}", web::route().to(handle))
            .route("/steps/{n}/{rest:.*}", web::route().to(handle))
            .wrap_fn(|request, service| {
                let answered = service.call(request);
                async { fail(answered.await?) }
            })
            .wrap(RequestLog::new(log.clone()))
    });
    let server = server.workers(1).h1_allow_half_closed(false).disable_signals();
    let server = server.bind("127.0.0.1:0").expect("a port");
    let address = server.addrs()[0];
    tokio::spawn(server.run());
    address
}

/// An error of a middleware inside of the log layer.
fn fail<B>(response: ServiceResponse<B>) -> Result<ServiceResponse<B>, Error> {
    let failure = response.request().extensions().get::<Failure>().cloned();
    match failure {
        Some(failure) => Err(failure.into()),
        None => Ok(response),
    }
}

async fn handle(request: HttpRequest, acts: Data<Acts>, _: Bytes) -> Result<HttpResponse, Error> {
    let n = request.match_info().get("n").and_then(|n| n.parse().ok()).expect("a step");
    Ok(match acts.run(n).await {
        Done::Answer(kind, headers, body) => {
            let mut response = HttpResponse::Ok();
            response.content_type(kind);
            headers.into_iter().for_each(|header| {
                response.append_header(header);
            });
            response.body(body)
        }
        Done::Report(failure) => {
            let mut response = HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR);
            response.extensions_mut().insert(ErrorReport::new(&failure));
            response
        }
        Done::Refuse(failure) => return Err(failure.into()),
        Done::Fail(failure) => {
            request.extensions_mut().insert(failure);
            HttpResponse::Ok().finish()
        }
        Done::BreakOff(failure) => {
            let pieces = [Ok(Bytes::from_static(b"some")), Err(failure)];
            HttpResponse::Ok().streaming(stream::iter(pieces))
        }
    })
}
