//! Building a client: settings, their defaults, their variables, one check at the end.

mod settings;

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hoplog_entry::{EntryId, Level};
use reqwest::header::HeaderValue;

use crate::capture::Requests;
use crate::capture::Trust;
use crate::client::Client;
use crate::clock::Clock;
use crate::destination::{BatchLimits, CollectorConfig, Destination, Form, Lines, Memory, Sink};
use crate::error::Error;
use crate::pipeline::Pipeline;
use crate::queue::QueueLimits;
use crate::redact::Redaction;
use crate::transport::{HttpConfig, is_loopback};
use crate::worker::Worker;
use settings::Settings;

/// How batches are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// As they are.
    None,
    /// gzip level 1, from 1 KiB up.
    #[default]
    Gzip,
}

/// Entries on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Console {
    /// Readable lines, with colours where standard output is a terminal and `NO_COLOR` is unset.
    Text,
    /// One JSON object per line.
    Json,
}

/// Configures a [`Client`]. What is not set in code is taken from the environment, else the default holds; everything
/// is checked at [`ClientBuilder::build`], and every complaint is in its error.
///
/// <!-- begin:configuration -->
/// | setter | variable | default |
/// |---|---|---|
/// | `endpoint` | `HOPLOG_ENDPOINT`, `LOG_SERVER_URL` | `http://localhost:8000` |
/// | `service` | `HOPLOG_SERVICE`, `SERVICE_NAME`, `OTEL_SERVICE_NAME` | `unknown` |
/// | `environment` | `HOPLOG_ENVIRONMENT`, `ENVIRONMENT`, `NODE_ENV` | `development` |
/// | `service_version` | `HOPLOG_SERVICE_VERSION`, `SERVICE_VERSION` | `v0.0.0-dev` |
/// | `log_type` | `LOG_TYPE` | the collector's: `BACKEND` |
/// | `api_key` | `HOPLOG_API_KEY` | none |
/// | `allow_insecure_http` | – | a key goes over plain HTTP to loopback only |
/// | `without_collector` | – | entries go to the collector |
/// | `console` | `HOPLOG_CONSOLE`: `text`, `json`, `off` | off |
/// | `file` | `HOPLOG_FILE`: a path | none |
/// | `min_level` | – | `TRACE`: every level is taken |
/// | `batch_size` | – | 1 000 entries, or 1 MiB of JSON |
/// | `flush_interval` | – | 1 s |
/// | `compression` | – | gzip |
/// | `queue_bytes`, `queue_entries` | – | 16 MiB, 65 536 |
/// | `redaction` | – | an allow list of headers, the built-in secret names |
/// | `requests` | – | all; health checks only where they fail |
/// | `trust` | `HOPLOG_TRUSTED_PROXIES`: networks, separated by commas | nobody: the client is the peer; traces are continued |
/// | `running_after` | – | 30 s |
/// | `without_variables` | – | variables are read |
/// | `enabled` | `HOPLOG_ENABLED`: `true`, `false` | true |
/// <!-- end:configuration -->
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `build()`"]
pub struct ClientBuilder {
    settings: Settings,
    min_level: Option<Level>,
    allow_insecure_http: bool,
    without_collector: bool,
    without_variables: bool,
    batch_size: Option<usize>,
    flush_interval: Option<Duration>,
    compression: Compression,
    queue_bytes: Option<usize>,
    queue_entries: Option<usize>,
    redaction: Redaction,
    requests: Requests,
    running_after: Option<Duration>,
    trust: Trust,
}

