//! Request log middleware for axum, tonic and anything Tower: one line, and every request becomes one entry.
//!
//! ```
//! use axum::{Router, routing::get};
//! use hoplog_tower::RequestLogLayer;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hoplog::Error> {
//! let client = hoplog::Client::builder().service("shop").build()?;
//! let app: Router = Router::new()
//!     .route("/users/{id}", get(|| async { "hello" }))
//!     .layer(RequestLogLayer::new(client.clone()));
//! # let _ = app; let _ = client.shutdown(std::time::Duration::ZERO).await; Ok(()) }
//! ```
//!
//! ```text
//! request ─► RequestLog::call ─► inner service ─► response head ─► ResponseBody ─► last byte
//!                │ head, headers        │ polled in       │ status,        │ frames pass untouched,
//!                ▼                      ▼ its context     ▼ headers        ▼ bytes are counted
//!             Exchange ──────────────────────────────────────────────► one entry
//! ```
//!
//! # What it does
//! - One entry per request, at the end of the response body; also for requests that are cancelled, time out, fail or
//!   panic.
//! - With [`RequestLogLayer::ends_with_head`] an entry ends with the response's head, and costs an allocation less.
//! - The response carries `x-trace-id` and `x-request-id`, unless the service set them itself.
//! - While the handler's future or the response body is polled, [`hoplog::current`] is this request's context;
//!   axum's handlers may take it as an argument, a `CurrentRequest`.
//!
//! # What it leaves alone
//! Bodies, trailers, size hints, errors and back-pressure pass unchanged; nothing is buffered.
//!
//! # Where to put it
//! Inside the `Router` (`Router::layer`), where axum has matched the route; around the router the `route` is missing.
//! A layer inside another one's request passes through.
//!
//! # What is known of the connection
//! | | where it comes from |
//! |---|---|
//! | peer and its port | axum's `into_make_service_with_connect_info::<SocketAddr>()`, else a [`Connection`] among the request's extensions, which any server's accept loop can put there. Without either the entry has no `ip`, and no proxy can be trusted |
//! | TLS version | a [`Connection`] |
//! | scheme | the request target (HTTP/2, proxies' absolute form), else `https` with a TLS version; `axum::serve` speaks no TLS and does not tell |
//!
//! Behind a proxy, [`hoplog::Trust`] has the client's address, scheme and host from its headers.
//!
//! # Features
//! `axum` (default): route template and peer address from axum's extensions, and `CurrentRequest`. `tls` (default): HTTPS to the collector.
//! `proxy` (default): `HTTPS_PROXY` and its kin are honoured.

mod body;
mod connection;
#[cfg(feature = "axum")]
mod current_request;
mod end;
mod failure;
mod future;
mod head;
mod header_name;
mod ids;
mod layer;
mod request_body;
mod request_body_layer;
mod service;

pub use body::ResponseBody;
pub use connection::Connection;
#[cfg(feature = "axum")]
pub use current_request::CurrentRequest;
pub use end::{AtBody, AtHead, End};
pub use future::ResponseFuture;
pub use layer::RequestLogLayer;
pub use request_body::RequestBody;
pub use request_body_layer::{RequestBodyLayer, WatchRequestBody};
pub use service::RequestLog;
