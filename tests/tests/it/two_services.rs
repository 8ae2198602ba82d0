//! One trace over two services of different frameworks: shop (axum) → payments (actix-web).

use std::net::SocketAddr;

use actix_web::error::ErrorPaymentRequired;
use actix_web::web::{Data, Path};
use actix_web::{App, HttpServer, web};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get as route;
use hoplog::Client;
use hoplog_testkit::facts::PATIENCE;
use hoplog_tower::RequestLogLayer;
use reqwest_middleware::ClientWithMiddleware;
use serde_json::Value;
use tracing_subscriber::prelude::*;

use crate::collector::{Collector, Directory, get_with};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn client(collector: &Collector, service: &str) -> Client {
    Client::builder().without_variables().endpoint(collector.url()).service(service).build().unwrap()
}

/// What a service does far from any request; it knows nothing of them, nor of hoplog.
mod card {
    #[tracing::instrument(fields(card = "visa"))]
    pub(super) fn charge(order: &str) {
        authorise();
        tracing::info!(currency = "EUR", "charged");
    }

    #[tracing::instrument]
    fn authorise() {
        tracing::warn!(limit = 100, "close to the limit");
    }
}

/// Refuses every charge and says so.
async fn payments(client: &Client) -> SocketAddr {
    async fn charge(log: Data<Client>, order: Path<String>) -> Result<&'static str, actix_web::Error> {
        log.error("charge refused").field("order", order.as_str()).send();
        Err(ErrorPaymentRequired("no money"))
    }
    async fn capture(order: Path<String>) -> &'static str {
        // Not in the first poll: the request's context comes with every one.
        actix_web::rt::task::yield_now().await;
        card::charge(&order);
        "charged"
    }
    let client = client.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(client.clone()))
            .route("/charges/{order}", web::post().to(charge))
            .route("/captures/{order}", web::post().to(capture))
            .wrap(hoplog_actix::RequestLog::new(client.clone()))
    });
    let server = server.workers(1).h1_allow_half_closed(false).disable_signals().bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    tokio::spawn(server.run());
    address
}

