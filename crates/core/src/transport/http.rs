//! The wire: requests over reqwest, with keep-alive, on the worker's own runtime.

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, DATE, HeaderMap, HeaderName, RETRY_AFTER};
use tokio::time::timeout;

use super::answer::by_the_servers_clock;
use super::pool::{Pool, root};
use super::resolver::Resolver;
use super::{Answer, Failure, Reach, SealedBatch, SendError, Sending, Transport};

/// What is waited for an answer where nothing else is said.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// More of an answer is not read.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// How a server is reached.
#[derive(Clone)]
pub(crate) struct HttpConfig {
    /// The full URL that batches are posted to.
    pub(crate) url: reqwest::Url,
    /// Sent with every batch, its type among them; what is secret is marked sensitive.
    pub(crate) headers: HeaderMap,
    /// From the connection to the end of the answer.
    pub(crate) timeout: Duration,
    pub(crate) reach: Reach,
    /// Who it is, for messages: `the collector`.
    pub(crate) peer: &'static str,
}

impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConfig").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// Sends batches to one server over HTTP/1.1.
pub(crate) struct Http(Arc<Pool>);

impl Http {
    pub(crate) fn new(config: HttpConfig) -> Self {
        let timing = &config.reach.timing;
        let resolver = Resolver::new(timing.dns, timing.dns_good_for);
        Self::over(config, resolver)
    }

    pub(super) fn over(config: HttpConfig, resolver: Resolver) -> Self {
        Self(Arc::new(Pool::new(config, resolver)))
    }
}

impl Transport for Http {
    fn send(&mut self, batch: SealedBatch) -> Sending {
        let pool = Arc::clone(&self.0);
        Box::pin(caught(async move { ask(&pool, batch).await }))
    }
}

/// The result, also of a request that panics, as one does where the system gives no thread to look up a name: its
/// batch must not be forgotten with it.
async fn caught<T>(request: impl Future<Output = Result<T, SendError>>) -> Result<T, SendError> {
    let mut request = Box::pin(request);
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| request.as_mut().poll(cx))).unwrap_or_else(|_| {
            let cause = "the request panicked".into();
            Poll::Ready(Err(SendError { kind: Failure::Impossible, cause }))
        })
    })
    .await
}

/// One attempt; a second one at once where the first may have met a connection that its server was just closing, which
/// says nothing about the server.
async fn ask(pool: &Pool, batch: SealedBatch) -> Result<Answer, SendError> {
    let generation = pool.generation()?;
    let sent = post(pool.config(), &generation.client, batch.clone()).await;
    let sent = match sent {
        Err(error) if error.kind == Failure::Lost && generation.may_be_stale() => {
            let fresh = pool.fresh(&generation)?;
            post(pool.config(), &fresh, batch).await
        }
        sent => sent,
    };
    match &sent {
        Ok(_) => generation.was_answered(),
        // Whoever is there on the other side, the next request asks on another connection.
        Err(error) if error.kind == Failure::Silent => pool.give_up(&generation),
        Err(_) => {}
    }
    sent
}

async fn post(
    config: &HttpConfig,
    client: &reqwest::Client,
    batch: SealedBatch,
) -> Result<Answer, SendError> {
    let mut request = client.post(config.url.clone()).headers(config.headers.clone()).body(batch.bytes);
    if let Some(encoding) = batch.encoding.header() {
        request = request.header(CONTENT_ENCODING, encoding);
    }
    let response = request.send().await.map_err(|error| classed(&error))?;
    read(response, config.reach.timing.answer).await
}

async fn read(mut response: Response, within: Duration) -> Result<Answer, SendError> {
    let status = response.status();
    let header =
        |name: HeaderName| response.headers().get(name).and_then(|v| v.to_str().ok()).map(ToOwned::to_owned);
    let date = header(DATE);
    let retry_after = header(RETRY_AFTER).map(|text| by_the_servers_clock(text, date.as_deref()));
    #[cfg(feature = "zstd")]
    let accept_encoding = header(reqwest::header::ACCEPT_ENCODING);
    let body = match timeout(within, body(&mut response)).await {
        Ok(Ok(body)) => body,
        // That something went wrong is said by the status alone.
        _ if !status.is_success() => Vec::new(),
        Ok(Err(error)) => return Err(SendError { kind: Failure::BrokeOff, cause: root(&error) }),
        Err(_) => return Err(SendError { kind: Failure::BrokeOff, cause: format!("not within {within:?}") }),
    };
    Ok(Answer {
        status: status.as_u16(),
        retry_after,
        #[cfg(feature = "zstd")]
        accept_encoding,
        body,
    })
}

/// Empty where it is larger than any answer that a dialect knows; the status stands all the same.
async fn body(response: &mut Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Ok(Vec::new());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn classed(error: &reqwest::Error) -> SendError {
    let cause = root(error);
    let kind = match error {
        // rustls says no more than that; of reqwest's errors it is deep inside.
        _ if cause.to_ascii_lowercase().contains("certificate") => Failure::Certificate,
        _ if error.is_connect() => Failure::Unreachable,
        _ if error.is_timeout() => Failure::Silent,
        _ if error.is_builder() => Failure::Impossible,
        _ => Failure::Lost,
    };
    SendError { kind, cause }
}

/// Whether a URL leads to this machine.
pub(crate) fn is_loopback(url: &reqwest::Url) -> bool {
    url.host_str().is_some_and(|host| {
        host == "localhost"
            || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests;
