//! A server of hyper alone, without any router, and the layer around a function.

use bytes::Bytes;
use hoplog_testkit::gate::Gate;
use hoplog_testkit::rig::{Rig, ending};
use hoplog_testkit::scenarios::Subject;
use hoplog_testkit::wire::Wire;
use hoplog_tower::RequestLogLayer;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_hyper_alone_is_logged_as_any() {
    let mut rig = Rig::new(serve).await;
    let table = [
        ("/hello", Some(200), ("completed", Some(200), "INFO", Some(5)), None),
        ("/fails", None, ("service_error", None, "ERROR", None), Some("no engine")),
        ("/panics", None, ("panicked", None, "ERROR", None), Some("a panic of the test's function")),
    ];
    for (path, status, end, error) in table {
        let told = ask(&rig.logged.subject, path).await;
        assert_eq!(told, ask(&rig.bare.subject, path).await, "{path}");
        assert_eq!(told.as_ref().map(|(status, _)| *status), status, "{path}");
        let entry = rig.entry().await;
        assert_eq!((ending(&entry), entry["error_message"].as_str()), (end, error), "{path}");
        // Nobody matched a route; the address was put among the request's extensions.
        assert_eq!((entry["route"].as_str(), entry["ip"].as_str()), (None, Some("127.0.0.1")), "{path}");
    }
    rig.end().await;
}

/// Status and body, where an answer comes.
async fn ask(subject: &Subject, path: &str) -> Option<(u16, Vec<u8>)> {
    let mut wire = Wire::connect(subject.address()).await;
    wire.send(format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")).await;
    wire.until_end().await.map(|response| (response.status, response.body))
}

async fn serve(client: Option<hoplog::Client>, _: Gate) -> Subject {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, mut stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, peer) = tokio::select! {
                accepted = listener.accept() => accepted.unwrap(),
                _ = &mut stopped => break,
            };
            let client = client.clone();
            connections.spawn(async move {
                let (http, io) = (http1::Builder::new(), TokioIo::new(stream));
                // A panic ends the task, an error the connection.
                let _ = match client {
                    Some(client) => {
                        let with_peer = move |mut request: Request<Incoming>| {
                            request.extensions_mut().insert(hoplog_tower::Connection::new(peer));
                            request
                        };
                        let logged = RequestLogLayer::new(client).layer(service_fn(answer));
                        http.serve_connection(io, TowerToHyperService::new(logged.map_request(with_peer)))
                            .await
                    }
                    None => http.serve_connection(io, TowerToHyperService::new(service_fn(answer))).await,
                };
            });
        }
        while connections.join_next().await.is_some() {}
    });
    Subject::new(address, async {
        drop(stop);
        server.await.unwrap();
    })
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, BoxError> {
    match request.uri().path() {
        "/fails" => Err("no engine".into()),
        "/panics" => panic!("a panic of the test's function"),
        _ => Ok(Response::new("hello".into())),
    }
}
