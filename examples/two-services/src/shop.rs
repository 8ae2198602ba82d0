//! The shop: takes an order, and has it paid.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use hoplog_tower::RequestLogLayer;
use reqwest_middleware::ClientWithMiddleware;
use tokio::net::TcpListener;

#[derive(Clone)]
struct Shop {
    log: hoplog::Client,
    http: ClientWithMiddleware,
}

pub(crate) async fn run(log: hoplog::Client) -> Result<(), Box<dyn Error>> {
    let calls = reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?;
    let shop = Shop { log: log.clone(), http: hoplog_reqwest::client(log.clone(), calls) };
    let app = Router::new()
        .route("/orders/{id}", get(order))
        .layer(RequestLogLayer::new(log.clone()))
        .with_state(shop);

    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    eprintln!("shop listens on http://127.0.0.1:3000. Try:");
    eprintln!("  curl -i http://127.0.0.1:3000/orders/7     an order that is paid");
    eprintln!("  curl -i http://127.0.0.1:3000/orders/13    one whose charge is declined");
    eprintln!("Then open http://127.0.0.1:8000 and look for the trace that x-trace-id names, or:");
    eprintln!("  hoplog query --trace <x-trace-id>");
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(hoplog::shutdown_signal())
        .await?;
    super::close("shop", &log).await;
    Ok(())
}

async fn order(State(shop): State<Shop>, Path(id): Path<u32>) -> (StatusCode, String) {
    // Nothing is passed along: the call knows in which request it is made.
    match shop.http.get(format!("http://127.0.0.1:3001/charges/{id}")).send().await {
        Ok(answer) if answer.status().is_success() => {
            shop.log.info("order placed").field("order", id).send();
            (StatusCode::OK, format!("order {id} is placed\n"))
        }
        Ok(_) => (StatusCode::PAYMENT_REQUIRED, format!("order {id} was not paid\n")),
        // What stood in the way is in the call's entry.
        Err(_) => {
            shop.log.error("no answer from payments").field("order", id).send();
            (StatusCode::BAD_GATEWAY, "payments cannot be reached\n".to_owned())
        }
    }
}
