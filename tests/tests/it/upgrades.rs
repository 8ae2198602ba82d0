//! WebSocket handshakes: the entry is written at the 101, or at the socket's close where the handler keeps it open.

use actix_web::web as actix;
use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use futures_util::StreamExt as _;
use hoplog_actix::RequestLog;
use hoplog_testkit::rig::{Rig, ending};
use hoplog_testkit::scenarios::Subject;
use hoplog_testkit::wire::{Response, Wire};
use hoplog_tower::RequestLogLayer;
use http::StatusCode;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{scenarios_actix, scenarios_tower};

/// The key of RFC 6455 §1.3 and the answer to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// `Hello`, masked (§5.7). The servers here give back what they get.
const HELLO: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_on_axum_is_an_entry_at_its_handshake_or_at_its_close() {
    sockets(async |client: Option<hoplog::Client>| {
        let app = Router::new().route("/socket", get(axum_socket)).route("/kept", get(axum_socket));
        scenarios_tower::serve(match client {
            Some(client) => app.layer(RequestLogLayer::new(client)),
            None => app,
        })
        .await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_on_actix_is_an_entry_at_its_handshake_or_at_its_close() {
    sockets(async |client: Option<hoplog::Client>| {
        let client = client.unwrap_or_else(hoplog::Client::disabled);
        scenarios_actix::serve!(move || {
            actix_web::App::new()
                .wrap(RequestLog::new(client.clone()))
                .route("/socket", actix::get().to(actix_socket))
                .route("/kept", actix::get().to(actix_socket))
        })
    })
    .await;
}

async fn sockets(serve: impl AsyncFn(Option<hoplog::Client>) -> Subject) {
    let mut rig = Rig::new(async |client, _| serve(client).await).await;
    let end = ("upgraded", Some(101), "INFO", Some(0));

    let (mut wire, told) = handshake(&rig.logged.subject, "/socket").await;
    // The socket is open; the entry is there.
    let entry = rig.entry().await;
    assert_eq!((ending(&entry), &entry["route"]), (end, &"/socket".into()));
    assert_eq!(told.header("x-request-id"), entry["request_id"].as_str());
    assert_eq!(echo(&mut wire).await, HELLO);
    drop(wire);

    let (mut wire, plain) = handshake(&rig.bare.subject, "/socket").await;
    assert_eq!((told.status, told.header("sec-websocket-accept")), (101, Some(ACCEPT)));
    assert_eq!((plain.status, plain.header("sec-websocket-accept")), (101, Some(ACCEPT)));
    assert_eq!(echo(&mut wire).await, HELLO);
    drop(wire);

    let (mut wire, _) = handshake(&rig.logged.subject, "/kept").await;
    assert_eq!(echo(&mut wire).await, HELLO);
    rig.entries(0).await;
    drop(wire);
    let entry = rig.entry().await;
    assert_eq!((ending(&entry), &entry["route"]), (end, &"/kept".into()));
    assert!(entry["duration_ms"].as_f64() > entry["ttfb_ms"].as_f64(), "{entry}");
    rig.end().await;
}

async fn handshake(subject: &Subject, path: &str) -> (Wire, Response) {
    let mut wire = Wire::connect(subject.address()).await;
    wire.send(format!(
        "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n\r\n"
    ))
    .await;
    let response = wire.response("GET").await;
    (wire, response)
}

async fn echo(wire: &mut Wire) -> Vec<u8> {
    wire.send(HELLO).await;
    wire.bytes(HELLO.len()).await
}

async fn axum_socket(mut request: Request) -> axum::response::Response {
    let upgraded = hyper::upgrade::on(&mut request);
    let kept = (request.uri().path() == "/kept").then(|| hoplog::current().keep());
    tokio::spawn(async move {
        let mut socket = TokioIo::new(upgraded.await.unwrap());
        let mut buffer = [0; 64];
        while let Ok(read @ 1..) = socket.read(&mut buffer).await {
            socket.write_all(&buffer[..read]).await.unwrap();
        }
        drop(kept);
    });
    axum::response::Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-accept", ACCEPT)
        .body(axum::body::Body::empty())
        .unwrap()
}

/// The response's body is what goes out over the socket.
async fn actix_socket(request: actix_web::HttpRequest, incoming: actix::Payload) -> actix_web::HttpResponse {
    let kept = (request.path() == "/kept").then(|| hoplog::current().keep());
    let echo = incoming.map(move |bytes| {
        let _kept = &kept;
        bytes
    });
    actix_web::HttpResponse::SwitchingProtocols()
        .upgrade("websocket")
        .insert_header(("sec-websocket-accept", ACCEPT))
        .streaming(echo)
}
