//! Runtimes, frameworks, and the order in which a service ends: nothing hangs, and nothing is lost.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use axum::Router;
use axum::routing::get;
use hoplog::Client;
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::scripted::Scripted;
use hoplog_tower::RequestLogLayer;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

const REQUESTS: usize = 5;
const DEADLINE: Duration = Duration::from_secs(5);

/// What ends after what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The server, then the client in the runtime, as in a `main` after `serve`.
    ServerThenShutdownInside,
    /// The server and its runtime, then the client elsewhere.
    RuntimeThenShutdownOutside,
    /// The last handle goes with the server.
    LastHandleInServer,
    /// The last handle is dropped when the runtime is gone.
    RuntimeThenDrop,
    /// The runtime is torn down while its server serves.
    RuntimeTornDown,
    /// The client, while the server goes on.
    ShutdownWhileServing,
}

const ORDERS: [Order; 6] = [
    Order::ServerThenShutdownInside,
    Order::RuntimeThenShutdownOutside,
    Order::LastHandleInServer,
    Order::RuntimeThenDrop,
    Order::RuntimeTornDown,
    Order::ShutdownWhileServing,
];

/// A server's life on this thread, its runtime included.
struct Life {
    client: Client,
    order: Order,
    address: mpsc::Sender<SocketAddr>,
    stop: oneshot::Receiver<()>,
}

fn axum_in(mut builder: Builder, life: Life) {
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(async {
        let Life { client, order, address, stop } = life;
        let app = Router::new().route("/", get(async || "ok")).layer(RequestLogLayer::new(client.clone()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        address.send(listener.local_addr().unwrap()).unwrap();
        let serving = axum::serve(listener, app);
        if order == Order::RuntimeTornDown {
            tokio::spawn(serving.into_future());
            return drop(stop.await);
        }
        serving.with_graceful_shutdown(async { drop(stop.await) }).await.unwrap();
        if order == Order::ServerThenShutdownInside {
            let _ = client.shutdown(DEADLINE).await;
        }
    });
}

fn actix(life: Life) {
    actix_web::rt::System::new().block_on(async {
        let Life { client, order, address, stop } = life;
        let log = client.clone();
        let app = move || {
            App::new()
                .wrap(hoplog_actix::RequestLog::new(log.clone()))
                .route("/", web::get().to(async || HttpResponse::Ok().body("ok")))
        };
        let server = HttpServer::new(app).workers(2).disable_signals().bind("127.0.0.1:0").unwrap();
        address.send(server.addrs()[0]).unwrap();
        let running = server.run();
        let handle = running.handle();
        let task = actix_web::rt::spawn(running);
        let _ = stop.await;
        if order == Order::RuntimeTornDown {
            return;
        }
        handle.stop(true).await;
        task.await.unwrap().unwrap();
        if order == Order::ServerThenShutdownInside {
            let _ = client.shutdown(DEADLINE).await;
        }
    });
}

fn ask(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn shutdown(client: &Client) {
    Builder::new_current_thread().build().unwrap().block_on(client.shutdown(DEADLINE));
}

/// How many of its requests the collector knows in the end, and how long the end took.
fn end(name: &str, serve: fn(Life), order: Order) -> (usize, Duration) {
    let collector = Scripted::start([]);
    let client = Client::builder().without_variables().endpoint(collector.url()).build().unwrap();
    let mine = (order != Order::LastHandleInServer).then(|| client.clone());
    let (address, told) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let life = Life { client, order, address, stop: stopped };
    let server = thread::spawn(move || serve(life));
    let address = told.recv().unwrap();
    (0..REQUESTS).for_each(|_| ask(address));
    let begun = Instant::now();
    if let (Order::ShutdownWhileServing, Some(client)) = (order, &mine) {
        shutdown(client);
        ask(address);
    }
    drop(stop);
    server.join().unwrap();
    if let (Order::RuntimeThenShutdownOutside, Some(client)) = (order, &mine) {
        shutdown(client);
    }
    drop(mine);
    let took = begun.elapsed();
    // A worker thread of actix may let go of the last handle a moment after its system has ended.
    let received = fact_blocking(&format!("{name}, {order:?}: it says goodbye"), || {
        let received = collector.received();
        received.last().is_some_and(|batch| batch.json["closing"] == true).then_some(received)
    });
    (received.iter().map(|batch| batch.entries().len()).sum(), took)
}

#[test]
fn a_service_may_end_in_any_order_on_any_runtime() {
    type Server = (&'static str, fn(Life));
    let servers: [Server; 3] = [
        ("axum, current thread", |life| axum_in(Builder::new_current_thread(), life)),
        ("axum, many threads", |life| axum_in(Builder::new_multi_thread(), life)),
        ("actix", actix),
    ];
    let (mut ends, mut lost, mut longest) = (0, 0, Duration::ZERO);
    for (name, serve) in servers {
        for order in ORDERS {
            let (entries, took) = end(name, serve, order);
            assert_eq!(entries, REQUESTS, "{name}, {order:?}");
            assert!(took < DEADLINE, "{name}, {order:?}: {took:?}");
            ends += 1;
            lost += REQUESTS - entries;
            longest = longest.max(took);
        }
    }
    println!("FIGURE delivery.ends_by_runtime_and_order {ends} ends");
    println!("FIGURE delivery.lost_to_ends {lost} entries");
    println!("FIGURE delivery.longest_end_ms {} ms", longest.as_millis());
}
