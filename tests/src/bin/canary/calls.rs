//! Calls that the service makes, and the service that it calls.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hoplog::Client;
use reqwest_middleware::ClientWithMiddleware;

use crate::plan::{Plan, Step};

/// The way out.
pub(crate) struct Calls {
    http: ClientWithMiddleware,
    upstream: SocketAddr,
    nobody: SocketAddr,
}

impl Calls {
    /// Starts what is called: a service without a log layer, and an address where nobody listens.
    pub(crate) async fn new(log: &Client, plan: &Arc<Plan>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let upstream = listener.local_addr().expect("a bound address");
        let app = Router::new()
            .route("/answers/{n}", any(answer))
            .fallback(|| async { "called" })
            .with_state(Arc::clone(plan));
        tokio::spawn(async { axum::serve(listener, app).await });
        let nobody = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
        // The threads of two frameworks share it: a connection must not outlive the runtime that drives it.
        let plain = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build();
        let http = hoplog_reqwest::client(log.clone(), plain.expect("an HTTP client"));
        Self { http, upstream, nobody }
    }

    /// Calls the URL in the step's first line with the headers in the others. What fails is logged, as handlers do.
    pub(crate) async fn make(&self, log: &Client, step: &Step) {
        let url = step.text.lines().next().unwrap_or_default();
        let url = url.replace("UPSTREAM", &self.upstream.to_string());
        let url = url.replace("NOBODY", &self.nobody.to_string());
        let call = step.headers().skip(usize::from(url.contains(": ")));
        let call = call.fold(self.http.get(url), |call, (name, value)| call.header(name, value));
        if let Err(error) = call.send().await {
            log.error("a call failed").error(&error).send();
        }
    }

    /// Calls what answers with the step's headers.
    pub(crate) async fn to_answer(&self, n: usize) {
        let called = self.http.get(format!("http://{}/answers/{n}", self.upstream)).send().await;
        called.expect("an answer of the upstream");
    }
}

async fn answer(State(plan): State<Arc<Plan>>, Path(n): Path<usize>) -> Response {
    let mut response = "called".into_response();
    for (name, value) in plan.step(n).headers() {
        let name = axum::http::HeaderName::try_from(name).expect("a header's name");
        response.headers_mut().append(name, value.try_into().expect("a header's value"));
    }
    response
}
