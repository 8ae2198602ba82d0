//! Configuration of an existing log-collector server as a destination.

use std::time::Duration;

use super::settings::Secret;
use super::{Compression, remote};
use crate::destination::{BatchLimits, DialectConfig, RemoteConfig};
use crate::transport::{HttpConfig, Reach};

const EXAMPLE: &str = "http://logs.internal:8000";

/// An existing log-collector server as a destination: entries are sent as its schema has them. What has no column
/// there, or is longer than its column, stands under `metadata`.
///
/// Such a server stores a batch whole or not at all. Where it refuses one, the batch is sent in parts until the entry
/// at fault is alone; that one is dropped and counted as [`DropReason::Poison`](crate::DropReason::Poison). It does
/// not know entries by their ids: a batch that is sent again because its answer was lost is stored twice.
///
/// ```
/// # use std::time::Duration;
/// let client = hoplog::Client::builder()
///     .without_variables()
///     .without_collector()
///     .log_collector(hoplog::LogCollector::new("http://127.0.0.1:8000").timeout(Duration::from_secs(5)))
///     .build()?;
/// # client.flush_blocking(Duration::ZERO)?;
/// # Ok::<(), hoplog::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "it does nothing until it is given to `ClientBuilder::log_collector`"]
pub struct LogCollector {
    /// It may hold credentials, until `build` refuses them.
    endpoint: Secret,
    headers: remote::Headers,
    timeout: Option<Duration>,
    compression: Compression,
    allow_insecure_http: bool,
}

impl LogCollector {
    /// The server's URL: scheme, host, port, and a path prefix if there is one; `/logs` is added.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: Into::<String>::into(endpoint).into(),
            headers: remote::Headers::default(),
            timeout: None,
            compression: Compression::Gzip,
            allow_insecure_http: false,
        }
    }

    /// A header for each request, for a proxy in front of the server. It may be a secret, and goes over https or to
    /// this machine only.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(name.into(), value.into());
        self
    }

    /// How long an answer is waited for, 1 ms to 10 min. Default: 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How batches are compressed. Default: gzip, from 1 KiB up.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Lets headers go over plain HTTP to another machine. Off by default: anyone on the way can read them.
    pub fn allow_insecure_http(mut self) -> Self {
        self.allow_insecure_http = true;
        self
    }

    pub(super) fn build(&self, limits: BatchLimits, complaints: &mut Vec<String>) -> Option<RemoteConfig> {
        let headers = self.headers.build("application/json", "`LogCollector::header`", complaints);
        let timeout = remote::timeout("`LogCollector::timeout`", self.timeout, complaints);
        let url = remote::url("`LogCollector::new`", &self.endpoint, EXAMPLE, complaints)?;
        if self.headers.exposed_by(&url) && !self.allow_insecure_http {
            complaints.push(
                "`LogCollector::header` would go over plain HTTP to another host: use https, or \
                 `LogCollector::allow_insecure_http` if the way is private"
                    .into(),
            );
        }
        let url = remote::with_path(url, "logs");
        Some(RemoteConfig {
            http: HttpConfig {
                url,
                headers,
                timeout,
                reach: Reach::default(),
                peer: "the log-collector server",
            },
            dialect: DialectConfig::LogCollector,
            limits,
            compression: self.compression,
            spool: None,
        })
    }
}
