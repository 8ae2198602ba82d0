//! Requests that end otherwise: errors, panics, clients that hang up.

use std::future::{Ready, pending};
use std::io::{Read, Write};
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, Sender};

use actix_web::dev::{HttpServiceFactory, Service as _, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpResponse, ResponseError, error, web};
use futures_util::stream::{self, StreamExt as _};

use crate::rig::Rig;

#[derive(Debug)]
struct ChargeDeclined;

impl std::fmt::Display for ChargeDeclined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the card was declined")
    }
}

/// Its author got both wrong.
struct Unspeakable;

impl std::fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("in Display")
    }
}

impl std::fmt::Debug for Unspeakable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("in Debug")
    }
}

impl ResponseError for Unspeakable {
    fn error_response(&self) -> HttpResponse {
        HttpResponse::InternalServerError().finish()
    }
}

impl ResponseError for ChargeDeclined {
    fn status_code(&self) -> StatusCode {
        StatusCode::PAYMENT_REQUIRED
    }
}

fn app(config: &mut ServiceConfig, _: &hoplog::Client) {
    config
        .route("/declined", web::to(async || Err::<&str, _>(ChargeDeclined)))
        .route("/unspeakable", web::to(async || Err::<&str, _>(Unspeakable)))
        .route("/broken", web::to(async || Err::<&str, _>(error::ErrorBadGateway("no bank"))))
        .route("/late", web::to(async || HttpResponse::GatewayTimeout().finish()))
        .route("/panic/{id}", web::to(panics))
        .route("/panic-in-body", web::to(async || HttpResponse::Ok().streaming(stream::poll_fn(poll_panics))))
        .route("/wait/{id}", web::to(waits))
        .route("/endless", web::to(async || HttpResponse::Ok().streaming(endless())))
        .route("/torn", web::to(async || HttpResponse::Ok().streaming(torn())))
        .service(failing("/fails", || error::ErrorInternalServerError("no database")))
        .service(failing("/refuses", || error::ErrorUnauthorized("who are you?")))
        .service(failing("/slow", || error::ErrorGatewayTimeout("no answer")))
        .service(
            web::scope("/eager")
                .wrap_fn(|_, _| -> Ready<Result<ServiceResponse, _>> { panic!("before there is a future") })
                .route("", web::to(async || "unreached")),
        );
}

/// A scope whose middleware returns an error.
fn failing(path: &'static str, error: fn() -> actix_web::Error) -> impl HttpServiceFactory {
    web::scope(path)
        .wrap_fn(move |request, service| {
            let answer = service.call(request);
            async move { answer.await.and_then(|_| Err::<ServiceResponse, _>(error())) }
        })
        .route("", web::to(async || "unseen"))
}

async fn panics() -> &'static str {
    panic!("a handler's mistake")
}

fn poll_panics(_: &mut std::task::Context<'_>) -> std::task::Poll<Option<Result<Bytes, error::Error>>> {
    panic!("a body's mistake")
}

fn endless() -> impl stream::Stream<Item = Result<Bytes, error::Error>> {
    stream::repeat_with(|| Ok(Bytes::from(vec![b'.'; 64 * 1024])))
}

fn torn() -> impl stream::Stream<Item = Result<Bytes, error::Error>> {
    let first = stream::iter([Ok(Bytes::from_static(b"the first half"))]);
    first.chain(stream::iter([Err(error::ErrorInternalServerError("the disk is gone"))]))
}

/// Tells the test when a handler waits.
fn waiting() -> &'static (Sender<()>, Mutex<Receiver<()>>) {
    static WAITING: OnceLock<(Sender<()>, Mutex<Receiver<()>>)> = OnceLock::new();
    WAITING.get_or_init(|| {
        let (tx, rx) = mpsc::channel();
        (tx, Mutex::new(rx))
    })
}

async fn waits() -> &'static str {
    waiting().0.send(()).unwrap();
    pending().await
}

#[test]
fn an_error_that_cannot_be_told_passes_as_it_would_have_without_the_log() {
    let (answer, entry) = Rig::new(app).one("GET /unspeakable", &[]);
    assert_eq!(answer.status, 500);
    assert_eq!((&entry["outcome"], &entry["error_type"]), (&"completed".into(), &"actix_web::Error".into()));
}