/// Has each order charged, by a call to payments.
async fn shop(client: &Client, payments: SocketAddr) -> SocketAddr {
    async fn order(State((http, payments)): State<(ClientWithMiddleware, SocketAddr)>) -> StatusCode {
        let call = http.post(format!("http://{payments}/charges/17?card_token=s3cr3t"));
        match call.send().await {
            Ok(answer) => answer.status(),
            Err(_) => StatusCode::BAD_GATEWAY,
        }
    }
    async fn parcel(State((http, payments)): State<(ClientWithMiddleware, SocketAddr)>) -> StatusCode {
        let call = http.post(format!("http://{payments}/captures/17")).send().await;
        call.map_or(StatusCode::BAD_GATEWAY, |answer| answer.status())
    }
    let http = hoplog_reqwest::client(client.clone(), reqwest::Client::new());
    let app = Router::new()
        .route("/orders/{id}", route(order))
        .route("/parcels/{id}", route(parcel))
        .layer(RequestLogLayer::new(client.clone()))
        .with_state((http, payments));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hop_of_a_request_stands_in_one_trace_under_the_hop_that_called_it() {
    let directory = Directory::new();
    let collector = Collector::start(&directory).await;
    let [shops, payers] = ["shop", "payments"].map(|service| client(&collector, service));
    let shop = shop(&shops, payments(&payers).await).await;
    let headers = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\nx-request-id: order-17\r\n");
    let response = get_with(shop, "/orders/17", &headers).await;
    assert_eq!(response.status, 402);
    assert_eq!(response.header("x-trace-id"), Some(TRACE));
    for client in [&shops, &payers] {
        client.flush(PATIENCE).await.unwrap();
    }
    let entries = collector.trace(TRACE, 4).await;
    assert_eq!(entries.len(), 4);
    let of = |service: &str, kind: &str| -> &Value {
        entries.iter().find(|e| e["service"] == service && e["kind"] == kind).unwrap()
    };
    let (order, call) = (of("shop", "request"), of("shop", "outgoing"));
    let (charge, event) = (of("payments", "request"), of("payments", "event"));
    assert_eq!(order["parent_span_id"], "00f067aa0ba902b7");
    assert_eq!(call["parent_span_id"], order["span_id"]);
    assert_eq!(charge["parent_span_id"], call["span_id"]);
    assert_eq!(event["span_id"], charge["span_id"]);
    for entry in &entries {
        assert_eq!((&entry["trace_id"], &entry["request_id"]), (&TRACE.into(), &"order-17".into()));
    }
    for hop in [order, call, charge] {
        assert_eq!((&hop["status_code"], &hop["outcome"]), (&402.into(), &"completed".into()));
    }
    assert_eq!(charge["route"], "/charges/{order}");
    assert_eq!(charge["error_message"], "no money");
    assert_eq!(charge["query"], "card_token=[redacted]");
    assert_eq!(call["query"], charge["query"]);
    assert_eq!(event["message"], "charge refused");
    // Each hop lies within the one that called it.
    let span = |e: &Value| {
        let begun = e["created_at"].as_f64().unwrap();
        (begun, begun + e["duration_ms"].as_f64().unwrap() / 1e3)
    };
    let clocks_differ = 0.005;
    for (outer, inner) in [(order, call), (call, charge)] {
        let ((from, to), (inner_from, inner_to)) = (span(outer), span(inner));
        assert!(from <= inner_from + clocks_differ && inner_to <= to + clocks_differ, "{outer} {inner}");
    }
    collector.stop().await;
    assert!(!directory.contains(b"s3cr3t"));
}

/// From an entry up to the request that caused it all: service, kind and what was asked, each found by the span above.
fn ancestry(entries: &[Value], of: &Value) -> Vec<String> {
    let mut chain = Vec::new();
    let mut above = of["span_id"].clone();
    while let Some(span) = entries.iter().find(|e| e["kind"] != "event" && e["span_id"] == above) {
        let text = |name: &str| span[name].as_str().unwrap_or_default();
        let what = span["route"].as_str().unwrap_or(text("path"));
        chain.push(format!("{} {} {what}", text("service"), text("kind")));
        above = span["parent_span_id"].clone();
        assert!(chain.len() <= entries.len(), "{chain:?} goes round");
    }
    chain
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tracing_event_deep_in_actix_stands_under_the_axum_request_that_caused_it() {
    let directory = Directory::new();
    let collector = Collector::start(&directory).await;
    let [shops, payers] = ["shop", "payments"].map(|service| client(&collector, service));
    // One for the whole process, whose other tests are no business of this layer.
    let layer =
        hoplog_tracing::builder(&payers).levels(format!("off,{}=info", module_path!())).build().unwrap();
    tracing_subscriber::registry().with(layer).init();
    let shop = shop(&shops, payments(&payers).await).await;
    let response = get_with(shop, "/parcels/17", "x-request-id: parcel-17\r\n").await;
    assert_eq!(response.status, 200);
    let trace = response.header("x-trace-id").unwrap();
    for client in [&shops, &payers] {
        client.flush(PATIENCE).await.unwrap();
    }
    let entries = collector.trace(trace, 5).await;
    let events: Vec<&Value> = entries.iter().filter(|e| e["kind"] == "event").collect();
    let [limit, charged] = events[..] else { panic!("two events, not {events:?}") };
    for event in [limit, charged] {
        assert_eq!(
            ancestry(&entries, event),
            [
                "payments request /captures/{order}",
                "shop outgoing /captures/17",
                "shop request /parcels/{id}"
            ]
        );
        assert_eq!((&event["service"], &event["trace_id"]), (&"payments".into(), &trace.into()));
        assert_eq!(event["request_id"], "parcel-17");
        // Of the span around both.
        assert_eq!((&event["metadata"]["card"], &event["metadata"]["order"]), (&"visa".into(), &"17".into()));
    }
    assert_eq!((&limit["message"], &limit["level"]), (&"close to the limit".into(), &"WARN".into()));
    assert_eq!(limit["metadata"]["limit"], 100);
    assert_eq!((&charged["message"], &charged["level"]), (&"charged".into(), &"INFO".into()));
    assert_eq!(charged["metadata"]["currency"], "EUR");
    collector.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hop_that_cannot_be_reached_is_an_entry_of_the_caller() {
    let directory = Directory::new();
    let collector = Collector::start(&directory).await;
    let client = client(&collector, "shop");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let shop = shop(&client, nobody).await;
    let response = get_with(shop, "/orders/17", "").await;
    assert_eq!(response.status, 502);
    client.flush(PATIENCE).await.unwrap();
    let entries = collector.trace(response.header("x-trace-id").unwrap(), 2).await;
    let [order, call] = &entries[..] else { panic!("two entries, not {entries:?}") };
    assert_eq!((&order["kind"], &call["kind"]), (&"request".into(), &"outgoing".into()));
    assert_eq!((&call["outcome"], &call["level"]), (&"service_error".into(), &"ERROR".into()));
    assert!(call["status_code"].is_null() && call["error_message"].is_string());
    assert_eq!(call["parent_span_id"], order["span_id"]);
}
