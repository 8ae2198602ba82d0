//! Back-pressure: for a client that does not read, the logged app makes as many chunks ahead as the bare one.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::web as actix;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use hoplog::testing::capture;
use hoplog_actix::RequestLog;
use hoplog_testkit::facts::{fact, soon};
use hoplog_tower::RequestLogLayer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

const CHUNK: usize = 16 * 1024;

/// Chunks that were made.
type Made = Arc<AtomicUsize>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_axum_app_makes_as_many_chunks_ahead_with_the_layer_as_without() {
    hold(async |at, client, made: Made| {
        let app = Router::new().route("/", get(async move || Body::from_stream(endless(made))));
        let app = match client {
            Some(client) => app.layer(RequestLogLayer::new(client)),
            None => app,
        };
        let listener = UnixListener::bind(at).unwrap();
        tokio::spawn(async { axum::serve(listener, app).await });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actix_app_makes_as_many_chunks_ahead_with_the_layer_as_without() {
    hold(async |at, client: Option<hoplog::Client>, made: Made| {
        let client = client.unwrap_or_else(hoplog::Client::disabled);
        let server = actix_web::HttpServer::new(move || {
            let made = made.clone();
            let answer = move || {
                let body = endless(made.clone());
                async { actix_web::HttpResponse::Ok().streaming(body) }
            };
            actix_web::App::new().wrap(RequestLog::new(client.clone())).route("/", actix::get().to(answer))
        });
        tokio::spawn(server.workers(1).disable_signals().bind_uds(at).unwrap().run());
    })
    .await;
}

fn endless(made: Made) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::repeat_with(move || {
        made.fetch_add(1, Ordering::Relaxed);
        Ok(Bytes::from_static(&[0; CHUNK]))
    })
}

/// The buffers of a Unix socket have a fixed size, unlike those of TCP.
async fn hold(serve: impl AsyncFn(&Path, Option<hoplog::Client>, Made)) {
    let directory = tempfile::tempdir().unwrap();
    let capture = capture();
    let mut sides = Vec::new();
    for (name, client) in [("logged", Some(capture.client())), ("bare", None)] {
        let at = directory.path().join(name);
        let made = Made::default();
        serve(&at, client, made.clone()).await;
        let mut stream = UnixStream::connect(&at).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
        sides.push((stream, made));
    }
    for _ in 0..3 {
        let mut last = None;
        fact("both wait with the same number of chunks made", || {
            let made = [0, 1].map(|side: usize| sides[side].1.load(Ordering::Relaxed));
            let settled = last.replace(made) == Some(made);
            (settled && made[0] == made[1] && made[0] > 0).then_some(())
        })
        .await;
        for (stream, _) in &mut sides {
            soon("the next bytes", stream.read_exact(&mut [0; 8 * CHUNK])).await.unwrap();
        }
    }
    sides.clear();
    let entry = fact("the entry", || capture.entries().pop()).await;
    assert_eq!(entry["outcome"], "body_aborted");
}