#[test]
fn a_handlers_error_is_a_completed_answer_with_the_error_beside_it() {
    let rig = Rig::new(app);
    let (answer, entry) = rig.one("GET /declined", &[]);
    assert_eq!((answer.status, answer.body.as_slice()), (402, b"the card was declined".as_slice()));
    assert_eq!((entry["outcome"].as_str(), entry["level"].as_str()), (Some("completed"), Some("WARN")));
    assert_eq!(
        (entry["error_type"].as_str(), entry["status_code"].as_u64()),
        (Some("ChargeDeclined"), Some(402))
    );
    assert_eq!(entry["error_message"], "the card was declined");
    assert_eq!(entry["response_size"], 21);

    rig.server.ask("GET /broken", &[]);
    let entry = &rig.entries(2)[1];
    assert_eq!((entry["outcome"].as_str(), entry["level"].as_str()), (Some("completed"), Some("ERROR")));
    assert_eq!(
        (entry["error_type"].as_str(), entry["error_message"].as_str()),
        (Some("actix_web::Error"), Some("no bank"))
    );

    rig.server.ask("GET /late", &[]);
    assert_eq!(rig.entries(3)[2]["outcome"], "timed_out");
}

#[test]
fn a_middlewares_error_passes_on_and_its_answer_has_the_ids() {
    let rig = Rig::new(app);
    let table = [
        ("/fails", 500, "no database", "service_error", "ERROR"),
        ("/refuses", 401, "who are you?", "completed", "WARN"),
        ("/slow", 504, "no answer", "timed_out", "ERROR"),
    ];
    for (index, (path, status, text, outcome, level)) in table.into_iter().enumerate() {
        let answer = rig.server.ask(&format!("GET {path}"), &[]);
        assert_eq!((answer.status, answer.body.as_slice()), (status, text.as_bytes()));
        let entry = &rig.entries(index + 1)[index];
        assert_eq!(entry["outcome"], outcome);
        assert_eq!(entry["level"], level);
        assert_eq!(entry["status_code"], status);
        assert!(entry["response_size"].is_null(), "made out of sight");
        assert_eq!(entry["error_message"], text);
        assert_eq!(entry["route"], path);
        assert_eq!(answer.header("x-trace-id"), entry["trace_id"].as_str());
        assert_eq!(answer.header("x-request-id"), entry["request_id"].as_str());
    }
}

#[test]
fn panics_are_seen_wherever_they_happen() {
    let rig = Rig::new(app);
    let table = [
        ("/panic/7", Some("/panic/{id}")),
        ("/eager", Some("/eager")),
        ("/panic-in-body", Some("/panic-in-body")),
    ];
    for (index, (path, route)) in table.into_iter().enumerate() {
        rig.server.ask(&format!("GET {path}"), &[]);
        let entry = &rig.entries(index + 1)[index];
        assert_eq!(
            (entry["outcome"].as_str(), entry["level"].as_str()),
            (Some("panicked"), Some("ERROR")),
            "{path}"
        );
        assert_eq!(entry["route"].as_str(), route, "{path}");
    }
}

#[test]
fn a_client_that_leaves_before_the_head_cancels_its_request() {
    let rig = Rig::new(app);
    let mut stream = rig.server.connect();
    stream.write_all(b"GET /wait/7 HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    waiting().1.lock().unwrap().recv().unwrap();
    drop(stream);
    let entry = rig.entries(1).remove(0);
    assert_eq!((entry["outcome"].as_str(), entry["level"].as_str()), (Some("cancelled"), Some("WARN")));
    assert_eq!((entry["route"].as_str(), entry["status_code"].as_u64()), (Some("/wait/{id}"), None));
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_body_aborts_it() {
    let rig = Rig::new(app);
    let mut stream = rig.server.connect();
    stream.write_all(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 4096]).unwrap();
    drop(stream);
    let entry = rig.entries(1).remove(0);
    assert_eq!((entry["outcome"].as_str(), entry["status_code"].as_u64()), (Some("body_aborted"), Some(200)));
    assert!(entry["response_size"].as_u64().unwrap() >= 4096);
}

#[test]
fn a_body_that_fails_is_aborted_and_says_why() {
    let rig = Rig::new(app);
    let (_, entry) = rig.one("GET /torn", &[]);
    assert_eq!(entry["outcome"], "body_aborted");
    assert_eq!(entry["response_size"], 14);
    assert_eq!(entry["error_message"], "the disk is gone");
}
