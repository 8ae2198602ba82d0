//! gRPC calls to a tonic server: their status is in headers or in trailers.

use std::convert::Infallible;
use std::task::{Context, Poll};

use bytes::{Buf as _, BufMut as _, Bytes};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};
use h2::Reason;
use hoplog_testkit::gate::Gate;
use hoplog_testkit::rig::{Rig, ending};
use hoplog_testkit::scenarios::Subject;
use hoplog_tower::RequestLogLayer;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tokio::sync::oneshot;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::service_fn;

use crate::http2::{Answer, Client, data, whole};

/// A message of five bytes with its prefix.
const MESSAGE: &[u8] = b"\0\0\0\0\x05hello";
const SIZE: u64 = MESSAGE.len() as u64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_of_a_call_is_found_in_headers_and_in_trailers_and_decides_the_level() {
    let mut rig = rig().await;
    let mut logged = Client::connect(&rig.logged.subject).await;
    let mut bare = Client::connect(&rig.bare.subject).await;
    let table = [
        ("Unary", Some(0), "INFO", SIZE),
        // Refused without a message: all is in the head.
        ("NotFound", Some(5), "WARN", 0),
        ("Internal", Some(13), "ERROR", 0),
        ("Stream", Some(0), "INFO", 3 * SIZE),
        ("BreaksOff", Some(14), "ERROR", SIZE),
        // The body knows its length, and trailers come behind it.
        ("Sized", Some(7), "WARN", SIZE),
    ];
    for (method, status, level, size) in table {
        let told = call(&mut logged, method, &[]).await;
        assert_eq!(told, call(&mut bare, method, &[]).await, "{method}");
        let entry = rig.entry().await;
        assert_eq!(ending(&entry), ("completed", Some(200), level, Some(size)), "{method}");
        assert_eq!(entry["grpc_status"].as_u64(), status, "{method}");
        assert_eq!(entry["route"], format!("/test.Probe/{method}"));
        assert_eq!(entry["request_size"], Value::Null, "{method}");
    }
    drop((logged, bare));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_is_not_there_is_no_route() {
    let mut rig = rig().await;
    let mut client = Client::connect(&rig.logged.subject).await;
    for path in ["/test.Probe/Nothing", "/test.Nobody/Unary"] {
        let (answer, mut stream) = client.send_request(request(path, &[]), false).await;
        let _ = stream.send_data(Bytes::from_static(MESSAGE), true);
        whole(answer).await;
        let entry = rig.entry().await;
        assert_eq!((&entry["grpc_status"], &entry["route"]), (&12.into(), &Value::Null), "{path}");
        assert_eq!(ending(&entry), ("completed", Some(200), "ERROR", Some(0)), "{path}");
    }
    drop(client);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_gives_up_cancels_or_aborts() {
    let mut rig = rig().await;
    let mut client = Client::connect(&rig.logged.subject).await;

    let (answer, mut stream) = client.send_request(request("/test.Probe/Waits", &[]), false).await;
    stream.send_data(Bytes::from_static(MESSAGE), true).unwrap();
    rig.logged.gate.arrival().await;
    stream.send_reset(Reason::CANCEL);
    assert_eq!(ending(&rig.entry().await), ("cancelled", None, "WARN", None));
    drop(answer);

    let (answer, mut stream) = client.send_request(request("/test.Probe/Endless", &[]), false).await;
    stream.send_data(Bytes::from_static(MESSAGE), true).unwrap();
    let (_, mut body) = answer.await.unwrap().into_parts();
    data(&mut body).await.unwrap();
    stream.send_reset(Reason::CANCEL);
    let entry = rig.entry().await;
    let (outcome, status, level, size) = ending(&entry);
    assert_eq!((outcome, status, level), ("body_aborted", Some(200), "WARN"));
    assert_eq!((&entry["grpc_status"], size > Some(0)), (&Value::Null, true));
    drop((stream, body, client));
    rig.end().await;
}

/// tonic keeps the deadline outside of the layers: it drops the call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_deadline_passes_is_cancelled() {
    let mut rig = rig().await;
    let mut client = Client::connect(&rig.logged.subject).await;
    let answer = call(&mut client, "Waits", &[("grpc-timeout", "20m")]).await;
    assert!(answer.1.iter().any(|(name, _)| name == "grpc-status"), "{answer:?}");
    assert_eq!(ending(&rig.entry().await), ("cancelled", None, "WARN", None));
    drop(client);
    rig.end().await;
}

async fn call(client: &mut Client, method: &str, headers: &[(&str, &str)]) -> Answer {
    let request = request(&format!("/test.Probe/{method}"), headers);
    let (answer, mut stream) = client.send_request(request, false).await;
    // It may have been answered already.
    let _ = stream.send_data(Bytes::from_static(MESSAGE), true);
    whole(answer).await
}

fn request(path: &str, headers: &[(&str, &str)]) -> Request<()> {
    let request = Request::post(format!("http://test{path}"));
    let request = request.header("content-type", "application/grpc").header("te", "trailers");
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
}

async fn rig() -> Rig {
    Rig::new(async |client, gate| {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        let probe = Probe(gate);
        let server = match client {
            Some(client) => {
                let mut server = Server::builder().layer(RequestLogLayer::new(client));
                tokio::spawn(server.add_service(probe).serve_with_incoming_shutdown(incoming, stopped))
            }
            None => tokio::spawn(
                Server::builder().add_service(probe).serve_with_incoming_shutdown(incoming, stopped),
            ),
        };
        Subject::new(address, async {
            drop(stop);
            server.await.unwrap().unwrap();
        })
    })
    .await
}

/// The service `test.Probe`.
#[derive(Clone)]
struct Probe(Gate);

impl NamedService for Probe {
    const NAME: &'static str = "test.Probe";
}

type Reply<T> = Result<tonic::Response<T>, Status>;

impl tower::Service<Request<Body>> for Probe {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let gate = self.0.clone();
        let path = request.uri().path().to_owned();
        async move {
            let mut grpc = Grpc::new(Plain);
            let answer = match path.rsplit('/').next().unwrap_or_default() {
                "Stream" => grpc.server_streaming(service_fn(three), request).await,
                "Endless" => grpc.server_streaming(service_fn(endless), request).await,
                "BreaksOff" => grpc.server_streaming(service_fn(breaks_off), request).await,
                "Sized" => sized(),
                method => {
                    let method = method.to_owned();
                    let one = service_fn(move |message| one(method.clone(), gate.clone(), message));
                    grpc.unary(one, request).await
                }
            };
            Ok(answer)
        }
        .boxed()
    }
}