impl ClientBuilder {
    /// Where the collector listens: scheme, host, port, and a path prefix if there is one.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.settings.endpoint = Some(url.into());
        self
    }

    /// The service's name, at most 100 bytes.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.settings.service = Some(name.into());
        self
    }

    /// `production`, `staging`, or what you call it.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.settings.environment = Some(name.into());
        self
    }

    /// The service's version.
    pub fn service_version(mut self, version: impl Into<String>) -> Self {
        self.settings.service_version = Some(version.into());
        self
    }

    /// `BACKEND`, `FRONTEND`, `MOBILE`, `IOT` or `WORKER`.
    pub fn log_type(mut self, log_type: impl Into<String>) -> Self {
        self.settings.log_type = Some(log_type.into());
        self
    }

    /// The key for the collector; sent as `Authorization: Bearer`.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.settings.api_key = Some(key.into());
        self
    }

    /// Lets the key go over plain HTTP to a host that is not loopback. Off by default: anyone on the way can read it.
    pub fn allow_insecure_http(mut self) -> Self {
        self.allow_insecure_http = true;
        self
    }

    /// Sends nothing to a collector; for use with [`ClientBuilder::console`] or [`ClientBuilder::file`] alone.
    pub fn without_collector(mut self) -> Self {
        self.without_collector = true;
        self
    }

    /// Writes entries to standard output as well.
    pub fn console(mut self, console: Console) -> Self {
        self.settings.console = Some(match console {
            Console::Text => "text".into(),
            Console::Json => "json".into(),
        });
        self
    }

    /// Appends entries to a file as well, one JSON object per line. The file is made if it is missing, readable by
    /// its owner alone.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.file = Some(path.into());
        self
    }

    /// The least serious level that the logger takes. Requests are always taken. Default: `TRACE`, all of them.
    pub fn min_level(mut self, level: Level) -> Self {
        self.min_level = Some(level);
        self
    }

    /// The most entries per batch, 1 to 10 000. Default: 1 000. A batch goes out when so many wait, counted in whole
    /// chunks of up to 256, or when the flush interval is over.
    pub fn batch_size(mut self, entries: usize) -> Self {
        self.batch_size = Some(entries);
        self
    }

    /// The longest that an entry waits for others, 10 ms to 60 s. Default: 1 s.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = Some(interval);
        self
    }

    /// How batches are compressed. Default: gzip.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// The most bytes of entries in memory, from 1 MiB. Default: 16 MiB. A tenth is reserved for errors.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = Some(bytes);
        self
    }

    /// The most entries in memory, from 1 000. Default: 65 536.
    pub fn queue_entries(mut self, entries: usize) -> Self {
        self.queue_entries = Some(entries);
        self
    }

    /// Which headers are kept, and which names stand for secrets. Default: [`Redaction::default`].
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.redaction = redaction;
        self
    }

    /// Which requests become entries, and of which level. Default: [`Requests::default`].
    pub fn requests(mut self, requests: Requests) -> Self {
        self.requests = requests;
        self
    }

    /// How long a request or a call is open until a `running` entry tells of it, at most a flush interval later; the
    /// entry of its end takes that one's place. Default: 30 s. [`Duration::MAX`] means never.
    pub fn running_after(mut self, open: Duration) -> Self {
        self.running_after = Some(open);
        self
    }

    /// Whose word counts: proxies that say who their client is, and whether callers' trace ids are continued. Default:
    /// [`Trust::default`].
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Ignores the environment: what is not set in code has its default.
    pub fn without_variables(mut self) -> Self {
        self.without_variables = true;
        self
    }

    /// False makes a client that does nothing.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.settings.enabled = Some(enabled);
        self
    }

    /// Checks everything and starts the worker. Does not wait for the collector, which may be down.
    ///
    /// # Errors
    /// Every complaint about settings and variables at once; the log file cannot be opened; no thread can be started.
    pub fn build(self) -> Result<Client, Error> {
        let read = !self.without_variables;
        self.build_from(|name| std::env::var(name).ok().filter(|_| read), None)
    }

    pub(crate) fn build_in_memory(self, memory: Memory) -> Result<Client, Error> {
        self.build_from(|_| None, Some(memory))
    }

    fn build_from(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
        memory: Option<Memory>,
    ) -> Result<Client, Error> {
        let mut complaints = self.settings.fill_from(variable);
        if complaints.is_empty() && self.settings.enabled == Some(false) {
            return Ok(Client::disabled());
        }
        let limits = self.limits(&mut complaints);
        let mut destinations = Vec::new();
        match memory {
            Some(memory) => destinations.push(Destination::Memory(memory)),
            None => {
                destinations.extend(self.collector(limits.1, &mut complaints).map(Destination::Collector));
                destinations.extend(self.lines(&mut complaints));
                if destinations.is_empty() && complaints.is_empty() {
                    complaints.push("no destination: `without_collector` needs `console` or `file`".into());
                }
            }
        }
        let source = self.settings.source(&mut complaints);
        let (redactor, rules) = match (self.redaction.build(), self.requests.build()) {
            (Ok(redactor), Ok(rules)) if complaints.is_empty() => (redactor, rules),
            (redactor, rules) => {
                complaints.extend(redactor.err().into_iter().chain(rules.err()).flatten());
        let trust = self.trust.build(self.settings.trusted_proxies.as_deref(), &mut complaints);
        let redactor = match self.redaction.build() {
            Ok(redactor) if complaints.is_empty() => redactor,
            built => {
                complaints.extend(built.err().unwrap_or_default());
                return Err(Error::config(complaints));
            }
        };
        let min_level = self.min_level.unwrap_or(Level::Trace);
        let mut pipeline = Pipeline::new(Clock::system(), limits.0, redactor, rules, min_level);
        let mut pipeline = Pipeline::new(Clock::system(), limits.0, redactor, min_level);
        pipeline.trust = trust;
        if let Some(after) = self.running_after {
            pipeline.running_after = after;
        }
        let pipeline = Arc::new(pipeline);
        let interval = self.flush_interval.unwrap_or(Duration::from_secs(1));
        let worker = Worker::start(Arc::clone(&pipeline), destinations, source, interval)?;
        Ok(Client::new(pipeline, worker))
    }

    fn limits(&self, complaints: &mut Vec<String>) -> (QueueLimits, BatchLimits) {
        let mut check = |name: &str, value: Option<usize>, default: usize, least: usize, most: usize| {
            let value = value.unwrap_or(default);
            if !(least..=most).contains(&value) {
                complaints.push(format!("`{name}` is {value}; it must be from {least} to {most}"));
            }
            value
        };
        let batch =
            BatchLimits { entries: check("batch_size", self.batch_size, 1_000, 1, 10_000), bytes: 1 << 20 };
        let queue = QueueLimits {
            bytes: check("queue_bytes", self.queue_bytes, 16 << 20, 1 << 20, 1 << 34),
            entries: check("queue_entries", self.queue_entries, 65_536, 1_000, 1 << 30),
            wake_entries: batch.entries,
            wake_bytes: batch.bytes,
        };
        let interval = self.flush_interval.unwrap_or(Duration::from_secs(1));
        if interval < Duration::from_millis(10) || interval > Duration::from_secs(60) {
            complaints.push(format!("`flush_interval` is {interval:?}; it must be from 10 ms to 60 s"));
        }
        (queue, batch)
    }

    fn collector(&self, limits: BatchLimits, complaints: &mut Vec<String>) -> Option<CollectorConfig> {
        if self.without_collector {
            return None;
        }
        let url = self.settings.logs_url(complaints)?;
        let authorization = match &self.settings.api_key {
            None => None,
            Some(key) => match HeaderValue::from_str(&format!("Bearer {key}")) {
                Ok(mut value) => {
                    value.set_sensitive(true);
                    Some(value)
                }
                Err(_) => {
                    complaints.push("`api_key` has characters that a header cannot carry".into());
                    None
                }
            },
        };
        if authorization.is_some()
            && url.scheme() == "http"
            && !self.allow_insecure_http
            && !is_loopback(&url)
        {
            complaints.push(
                "the key would go over plain HTTP to another host: use https, or `allow_insecure_http()` if the way is private"
                    .into(),
            );
        }
        if url.scheme() == "https" && !cfg!(feature = "tls") {
            complaints.push("`endpoint` is https, but hoplog was built without its `tls` feature".into());
        }
        Some(CollectorConfig {
            http: HttpConfig { url, authorization },
            limits,
            gzip: self.compression == Compression::Gzip,
            boot_id: EntryId::generate(Clock::system().unix_ns(crate::clock::Moment::default()) / 1_000_000),
        })
    }

    fn lines(&self, complaints: &mut Vec<String>) -> Vec<Destination> {
        let mut destinations = Vec::new();
        let console = match self.settings.console.as_deref().map(str::trim) {
            None | Some("" | "off") => None,
            Some("text") => Some(Form::Text { colour: settings::colours() }),
            Some("json") => Some(Form::Json),
            Some(other) => {
                complaints.push(format!("HOPLOG_CONSOLE is `{other}`; it must be `text`, `json` or `off`"));
                None
            }
        };
        destinations.extend(console.map(|form| Destination::Lines(Lines::new(form, Sink::Console))));
        if let Some(path) = &self.settings.file {
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(path) {
                Ok(file) => {
                    destinations.push(Destination::Lines(Lines::new(Form::Json, Sink::File(Arc::new(file)))));
                }
                Err(error) => complaints.push(format!("`file` {} cannot be opened: {error}", path.display())),
            }
        }
        destinations
    }
}

#[cfg(test)]
mod tests;
