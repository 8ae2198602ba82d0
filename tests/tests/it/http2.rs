//! Requests over HTTP/2 without TLS, frame by frame, over both frameworks.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use h2::Reason;
use h2::client::{ResponseFuture, SendRequest};
use hoplog_testkit::facts::{fact, soon};
use hoplog_testkit::gate::Gate;
use hoplog_testkit::rig::{Rig, ending};
use hoplog_testkit::scenarios::{Framework, Subject, routes};
use http::{HeaderMap, Request};
use routes::{ENDLESS_CHUNK, FIRST, LAST};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::scenarios_actix::Actix;
use crate::scenarios_tower::Axum;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_over_http2_are_those_without_the_layer() {
    answers(&Axum).await;
    answers(&Actix).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_streams_of_one_connection_are_an_entry_each() {
    many_streams(&Axum).await;
    many_streams(&Actix).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_over_http2_whose_stream_is_reset_is_aborted() {
    reset_in_body(&Axum).await;
    reset_in_body(&Actix).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_reset_before_its_head_is_cancelled() {
    let mut rig = rig(&Axum).await;
    let mut client = Client::connect(&rig.logged.subject).await;
    let (answer, mut stream) = client.send("GET", "/wait", true).await;
    rig.logged.gate.arrival().await;
    stream.send_reset(Reason::CANCEL);
    assert_eq!(ending(&rig.entry().await), ("cancelled", None, "WARN", None));
    drop((answer, client));
    rig.end().await;
}

/// actix runs each stream's handler in a task of its own, and learns of the reset when it sends what the body gave:
/// a body of one chunk has been handed over then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_reset_before_its_head_is_answered_on_actix() {
    let mut rig = rig(&Actix).await;
    let mut client = Client::connect(&rig.logged.subject).await;
    let (answer, mut stream) = client.send("GET", "/wait", true).await;
    rig.logged.gate.arrival().await;
    stream.send_reset(Reason::CANCEL);
    // The reset has come to the server when something that was sent behind it is answered.
    client.get("/users/7").await;
    assert_eq!(rig.entry().await["path"], "/users/7");
    rig.logged.gate.open();
    assert_eq!(ending(&rig.entry().await), ("completed", Some(200), "INFO", Some(4)));
    drop((answer, stream, client));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_lost_ends_all_its_streams() {
    let mut rig = rig(&Axum).await;
    let mut client = Client::connect(&rig.logged.subject).await;
    let waiting = client.send("GET", "/wait", true).await;
    rig.logged.gate.arrival().await;
    let streaming = client.send("GET", "/stream", true).await;
    let (head, mut body) = soon("a head", streaming.0).await.unwrap().into_parts();
    assert_eq!((head.status.as_u16(), data(&mut body).await.unwrap()), (200, FIRST.into()));
    client.lose();
    drop(waiting.0);
    let mut entries = rig.entries(2).await;
    entries.sort_by_key(|entry| entry["path"].as_str().map(ToOwned::to_owned));
    let sent = FIRST.len() as u64;
    assert_eq!(ending(&entries[0]), ("body_aborted", Some(200), "WARN", Some(sent)));
    assert_eq!(ending(&entries[1]), ("cancelled", None, "WARN", None));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_under_way_when_the_server_goes_away_completes() {
    let rig = rig(&Axum).await;
    let mut client = Client::connect(&rig.logged.subject).await;
    let (answer, _stream) = client.send("GET", "/stream", true).await;
    let (_, mut body) = soon("a head", answer).await.unwrap().into_parts();
    let gate = rig.logged.gate.clone();
    let client_side = async {
        fact("GOAWAY", || client.sender.clone().ready().now_or_never()?.err()).await;
        gate.open();
        let mut all = Vec::new();
        while let Some(chunk) = data(&mut body).await {
            all.extend_from_slice(&chunk);
        }
        assert_eq!(all, [FIRST, LAST].concat().as_bytes());
    };
    let (entries, ()) = tokio::join!(rig.end_with(1), client_side);
    let size = (FIRST.len() + LAST.len()) as u64;
    assert_eq!(ending(&entries[0]), ("completed", Some(200), "INFO", Some(size)));
}

async fn rig<F: Framework>(framework: &F) -> Rig {
    Rig::new(async |client, gate: Gate| framework.serve(client, gate).await).await
}

async fn answers<F: Framework>(framework: &F) {
    let mut rig = rig(framework).await;
    let mut logged = Client::connect(&rig.logged.subject).await;
    let mut bare = Client::connect(&rig.bare.subject).await;
    let table = [
        ("GET", "/users/7", None, ("completed", Some(200), "INFO", Some(6)), Some(0)),
        ("HEAD", "/users/7", None, ("completed", Some(200), "INFO", Some(0)), Some(0)),
        ("GET", "/unsized", None, ("completed", Some(200), "INFO", Some(21)), Some(0)),
        ("GET", "/empty", None, ("completed", Some(204), "INFO", Some(0)), Some(0)),
        ("GET", "/nowhere", None, ("completed", Some(404), "WARN", Some(0)), Some(0)),
        // No header tells the length of what is sent: it is what was read, if that was all.
        ("POST", "/echo", Some("hello"), ("completed", Some(200), "INFO", Some(5)), Some(5)),
        ("POST", "/refuses", Some("hello"), ("completed", Some(413), "WARN", Some(9)), None),
    ];
    for (method, path, body, end, took) in table {
        let told = logged.ask(method, path, body).await;
        assert_eq!(told, bare.ask(method, path, body).await, "{} {path}", F::NAME);
        let entry = rig.entry().await;
        assert_eq!(ending(&entry), end, "{} {method} {path}", F::NAME);
        assert_eq!(entry["request_size"].as_u64(), took, "{} {method} {path}", F::NAME);
        assert_eq!((&entry["http_version"], &entry["host_header"]), (&"2".into(), &"test".into()));
    }
    drop((logged, bare));
    rig.end().await;
}

async fn many_streams<F: Framework>(framework: &F) {
    const STREAMS: usize = 100;
    let mut rig = rig(framework).await;
    let mut client = Client::connect(&rig.logged.subject).await;
    let mut answers = Vec::new();
    for i in 0..STREAMS {
        answers.push(client.send("GET", &format!("/users/{i}"), true).await.0);
    }
    let told: BTreeSet<String> = join_all(answers.into_iter().map(async |answer| {
        let answer = soon("an answer", answer).await.unwrap();
        answer.headers()["x-request-id"].to_str().unwrap().to_owned()
    }))
    .await
    .into_iter()
    .collect();
    let entries = rig.entries(STREAMS).await;
    let ids = entries.iter().map(|entry| entry["request_id"].as_str().unwrap().to_owned());
    assert_eq!(ids.collect::<BTreeSet<_>>(), told);
    drop(client);
    rig.end().await;
}

async fn reset_in_body<F: Framework>(framework: &F) {
    let mut rig = rig(framework).await;
    let mut client = Client::connect(&rig.logged.subject).await;
    let (answer, mut stream) = client.send("GET", "/endless", true).await;
    let (_, mut body) = soon("a head", answer).await.unwrap().into_parts();
    data(&mut body).await.expect("an endless body");
    stream.send_reset(Reason::CANCEL);
    drop(body);
    let entry = rig.entry().await;
    let (outcome, status, _, size) = ending(&entry);
    assert_eq!((outcome, status), ("body_aborted", Some(200)), "{}", F::NAME);
    assert!(size.unwrap() >= ENDLESS_CHUNK as u64, "{}: {size:?}", F::NAME);
    drop((stream, client));
    rig.end().await;
}

/// One connection.
pub(crate) struct Client {
    sender: SendRequest<Bytes>,
    connection: JoinHandle<()>,
}

/// Status, headers without the layer's and the time of day, body, trailers.
pub(crate) type Answer = (u16, Vec<(String, String)>, Vec<u8>, Option<HeaderMap>);

impl Client {
    pub(crate) async fn connect(subject: &Subject) -> Self {
        let stream = TcpStream::connect(subject.address()).await.unwrap();
        let (sender, connection) = h2::client::handshake(stream).await.unwrap();
        Self { sender, connection: tokio::spawn(async move { drop(connection.await) }) }
    }

    /// The head of a request to `http://test`.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        ended: bool,
    ) -> (ResponseFuture, h2::SendStream<Bytes>) {
        let request = Request::builder().method(method).uri(format!("http://test{path}")).body(()).unwrap();
        self.send_request(request, ended).await
    }

    pub(crate) async fn send_request(
        &mut self,
        request: Request<()>,
        ended: bool,
    ) -> (ResponseFuture, h2::SendStream<Bytes>) {
        let mut ready = soon("a free stream", self.sender.clone().ready()).await.unwrap();
        ready.send_request(request, ended).unwrap()
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: Option<&'static str>) -> Answer {
        let (answer, mut stream) = self.send(method, path, body.is_none()).await;
        if let Some(body) = body {
            // Nobody may want it any more.
            let _ = stream.send_data(body.into(), true);
        }
        whole(answer).await
    }

    /// Closes the connection without a word.
    pub(crate) fn lose(self) {
        self.connection.abort();
    }
}

pub(crate) async fn whole(answer: ResponseFuture) -> Answer {
    let (head, mut body) = soon("an answer", answer).await.unwrap().into_parts();
    let mut bytes = Vec::new();
    while let Some(chunk) = data(&mut body).await {
        bytes.extend_from_slice(&chunk);
    }
    let trailers = soon("the trailers", body.trailers()).await.unwrap();
    let theirs =
        head.headers.iter().filter(|(n, _)| !["x-trace-id", "x-request-id", "date"].contains(&n.as_str()));
    let mut headers: Vec<_> =
        theirs.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    (head.status.as_u16(), headers, bytes, trailers)
}

/// The next bytes of a body.
pub(crate) async fn data(body: &mut h2::RecvStream) -> Option<Bytes> {
    let chunk = soon("bytes or the body's end", body.data()).await?.unwrap();
    body.flow_control().release_capacity(chunk.len()).unwrap();
    Some(chunk)
}