async fn one(method: String, gate: Gate, message: tonic::Request<Bytes>) -> Reply<Bytes> {
    match method.as_str() {
        "Unary" => Ok(tonic::Response::new(message.into_inner())),
        "Waits" => {
            gate.pass().await;
            Ok(tonic::Response::new(message.into_inner()))
        }
        "NotFound" => Err(Status::not_found("no such thing")),
        "Internal" => Err(Status::internal("the engine is on fire")),
        _ => Err(Status::unimplemented("no such method")),
    }
}

type Messages = stream::BoxStream<'static, Result<Bytes, Status>>;

async fn three(message: tonic::Request<Bytes>) -> Reply<Messages> {
    Ok(tonic::Response::new(stream::repeat(Ok(message.into_inner())).take(3).boxed()))
}

async fn endless(message: tonic::Request<Bytes>) -> Reply<Messages> {
    Ok(tonic::Response::new(stream::repeat(Ok(message.into_inner())).boxed()))
}

async fn breaks_off(message: tonic::Request<Bytes>) -> Reply<Messages> {
    let messages = [Ok(message.into_inner()), Err(Status::unavailable("come again"))];
    Ok(tonic::Response::new(stream::iter(messages).boxed()))
}

/// As a proxy would answer that has read the whole message.
fn sized() -> Response<Body> {
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("7"))]);
    let body = Full::new(Bytes::from_static(MESSAGE)).with_trailers(async { Some(Ok(trailers)) });
    Response::builder().header("content-type", "application/grpc").body(Body::new(body)).unwrap()
}

/// Messages as they are.
#[derive(Clone, Copy)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(message);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
