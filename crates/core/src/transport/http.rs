//! The wire: one reqwest client with keep-alive, on the worker's own runtime.

use std::fmt;
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER};

use super::Answer;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Below the keep-alive of common servers, so that they do not close under us.
const POOL_IDLE: Duration = Duration::from_secs(45);
/// A client is rebuilt after this, so that a changed address of the collector is seen.
const MAX_AGE: Duration = Duration::from_secs(600);
/// More of an answer is not read.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// How the collector is reached.
#[derive(Clone)]
pub(crate) struct HttpConfig {
    /// The full URL of `POST /logs`.
    pub(crate) url: reqwest::Url,
    /// `Bearer …`, marked sensitive.
    pub(crate) authorization: Option<HeaderValue>,
}

impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConfig").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// A batch whose bytes do not change any more, however often it is sent.
#[derive(Debug, Clone)]
pub(crate) struct SealedBatch {
    /// Shared, so that a retry copies nothing.
    pub(crate) bytes: bytes::Bytes,
    pub(crate) gzip: bool,
    pub(crate) entries: u64,
}

/// No answer came; the batch may have arrived or not.
#[derive(Debug)]
pub(crate) struct SendError {
    pub(crate) what: &'static str,
    pub(crate) cause: String,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.cause)
    }
}

/// Sends batches to one collector.
#[derive(Debug)]
pub(crate) struct Http {
    config: HttpConfig,
    client: Option<(reqwest::Client, Instant)>,
}

impl Http {
    pub(crate) fn new(config: HttpConfig) -> Self {
        Self { config, client: None }
    }

    /// The request for a batch; await it anywhere on the worker's runtime.
    pub(crate) fn send(
        &mut self,
        batch: SealedBatch,
    ) -> impl Future<Output = Result<Answer, SendError>> + Send + 'static {
        let client = self.client();
        let config = self.config.clone();
        async move { post(client?, config, batch).await }
    }

    fn client(&mut self) -> Result<reqwest::Client, SendError> {
        match &self.client {
            Some((client, made)) if made.elapsed() < MAX_AGE => Ok(client.clone()),
            _ => {
                let client = build().map_err(|e| SendError { what: "no HTTP client", cause: root(&e) })?;
                self.client = Some((client.clone(), Instant::now()));
                Ok(client)
            }
        }
    }
}

fn build() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent(concat!("hoplog-rust/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE)
        // A redirect would carry the key to another host.
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

async fn post(client: reqwest::Client, config: HttpConfig, batch: SealedBatch) -> Result<Answer, SendError> {
    let mut request = client
        .post(config.url)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .body(batch.bytes);
    if batch.gzip {
        request = request.header(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Some(authorization) = config.authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let mut response = request.send().await.map_err(|e| SendError { what: kind(&e), cause: root(&e) })?;
    let status = response.status().as_u16();
    let retry_after =
        response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()).map(ToOwned::to_owned);
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST_ANSWER => {
                return Err(SendError { what: "the answer is too large", cause: "over 1 MiB".into() });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(Answer { status, retry_after, body }),
            Err(e) => return Err(SendError { what: "the answer broke off", cause: root(&e) }),
        }
    }
}

fn kind(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "the collector cannot be reached"
    } else if error.is_timeout() {
        "the collector did not answer in time"
    } else {
        "the connection to the collector failed"
    }
}

/// The innermost cause: the outer ones repeat the URL, which may hold credentials of a proxy.
fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
