//! Request log middleware for actix-web: one line, and every request becomes one entry.
//!
//! ```
//! use actix_web::{App, HttpServer, web};
//! use hoplog_actix::RequestLog;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = hoplog::Client::builder().service("payments").build()?;
//! # let client_of_the_app = client.clone();
//! let server = HttpServer::new(move || {
//!     App::new()
//!         .wrap(RequestLog::new(client.clone()))
//!         .route("/charges/{id}", web::get().to(|| async { "charged" }))
//! })
//! .h1_allow_half_closed(false) // or a client that hung up is not noticed
//! .bind("127.0.0.1:0")?;
//! # drop(server); client_of_the_app.flush_blocking(std::time::Duration::ZERO)?; Ok(()) }
//! ```
//!
//! ```text
//! request ─► RequestLogService::call ─► inner service ─► response head ─► ResponseBody ─► last byte
//!                │ head, headers            │ polled in       │ status, route,  │ chunks pass untouched,
//!                ▼                          ▼ its context     ▼ headers         ▼ bytes are counted
//!             Exchange ───────────────────────────────────────────────► one entry
//! ```
//!
//! # What it does
//! - One entry per request, at the end of the response body; also for requests that are cancelled, fail or panic.
//! - The response carries `x-trace-id` and `x-request-id`, unless the application set them itself.
//! - While the handler's future or the response body is polled, [`hoplog::current`] is this request's context;
//!   handlers may take it as an argument, a [`CurrentRequest`].
//!
//! # What it leaves alone
//! Bodies, sizes and errors pass unchanged; nothing is buffered, and nothing is boxed that was not.
//!
//! # Errors
//! | where | arrives as | entry |
//! |---|---|---|
//! | a handler or extractor returns `Err` | the response that actix made of it | the response's status; the error's type and text beside it |
//! | an inner middleware returns `Err`, status 5xx | `Err`, passed on | `service_error` |
//! | likewise, 408 or 504 | `Err`, passed on | `timed_out` |
//! | likewise, any other status: a refusal such as 401 | `Err`, passed on | `completed` |
//!
//! Such an `Err` is made a response only further out: its size and headers are not in the entry. actix-web erases an
//! error's type; the entry has the name that its `Debug` begins with, else `actix_web::Error`.
//!
//! # Where to put it
//! Outermost, so as the last `wrap`: then it sees what the client sees. One inside another one's request passes
//! through.
//!
//! # What is known of the connection
//! Peer, its port and the scheme are actix-web's own: `https` where the listener was bound with TLS. The TLS version is
//! told by a [`Connection`] from `HttpServer::on_connect`. Behind a proxy, [`hoplog::Trust`] has the client's address,
//! scheme and host from its headers; actix-web's `ConnectionInfo`, which believes anyone, is not asked.
//!
//! # Troubleshooting
//! | sign | cause |
//! |---|---|
//! | clients hang up, yet nothing is `cancelled` | `HttpServer::h1_allow_half_closed` is true, its default: actix then takes a closed connection for a client that still reads |
//! | `ip` is missing | the server listens on a Unix socket |
//! | `route` is missing | no resource matches the path |
//!
//! # Features
//! `tls` (default): HTTPS to the collector. `proxy` (default): `HTTPS_PROXY` and its kin are honoured.

mod body;
mod connection;
mod current_request;
mod failure;
mod future;
mod head;
mod header_name;
mod ids;
mod pending;
mod request_body;
mod service;
mod transform;

pub use body::ResponseBody;
pub use connection::Connection;
pub use current_request::CurrentRequest;
pub use future::ResponseFuture;
pub use service::RequestLogService;
pub use transform::RequestLog;
