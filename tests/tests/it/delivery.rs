//! From a request on a service to the collector's store.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get as route;
use hoplog::Client;
use hoplog_testkit::facts::PATIENCE;
use hoplog_tower::RequestLogLayer;

use crate::collector::{Collector, Directory, get, get_with};

/// From the request to its answer by the collector, with every default: entries wait a second for others.
const SOON: Duration = Duration::from_secs(3);

fn client(url: String) -> Client {
    Client::builder().without_variables().endpoint(url).service("shop").build().unwrap()
}

/// A shop on a free port.
async fn shop(client: &Client) -> SocketAddr {
    let log = client.clone();
    let order = async move || {
        log.info("order looked up").field("stock", 3).field("api_key", "s3cr3t-field").send();
        "an order"
    };
    let app = Router::new().route("/orders/{id}", route(order)).layer(RequestLogLayer::new(client.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// The first batch is gzip: the collector's answer to it says that it takes zstd.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_collector_reads_zstd_after_it_has_said_that_it_does() {
    let directory = Directory::new();
    let collector = Collector::start(&directory).await;
    let client = Client::builder()
        .without_variables()
        .endpoint(collector.url())
        .compression(hoplog::Compression::Zstd)
        .build()
        .unwrap();
    let mut sent = Vec::new();
    for _ in 0..2 {
        let before = client.stats().destinations[0].bytes_sent;
        for i in 0..500 {
            client.info("an entry").field("i", i).send();
        }
        assert_eq!(client.flush(PATIENCE).await.unwrap().delivered, 500);
        sent.push(client.stats().destinations[0].bytes_sent - before);
    }
    assert_eq!(collector.ask("/stats").await["total_logs"], 1_000);
    assert!(sent[1] < sent[0], "zstd takes less: {sent:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_found_by_its_trace_id_soon_after_it_was_answered() {
    let directory = Directory::new();
    let collector = Collector::start(&directory).await;
    let client = client(collector.url());
    let shop = shop(&client).await;
    let begun = Instant::now();
    let response = get(shop, "/orders/17").await;
    assert_eq!(response.status, 200);
    let entries = collector.trace(response.header("x-trace-id").unwrap(), 2).await;
    let took = begun.elapsed();
    println!("\nFIGURE journey.request_to_answer {} ms", took.as_millis());
    assert!(took < SOON, "{took:?}");
    assert_eq!(entries.len(), 2);
    let of = |kind: &str| entries.iter().find(|e| e["kind"] == kind).unwrap();
    let (request, event) = (of("request"), of("event"));
    assert_eq!(request["request_id"], response.header("x-request-id").unwrap());
    assert_eq!(request["message"], "GET /orders/{id} 200");
    for (name, value) in [
        ("service", "shop"),
        ("method", "GET"),
        ("path", "/orders/17"),
        ("route", "/orders/{id}"),
        ("outcome", "completed"),
        ("level", "INFO"),
        ("ip", "127.0.0.1"),
    ] {
        assert_eq!(request[name], value, "{name}");
    }
    assert_eq!(request["status_code"], 200);
    assert_eq!(request["response_size"], 8);
    assert!(request["duration_ms"].as_f64() >= request["ttfb_ms"].as_f64());
    assert_eq!(event["message"], "order looked up");
    assert_eq!(event["request_id"], request["request_id"]);
    assert_eq!(event["metadata"]["stock"], 3);
    let one = collector.ask(&format!("/api/v1/logs/{}", request["id"].as_str().unwrap())).await;
    assert_eq!(&one, request, "the same entry by its id");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_requested_while_the_collector_is_away_is_stored_when_it_is_back() {
    let directory = Directory::new();
    let collector = Collector::start(&directory).await;
    let address = collector.address();
    let client = client(collector.url());
    let shop = shop(&client).await;
    let mut ids = BTreeSet::new();
    ids.extend(orders(shop, "before").await);
    client.flush(PATIENCE).await.unwrap();
    assert_eq!((client.stats().accepted, client.stats().pending()), (40, 0));
    collector.stop().await;

    ids.extend(orders(shop, "meanwhile").await);
    let report = client.flush(Duration::from_millis(100)).await.unwrap();
    assert_eq!((report.delivered, report.dropped, report.left), (0, 0, 40), "nobody is there");

    let collector = Collector::start_on(address, &directory).await;
    ids.extend(orders(shop, "after").await);
    client.flush(PATIENCE).await.unwrap();
    let stats = client.stats();
    assert_eq!((stats.accepted, stats.lost(), stats.pending()), (120, 0, 0));
    assert_eq!(stats.destinations[0].delivered, 120);
    assert_eq!(collector.ask("/stats").await["total_logs"], 120);
    let stored = collector.ask("/api/v1/logs?kind=request&limit=1000").await;
    let stored: Vec<&str> =
        stored["logs"].as_array().unwrap().iter().map(|e| e["request_id"].as_str().unwrap()).collect();
    assert_eq!(stored.len(), 60, "each once");
    assert_eq!(stored.into_iter().map(ToOwned::to_owned).collect::<BTreeSet<_>>(), ids);
}

/// Twenty orders; the request ids that came back. Each makes two entries.
async fn orders(shop: SocketAddr, round: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for i in 0..20 {
        let response = get(shop, &format!("/orders/{round}-{i}")).await;
        ids.push(response.header("x-request-id").unwrap().to_owned());
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_of_a_request_is_on_the_collectors_disk() {
    let directory = Directory::new();
    let collector = Collector::start(&directory).await;
    let client = client(collector.url());
    let shop = shop(&client).await;
    let headers = "authorization: Bearer s3cr3t-bearer\r\ncookie: sid=s3cr3t-cookie\r\n\
                   x-api-key: s3cr3t-key\r\nreferer: http://a.example/?token=s3cr3t-referer&page=2\r\n";
    let response = get_with(shop, "/orders/17?password=s3cr3t-query&page=2", headers).await;
    assert_eq!(response.status, 200);
    assert_eq!(client.flush(PATIENCE).await.unwrap().left, 0);
    collector.stop().await;
    assert!(directory.contains(b"/orders/17"), "the entry itself is there, as it was written");
    assert!(directory.contains(b"page=2"));
    assert!(!directory.contains(b"s3cr3t"));
}
