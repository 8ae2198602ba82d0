//! The scenarios in actix-web.

use actix_web::web::{Bytes, Data, Path};
use actix_web::{App, HttpResponse, web};
use futures_util::StreamExt as _;
use hoplog::Client;
use hoplog_actix::{CurrentRequest, RequestLog};
use hoplog_testkit::scenarios::Subject;

use super::{Answer, act};

async fn handle(client: Data<Client>, number: Path<usize>, request: CurrentRequest) -> HttpResponse {
    match act(*number, Client::clone(&client), request.0).await {
        Answer::Done => HttpResponse::Ok().body("done"),
        Answer::Stream(stream) => HttpResponse::Ok()
            .streaming(stream.map(|chunk| chunk.map(|text| Bytes::from_static(text.as_bytes())))),
    }
}

pub(super) fn serve(client: Client) -> Subject {
    crate::scenarios_actix::serve!(move || {
        App::new()
            .app_data(Data::new(client.clone()))
            .route("/scenarios/{number}", web::get().to(handle))
            .wrap(RequestLog::new(client.clone()))
    })
}
