//! The wire: one reqwest client with keep-alive, on the worker's own runtime.

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_ENCODING, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use super::Answer;
use super::answer::by_the_servers_clock;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What is waited for an answer where nothing else is said.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Below the keep-alive of common servers, so that they do not close under us.
const POOL_IDLE: Duration = Duration::from_secs(45);
/// A client is rebuilt after this, so that a changed address of the collector is seen.
const MAX_AGE: Duration = Duration::from_secs(600);
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
    /// Who it is, for messages: `the collector`.
    pub(crate) peer: &'static str,
}

/// How a batch's bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
    #[cfg(feature = "zstd")]
    Zstd,
}

impl Encoding {
    /// What `Content-Encoding` says.
    fn header(self) -> Option<HeaderValue> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
            #[cfg(feature = "zstd")]
            Self::Zstd => Some(HeaderValue::from_static("zstd")),
        }
    }
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
    pub(crate) encoding: Encoding,
    pub(crate) entries: u64,
    /// Which batch of its destination it is, or is a part of.
    pub(crate) number: u64,
    /// How many entries of that batch come before its own.
    pub(crate) offset: u64,
    /// Of an entry that was refused all by itself.
    pub(crate) lone: Option<Lone>,
}

/// How it goes for an entry on its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lone {
    failures: u32,
    since: Instant,
    /// Batches that its server had taken when it first was refused.
    successes: u64,
}

impl Lone {
    /// Failures with nothing delivered meanwhile, and the time they take at least, after which an entry that keeps
    /// others from their turn is at fault all the same.
    const PATIENCE: (u32, Duration) = (20, Duration::from_secs(15 * 60));

    /// Refused for the first time, when its server had taken so many batches.
    pub(crate) fn new(now: Instant, successes: u64) -> Self {
        Self { failures: 0, since: now, successes }
    }

    /// Whether one more refusal is the entry's own fault: something else was taken since the first, or it stands in
    /// the way of others and patience is at an end.
    pub(crate) fn is_at_fault(&mut self, now: Instant, successes: u64, in_the_way: bool) -> bool {
        self.failures += 1;
        let (failures, time) = Self::PATIENCE;
        let at_an_end = self.failures >= failures && now.saturating_duration_since(self.since) >= time;
        successes > self.successes || in_the_way && at_an_end
    }
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

/// Sends batches to one server.
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
        async move { caught(post(client?, config, batch)).await }
    }

    fn client(&mut self) -> Result<reqwest::Client, SendError> {
        match &self.client {
            Some((client, made)) if made.elapsed() < MAX_AGE => Ok(client.clone()),
            _ => {
                let client = build(&self.config)
                    .map_err(|e| SendError { what: "has no HTTP client here", cause: root(&e) })?;
                self.client = Some((client.clone(), Instant::now()));
                Ok(client)
            }
        }
    }
}

fn build(config: &HttpConfig) -> reqwest::Result<reqwest::Client> {
    let url = &config.url;
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("hoplog-rust/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(config.timeout)
        .pool_idle_timeout(POOL_IDLE)
        // A redirect would carry the key to another host.
        .redirect(reqwest::redirect::Policy::none());
    if is_loopback(url) {
        // A proxy is not on this machine: it would get what is meant to stay here, and the key in the clear.
        builder = builder.no_proxy();
    }
    #[cfg(feature = "tls")]
    if url.scheme() == "http" {
        // A system without certificates must not keep plain HTTP from working.
        builder = builder.tls_certs_only([]);
    }
    builder.build()
}

/// Whether a URL leads to this machine.
pub(crate) fn is_loopback(url: &reqwest::Url) -> bool {
    url.host_str().is_some_and(|host| {
        host == "localhost"
            || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

/// The result, also of a request that panics, as one does where the system gives no thread to look up a name: its
/// batch must not be forgotten with it.
async fn caught<T>(request: impl Future<Output = Result<T, SendError>>) -> Result<T, SendError> {
    let mut request = Box::pin(request);
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| request.as_mut().poll(cx))).unwrap_or_else(|_| {
            let cause = "the request panicked".into();
            Poll::Ready(Err(SendError { what: "could not be asked", cause }))
        })
    })
    .await
}

async fn post(client: reqwest::Client, config: HttpConfig, batch: SealedBatch) -> Result<Answer, SendError> {
    let mut request = client.post(config.url).headers(config.headers).body(batch.bytes);
    if let Some(encoding) = batch.encoding.header() {
        request = request.header(CONTENT_ENCODING, encoding);
    }
    let mut response = request.send().await.map_err(|e| SendError { what: kind(&e), cause: root(&e) })?;
    let status = response.status().as_u16();
    let header =
        |name: HeaderName| response.headers().get(name).and_then(|v| v.to_str().ok()).map(ToOwned::to_owned);
    let date = header(DATE);
    let retry_after = header(RETRY_AFTER).map(|text| by_the_servers_clock(text, date.as_deref()));
    #[cfg(feature = "zstd")]
    let accept_encoding = header(reqwest::header::ACCEPT_ENCODING);
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            // No answer that a dialect knows; the status stands all the same.
            Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST_ANSWER => body.clear(),
            Ok(Some(chunk)) => {
                body.extend_from_slice(&chunk);
                continue;
            }
            Ok(None) => {}
            Err(e) if response.status().is_success() => {
                return Err(SendError { what: "broke off its answer", cause: root(&e) });
            }
            // That something went wrong is said by the status alone.
            Err(_) => {}
        }
        return Ok(Answer {
            status,
            retry_after,
            #[cfg(feature = "zstd")]
            accept_encoding,
            body,
        });
    }
}

fn kind(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "cannot be reached"
    } else if error.is_timeout() {
        "did not answer in time"
    } else {
        "lost the connection"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_panics_has_failed() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(caught(async { Ok(7) })).unwrap(), 7);
        let error = runtime.block_on(caught::<()>(async { panic!("no threads") })).unwrap_err();
        assert_eq!(error.to_string(), "could not be asked: the request panicked");
    }

    #[test]
    fn an_entry_is_blamed_where_others_are_taken_or_where_it_has_kept_them_waiting_for_long() {
        let start = Instant::now();
        let after = |lone: &mut Lone, times: u32, minutes: u64, in_the_way: bool| {
            (0..times).any(|_| lone.is_at_fault(start + Duration::from_secs(60 * minutes), 7, in_the_way))
        };
        assert!(!after(&mut Lone::new(start, 7), 100, 60, false), "nobody waits for its place");
        assert!(!after(&mut Lone::new(start, 7), 100, 14, true), "flushes hurry attempts, not patience");
        assert!(!after(&mut Lone::new(start, 7), 19, 60, true));
        assert!(after(&mut Lone::new(start, 7), 20, 15, true));
        assert!(after(&mut Lone::new(start, 6), 1, 0, false), "another was taken");
    }
}
