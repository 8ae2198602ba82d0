//! Requests that are answered: what the entry says, and that the answer is what it would have been.

use actix_web::body::SizedStream;
use actix_web::http::header;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpResponse, error, web};
use futures_util::stream;
use hoplog_actix::RequestLog;
use serde_json::json;

use crate::rig::{Rig, Server};

fn chunks() -> impl stream::Stream<Item = Result<Bytes, error::Error>> {
    stream::iter(["one ", "two ", "three"].map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))))
}

fn app(config: &mut ServiceConfig, client: &hoplog::Client) {
    config
        .service(web::scope("/users").route("/{id}", web::get().to(async || "a user")).route(
            "/{id}/logo",
            web::head().to(async || HttpResponse::Ok().body(SizedStream::new(13, chunks()))),
        ))
        .route("/stream", web::to(async || HttpResponse::Ok().streaming(chunks())))
        .route("/sized", web::to(async || HttpResponse::Ok().body(SizedStream::new(13, chunks()))))
        .route("/short", web::to(async || HttpResponse::Ok().body(SizedStream::new(20, chunks()))))
        .route("/empty", web::to(async || HttpResponse::Ok().finish()))
        .route("/none", web::to(async || HttpResponse::NoContent().finish()))
        .route("/unchanged", web::to(async || HttpResponse::NotModified().finish()))
        .route("/refused", web::to(async || Err::<HttpResponse, _>(error::ErrorForbidden("not for you"))))
        .route(
            "/cookies",
            web::to(async || {
                HttpResponse::Ok()
                    .append_header((header::SET_COOKIE, "a=1"))
                    .append_header((header::SET_COOKIE, "b=2"))
                    .insert_header((header::CONTENT_TYPE, "text/plain"))
                    .body("two cookies")
            }),
        )
        .service(
            // A scope's middleware makes actix box the body, which takes it whole where it can.
            web::scope("/boxed").wrap(RequestLog::new(client.clone())).route("", web::to(async || "boxed")),
        )
        .service(web::resource("/only-get").route(web::get().to(async || "got")));
}

#[test]
fn an_entry_says_what_was_asked_and_how_it_was_answered() {
    let rig = Rig::new(app);
    let (answer, entry) =
        rig.one("POST /cookies?page=2&token=hunter2", &["user-agent: probe", "content-length: 0"]);
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"two cookies".as_slice()));
    assert_eq!(entry["kind"], "request");
    assert_eq!(entry["outcome"], "completed");
    assert_eq!(entry["level"], "INFO");
    assert_eq!(entry["method"], "POST");
    assert_eq!(entry["path"], "/cookies");
    assert_eq!(entry["query"], "page=2&token=[redacted]");
    assert_eq!(entry["route"], "/cookies");
    assert_eq!(entry["status_code"], 200);
    assert_eq!(entry["scheme"], "http");
    assert_eq!(entry["host_header"], "shop.example");
    assert_eq!(entry["http_version"], "1.1");
    assert_eq!(entry["ip"], "127.0.0.1");
    assert_eq!(entry["user_agent"], "probe");
    assert_eq!(entry["response_content_type"], "text/plain");
    assert_eq!(entry["response_size"], 11);
    assert!(entry["ttfb_ms"].as_f64().unwrap() <= entry["duration_ms"].as_f64().unwrap());
}

#[test]
fn the_route_is_the_template_with_its_scope_and_null_where_nothing_matches() {
    let rig = Rig::new(app);
    rig.server.ask("GET /users/7", &[]);
    assert_eq!(rig.entries(1)[0]["route"], "/users/{id}");
    rig.server.ask("GET /nowhere", &[]);
    let entry = &rig.entries(2)[1];
    assert_eq!((&entry["route"], &entry["status_code"]), (&json!(null), &json!(404)));
    rig.server.ask("DELETE /only-get", &[]);
    let entry = &rig.entries(3)[2];
    assert_eq!((&entry["route"], &entry["status_code"]), (&json!("/only-get"), &json!(405)));
}

#[test]
fn bodies_of_every_kind_are_complete_with_the_bytes_that_were_sent() {
    let rig = Rig::new(app);
    let table = [
        ("GET /stream", 200, 13),
        ("GET /sized", 200, 13),
        ("GET /empty", 200, 0),
        ("GET /none", 204, 0),
        ("GET /unchanged", 304, 0),
        ("HEAD /users/7/logo", 200, 0),
        ("HEAD /stream", 200, 0),
        ("GET /boxed", 200, 5),
    ];
    for (index, (line, status, size)) in table.into_iter().enumerate() {
        assert_eq!(rig.server.ask(line, &[]).status, status, "{line}");
        let entry = rig.entries(index + 1).remove(index);
        assert_eq!(entry["outcome"], "completed", "{line}");
        assert_eq!(entry["response_size"], size, "{line}");
    }
}

#[test]
fn a_body_that_is_shorter_than_its_head_promised_is_aborted() {
    let rig = Rig::new(app);
    let (_, entry) = rig.one("GET /short", &[]);
    assert_eq!(entry["outcome"], "body_aborted");
    assert_eq!(entry["response_size"], 13);
}

#[test]
fn answers_are_the_bare_applications_but_for_the_two_ids() {
    let rig = Rig::new(app);
    let bare = Server::bare(app);
    for line in [
        "GET /users/7",
        "GET /stream",
        "GET /sized",
        "GET /empty",
        "GET /none",
        "GET /unchanged",
        "GET /refused",
        "GET /cookies",
        "GET /boxed",
        "GET /nowhere",
        "DELETE /only-get",
        "HEAD /users/7/logo",
        "HEAD /stream",
    ] {
        let mut logged = rig.server.ask(line, &[]);
        let mut bare = bare.ask(line, &[]);
        for name in ["x-trace-id", "x-request-id"] {
            assert!(logged.header(name).is_some(), "{name} on the answer to {line}");
        }
        for answer in [&mut logged, &mut bare] {
            answer
                .headers
                .retain(|(name, _)| !["date", "x-trace-id", "x-request-id"].contains(&name.as_str()));
            // actix's header map has no order but that of one name's values.
            answer.headers.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        assert_eq!(logged.status, bare.status, "{line}");
        assert_eq!(logged.headers, bare.headers, "{line}");
        assert_eq!(logged.body, bare.body, "{line}");
    }
}

#[test]
fn a_second_request_log_passes_through() {
    let rig = Rig::new(app);
    let (answer, entry) = rig.one("GET /boxed", &[]);
    assert_eq!(answer.body, b"boxed");
    assert_eq!(entry["route"], "/boxed");
    assert_eq!(answer.header("x-request-id"), entry["request_id"].as_str());
}

#[test]
fn a_disabled_client_leaves_requests_alone() {
    let server = Server::logged(hoplog::Client::disabled(), app, None);
    let answer = server.ask("GET /stream", &[]);
    assert_eq!((answer.status, answer.header("x-trace-id")), (200, None));
}
