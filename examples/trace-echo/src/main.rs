//! A service that a conformance harness drives, such as the W3C's for trace context: it is told whom to call, and the
//! harness looks at what the calls carry.
//!
//! ```text
//! harness ─ POST [{"url": …, "arguments": …}, …] ─► trace-echo ─ POST arguments, for each url ─► harness
//!             any trace headers                        │            traceparent, tracestate, …
//!                                                      └ answers when all are done
//! ```
//!
//! ```console
//! $ cargo run -p trace-echo -- --port 5000
//! $ python test.py http://127.0.0.1:5000/test     # in `test` of https://github.com/w3c/trace-context
//! ```

mod echo;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trace-echo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let port = port(std::env::args().skip(1))?;
    let client = hoplog::Client::builder().service("trace-echo").build()?;
    let app = echo::service(&client)?;
    // Whoever can reach it can have it call anyone.
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let listener = bound.map_err(|e| format!("port {port} cannot be used: {e}; name another with --port"))?;
    eprintln!("trace-echo listens on http://{}", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(hoplog::shutdown_signal())
        .await?;
    client.shutdown(Duration::from_secs(5)).await;
    Ok(())
}

fn port(mut arguments: impl Iterator<Item = String>) -> Result<u16, String> {
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (None, ..) => Ok(5000),
        (Some("--port"), Some(port), None) => port.parse().map_err(|_| format!("`{port}` is no port")),
        _ => Err("say `--port N`, or nothing for port 5000".into()),
    }
}
