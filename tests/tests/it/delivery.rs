//! From a request on a service to the collector's store.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get as route;
use hoplog::Client;
use hoplog_testkit::facts::{PATIENCE, fact};
use hoplog_testkit::proxy::Proxy;
use hoplog_tower::RequestLogLayer;
use serde_json::json;

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

/// A batch that is under way when its process ends goes to the spool, and from there to the place that it had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completeness_shows_no_gap_once_another_process_has_delivered_what_was_under_way_at_the_end() {
    let (directory, spool) = (Directory::new(), tempfile::tempdir().unwrap());
    let collector = Collector::start(&directory).await;
    let proxy = Proxy::to(collector.address());
    let client = |url: String, batch: usize| {
        let spool = hoplog::Spool::new(spool.path().join("spool")).leave_free(0);
        let builder = Client::builder().without_variables().endpoint(url).service("shop");
        builder.spool(spool).batch_size(batch).build().unwrap()
    };
    let dying = client(proxy.url(), 1_000);
    dying.info("arrives").send();
    assert_eq!(dying.flush(PATIENCE).await.unwrap().delivered, 1);
    // Its connection is half open from now on: what goes out on it hangs; what comes after that goes out on another.
    proxy.strand();
    fact("the connection is half open", || (proxy.fired().stranded == 1).then_some(())).await;
    for _ in 0..3 {
        dying.info("hangs").send();
    }
    let _ = dying.flush(Duration::ZERO).await.unwrap();
    fact("it is under way", || (dying.stats().destinations[0].in_flight == 3).then_some(())).await;
    dying.info("passes it by").send();
    let _ = dying.flush(Duration::ZERO).await.unwrap();
    fact("that arrives", || (dying.stats().destinations[0].delivered == 2).then_some(())).await;
    let report = dying.shutdown(Duration::from_secs(1)).await;
    assert_eq!((report.spooled, report.dropped), (3, 0), "{report:?}");
    let completeness = async || collector.ask("/api/v1/completeness?service=shop").await;
    let before = completeness().await;
    assert_eq!(
        (&before["missing"], &before["senders"][0]["gaps"]),
        (&json!(3), &json!([{"first": 1, "last": 3, "entries": 3}])),
        "the control: {before}"
    );

    // In batches of another size.
    let next = client(collector.url(), 2);
    fact("the rest arrives", || (next.stats().destinations[0].delivered == 3).then_some(())).await;
    next.info("its own").send();
    next.shutdown(PATIENCE).await;
    let after = completeness().await;
    assert_eq!((&after["missing"], &after["ended_abruptly"]), (&json!(0), &json!(0)), "{after}");
    assert_eq!(after["complete"], true, "{after}");
    let senders = after["senders"].as_array().unwrap();
    assert_eq!(senders.len(), 2, "{after}");
    let stored: Vec<u64> = senders.iter().map(|sender| sender["stored"].as_u64().unwrap()).collect();
    assert_eq!(
        (stored.iter().sum::<u64>(), stored.contains(&5)),
        (6, true),
        "as the entries of who made them"
    );
    assert_eq!(collector.ask("/stats").await["total_logs"], 6, "each once");
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
