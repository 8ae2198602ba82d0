//! Building a client: settings, their defaults, their variables, one check at the end.

mod build;
mod compression;
mod destinations;
mod file;
mod from_file;
mod log_collector;
mod memory;
mod network;
#[cfg(feature = "otlp")]
mod otlp;
mod output;
#[cfg(feature = "toml")]
mod reload;
mod remote;
mod settings;
mod spool;
#[cfg(feature = "toml")]
mod toml;

use std::path::PathBuf;
use std::time::Duration;

use hoplog_entry::Level;

use crate::capture::{Bodies, Requests, Trust};
use crate::client::Client;
use crate::destination::Memory;
use crate::error::Error;
pub use crate::queue::Overflow;
use crate::redact::Redaction;
pub use compression::Compression;
pub use destinations::Console;
pub use file::{LineFormat, LogFile};
pub use log_collector::LogCollector;
pub use network::Network;
#[cfg(feature = "otlp")]
pub use otlp::Otlp;
pub use output::Output;
#[cfg(feature = "toml")]
pub use reload::Reloaded;
#[cfg(feature = "toml")]
pub(crate) use reload::Reloader;
use settings::Settings;
pub use spool::{Durability, Spool};

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
/// | `log_collector` | – | none |
/// | `otlp` (feature `otlp`) | those of OpenTelemetry, see `Otlp` | none |
/// | `console` | `HOPLOG_CONSOLE`: `auto`, `text`, `json`, `ecs`, `off` | off |
/// | `file` | `HOPLOG_FILE`: a path | none |
/// | `destination` | – | none beside these |
/// | `min_level`, `min_level_of` | `HOPLOG_LOG`: `info,my_crate=debug`; goes before what code says | `TRACE`: every level is taken |
/// | `max_events_per_request` | – | 1 000 |
/// | `backtraces` | `RUST_LIB_BACKTRACE`, `RUST_BACKTRACE` | off |
/// | `batch_size` | – | 1 000 entries, or 1 MiB of JSON |
/// | `flush_interval` | – | 1 s |
/// | `spool` | `HOPLOG_SPOOL`: a directory | none: what is not delivered is in memory alone |
/// | `durability` | – | `Spool` where there is one, else `Memory` |
/// | `compression` | – | gzip |
/// | `network` | `HOPLOG_PROXY`: a URL, or `off`; `HOPLOG_ROOT_CERTIFICATES`, `HOPLOG_CLIENT_CERTIFICATE`: paths of PEM files | the system's proxy and authorities |
/// | `queue_bytes`, `queue_entries` | – | 16 MiB, 65 536 |
/// | `overflow` | – | `DropNewest`; a tenth of the memory is reserved for errors |
/// | `redaction` | `HOPLOG_HASH_KEY`: its key for hashes | an allow list of headers, the built-in secret names and shapes, no hashes |
/// | `requests` | – | all; health checks only where they fail |
/// | `trust` | `HOPLOG_TRUSTED_PROXIES`: networks, separated by commas | nobody: the client is the peer; traces are continued |
/// | `bodies` | – | none are kept |
/// | `running_after` | – | 30 s |
/// | `config_file` (feature `toml`) | `HOPLOG_CONFIG`: a path | none |
/// | `without_variables` | – | variables are read |
/// | `enabled` | `HOPLOG_ENABLED`: `true`, `false` | true |
/// <!-- end:configuration -->
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until `build()`"]
pub struct ClientBuilder {
    settings: Settings,
    levels: Vec<(Option<String>, Level)>,
    max_events_per_request: Option<u32>,
    allow_insecure_http: bool,
    without_collector: bool,
    without_variables: bool,
    batch_size: Option<usize>,
    flush_interval: Option<Duration>,
    compression: Option<Compression>,
    network: Network,
    spool: Option<Spool>,
    durability: Option<Durability>,
    queue_bytes: Option<usize>,
    queue_entries: Option<usize>,
    overflow: Option<Overflow>,
    redaction: Redaction,
    requests: Requests,
    running_after: Option<Duration>,
    trust: Trust,
    bodies: Option<Bodies>,
    outputs: Vec<Output>,
    /// Directives that go before none: those of a file.
    base_levels: Option<String>,
    config_file: Option<PathBuf>,
}

impl ClientBuilder {
    /// Where the collector listens: scheme, host, port, and a path prefix if there is one.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.settings.endpoint = Some(url.into().into());
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
        self.settings.api_key = Some(key.into().into());
        self
    }

    /// Lets the key go over plain HTTP to a host that is not loopback. Off by default: anyone on the way can read it.
    pub fn allow_insecure_http(mut self) -> Self {
        self.allow_insecure_http = true;
        self
    }

    /// Sends nothing to a collector; for use with other destinations alone.
    pub fn without_collector(mut self) -> Self {
        self.without_collector = true;
        self
    }

    /// Sends entries to an existing log-collector server as well. May be called several times. Default: none.
    pub fn log_collector(self, server: LogCollector) -> Self {
        self.destination(server)
    }

    /// Sends entries to an OpenTelemetry backend as well. May be called several times. Default: none. Feature `otlp`.
    #[cfg(feature = "otlp")]
    pub fn otlp(self, server: Otlp) -> Self {
        self.destination(server)
    }

    /// Writes entries to standard output as well.
    pub fn console(mut self, console: Console) -> Self {
        self.settings.console = Some(match console {
            Console::Auto => "auto".into(),
            Console::Text => "text".into(),
            Console::Json => "json".into(),
            Console::Ecs => "ecs".into(),
        });
        self
    }

    /// Appends entries to a file as well, as [`LogFile::new`] does it: JSON lines, never rotated.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.file = Some(path.into());
        self
    }

    /// Sends entries to one more destination: a [`Console`], a [`LogFile`], a destination of your own, each with its level and filters;
    /// see [`Output`].
    pub fn destination(mut self, output: impl Into<Output>) -> Self {
        self.outputs.push(output.into());
        self
    }

    /// The least serious level that the logger takes. Requests are always taken. Default: `TRACE`, all of them.
    ///
    /// `HOPLOG_LOG` changes it, and [`min_level_of`](Self::min_level_of), without a new build: as `info`, or
    /// `warn,my_crate=debug,my_crate::db=off`. Unlike other variables it goes before what code says.
    pub fn min_level(mut self, level: Level) -> Self {
        self.levels.push((None, level));
        self
    }

    /// Likewise for a module and what lies below it, `my_crate` or `my_crate::db`; the longest that fits counts. The
    /// macros know their module, and so does `tracing`; a method such as [`Client::info`] goes by
    /// [`min_level`](Self::min_level) alone.
    pub fn min_level_of(mut self, target: impl Into<String>, level: Level) -> Self {
        self.levels.push((Some(target.into()), level));
        self
    }

    /// The most entries that may be logged in one request. Default: 1 000. What goes beyond is counted: as
    /// `events_dropped` in the request's entry, and as `rate_limited_local` in [`Stats::refused`](crate::Stats).
    pub fn max_events_per_request(mut self, entries: u32) -> Self {
        self.max_events_per_request = Some(entries);
        self
    }

    /// Whether [`EntryBuilder::error`](crate::EntryBuilder::error) and failed timers add a backtrace of the call, which
    /// costs up to a millisecond. Default: where `RUST_LIB_BACKTRACE`, else `RUST_BACKTRACE` is set and not `0`.
    pub fn backtraces(mut self, wanted: bool) -> Self {
        self.settings.backtraces = Some(wanted);
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

    /// A directory that keeps entries for destinations over HTTP while they cannot be delivered; see [`Spool`] for its
    /// caps, and `docs/delivery.md` for what is lost when. Not in a place that others may write to, such as `/tmp`. Several
    /// processes may share it. Default: none.
    ///
    /// ```no_run
    /// let client = hoplog::Client::builder().spool("/var/lib/shop/spool").build()?;
    /// # Ok::<(), hoplog::Error>(())
    /// ```
    pub fn spool(mut self, spool: impl Into<Spool>) -> Self {
        self.spool = Some(spool.into());
        self
    }

    /// What a killed process may lose. Default: [`Durability::Spool`] where [`spool`](Self::spool) names a directory, else
    /// [`Durability::Memory`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = Some(durability);
        self
    }

    /// How batches are compressed. Default: gzip.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// Which headers are kept, which names stand for secrets, what secrets look like. Default: [`Redaction::default`].
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.redaction = redaction;
        self
    }

    /// Which requests become entries, and of which level. Default: [`Requests::default`].
    pub fn requests(mut self, requests: Requests) -> Self {
        self.requests = requests;
        self
    }

    /// Keeps the first bytes of request and response bodies, masked. Default: none are kept.
    pub fn bodies(mut self, bodies: Bodies) -> Self {
        self.bodies = Some(bodies);
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

    /// Reads a TOML file for what neither code nor a variable says, at [`ClientBuilder::build`] and at
    /// [`Client::reload`]. Its destinations come on top of those in code. What has no key here is said in code alone:
    /// redaction, bodies, which requests become entries, whose traces are continued. Default: none. Feature `toml`.
    ///
    /// ```toml
    /// service = "shop"
    /// environment = "production"
    /// log = "info,shop::cart=debug"        # as HOPLOG_LOG, which goes before it
    /// trusted_proxies = ["10.0.0.0/8"]
    /// flush_interval = "1s"                # also: service_version, log_type, hash_key, enabled, backtraces,
    /// durability = "spool"                 # memory, spool, write_through
    /// queue_bytes = "16MiB"                # max_events_per_request, batch_size, compression, queue_entries, running_after,
    /// overflow = "drop_newest"             # drop_newest, drop_oldest, or how long a call waits: "50ms"
    ///
    /// [spool]                              # also: leave_free, sync_after, keep_oldest, open_requests
    /// dir = "/var/lib/shop/spool"
    /// max_bytes = "512MiB"
    /// max_age = "7d"
    ///
    /// [collector]                          # also: enabled, api_key, allow_insecure_http
    /// endpoint = "https://logs.internal"
    /// kinds = ["request", "outgoing"]
    ///
    /// [network]                            # also: client_certificate, connect_timeout, timeout
    /// proxy = "http://proxy.internal:3128" # or "off"
    /// root_certificates = "/etc/shop/ca.pem"
    ///
    /// [[destination]]
    /// kind = "file"
    /// name = "audit"                       # each has: name, min_level, kinds, targets
    /// min_level = "warn"
    /// path = "/var/log/shop/audit.jsonl"
    /// format = "ecs"                       # json, text, ecs
    /// max_bytes = "100MiB"
    /// rotate = "daily"                     # daily, hourly; also: local_time, mode, follow_links
    /// keep = 14
    /// keep_for = "30d"
    /// gzip = true
    ///
    /// [[destination]]
    /// kind = "console"                     # format: auto, text, json, ecs
    ///
    /// [[destination]]
    /// kind = "otlp"   # also: logs_endpoint, timeout, compression, resource, without_variables; and `log_collector`
    /// endpoint = "http://127.0.0.1:4318"
    /// headers = { x-tenant = "shop" }
    /// ```
    #[cfg(feature = "toml")]
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.config_file = Some(path.into());
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
}

#[cfg(test)]
mod tests;
