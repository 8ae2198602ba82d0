//! What a collector is told before it starts.

mod limits;

pub use limits::Limits;

use crate::error::StartError;
use crate::floor::{DiskSpace, Probe};
use crate::http::guard::quota::Quotas;
use crate::store::open::Address;
use crate::store::postgres::Indexes;
use crate::time::Clock;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How a collector runs. Every setting has a default; [`Collector::start`](crate::Collector::start) checks them.
///
/// | setting | default |
/// |---|---|
/// | `listen` | 127.0.0.1:8000 |
/// | `data_dir` | `./hoplog-data` |
/// | `store` | `sqlite:` and the data directory |
/// | `postgres_indexes` | `Queries` |
/// | `postgres_writers` | 3 |
/// | `api_key` | none: open, and then only on loopback |
/// | `allow_origin` | none: no page of another origin may send |
/// | `retention_days` | 30 |
/// | `retention_bytes` | 10 GiB |
/// | `disk_floor` | 5 % |
/// | `drain_lag`, `drain_time` | none, 25 s |
#[derive(Debug, Clone)]
#[must_use]
pub struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) store: Option<StoreUrl>,
    pub(crate) postgres_indexes: Indexes,
    pub(crate) postgres_writers: usize,
    pub(crate) api_key: Option<Secret>,
    pub(crate) pepper: Option<Secret>,
    /// `CIDR=PROJECT`; checked at the start, as are the proxies.
    pub(crate) open_from: Vec<String>,
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) quotas: Quotas,
    pub(crate) insecure_listen: bool,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) retention_days: u32,
    pub(crate) retention_bytes: u64,
    pub(crate) disk_floor: u8,
    pub(crate) drain_lag: Duration,
    pub(crate) drain_time: Duration,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) probe: Probe,
}

/// Where entries are kept. It may hold a password, so it is not printed.
#[derive(Clone)]
pub(crate) struct StoreUrl(pub(crate) String);

impl std::ops::Deref for StoreUrl {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[a store]")
    }
}

/// A key; it shows itself to nobody.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            data_dir: "hoplog-data".into(),
            store: None,
            postgres_indexes: Indexes::default(),
            postgres_writers: 3,
            api_key: None,
            pepper: None,
            open_from: Vec::new(),
            trusted_proxies: Vec::new(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            quotas: Quotas::default(),
            insecure_listen: false,
            tls_cert: None,
            tls_key: None,
            retention_days: 30,
            retention_bytes: 10 << 30,
            disk_floor: 5,
            drain_lag: Duration::ZERO,
            drain_time: Duration::from_secs(25),
            limits: Limits::default(),
            clock: Clock::default(),
            probe: Probe::default(),
        }
    }
}

impl Config {
    /// The address to listen on; port 0 takes a free one. An address beyond loopback needs a key.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The directory for data; made if missing.
    pub fn data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data_dir = directory.into();
        self
    }

    /// Where entries are kept: `sqlite:PATH`, a directory of one file per UTC day, or `postgres://user@host/database`.
    pub fn store(mut self, store: impl Into<String>) -> Self {
        self.store = Some(StoreUrl(store.into()));
        self
    }

    /// Which indexes PostgreSQL keeps for the days that are made from now on. Default: those that questions need.
    pub fn postgres_indexes(mut self, indexes: Indexes) -> Self {
        self.postgres_indexes = indexes;
        self
    }

    /// Connections on which PostgreSQL is written to, from 1 to 64. Of three, one copies rows while one commits and one gets
    /// ready, with the lean indexes two; of six, two (five). Questions have others, as many as `Limits::queries`. Default 3.
    pub fn postgres_writers(mut self, connections: usize) -> Self {
        self.postgres_writers = connections;
        self
    }

    /// The key that every sender and reader must show, as `Authorization: Bearer` or `X-API-Key`. An empty one is
    /// none.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(Secret(key.into())).filter(|k| !k.0.is_empty());
        self
    }

    /// What goes into the hashes of keys, so that whoever reads those cannot try secrets against them; several
    /// collectors on one database need the same. Default: `keys.pepper` in the data directory, made with the first key.
    pub fn key_pepper(mut self, pepper: impl Into<String>) -> Self {
        self.pepper = Some(Secret(pepper.into())).filter(|k| !k.0.is_empty());
        self
    }

    /// TLS, by a chain of certificates and its key in PEM. Files that change are read again within seconds. Default: none,
    /// which beyond loopback takes `insecure_listen` or networks that are open.
    pub fn tls(mut self, certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        (self.tls_cert, self.tls_key) = (Some(certificates.into()), Some(key.into()));
        self
    }

    /// Takes plain HTTP from anywhere: behind a proxy that speaks TLS, or in a network that nobody else listens to.
    /// `/readyz` says so. Default: from loopback alone, and from networks that are open without a key.
    pub fn insecure_listen(mut self, insecure: bool) -> Self {
        self.insecure_listen = insecure;
        self
    }

    /// A network from where entries may be sent without a key, and the name of the project that they are for:
    /// `10.1.0.0/16=shop`. For clients that have no option for a key; nothing can be asked from there. Default: none,
    /// but loopback may do everything as long as there is no key at all.
    pub fn open_from(mut self, network_and_project: impl Into<String>) -> Self {
        self.open_from.push(network_and_project.into());
        self
    }

    /// A network of proxies whose `X-Forwarded-For` is believed, for keys and networks that are bound to addresses.
    /// Default: none.
    pub fn trusted_proxy(mut self, network: impl Into<String>) -> Self {
        self.trusted_proxies.push(network.into());
        self
    }

    /// A name by which a browser may call what is open without a key. Default: those of loopback, and the address that
    /// was connected to.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.allowed_hosts.push(name.into());
        self
    }

    /// Requests per second of a key that says nothing else. Default: no bound.
    pub fn requests_per_second(mut self, most: u32) -> Self {
        self.quotas.requests_per_second = Some(most.max(1));
        self
    }

    /// Bytes of entries, inflated, per second of a key that says nothing else. Default: no bound.
    pub fn bytes_per_second(mut self, most: u64) -> Self {
        self.quotas.bytes_per_second = Some(most.max(1));
        self
    }

    /// Bytes of entries, inflated, per UTC day of a project that says nothing else, through all collectors on
    /// one store. Default: no bound.
    pub fn project_bytes_per_day(mut self, most: u64) -> Self {
        self.quotas.project_bytes_per_day = Some(most);
        self
    }

    /// Adds an origin whose pages may send entries from a browser, such as `https://shop.example`. Default: none.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.allowed_origins.push(origin.into());
        self
    }

    /// Days that entries are kept, at least 1; looked at every hour.
    pub fn retention_days(mut self, days: u32) -> Self {
        self.retention_days = days.max(1);
        self
    }

    /// Bytes that entries may take on disk; above, the oldest days go, but never today.
    pub fn retention_bytes(mut self, bytes: u64) -> Self {
        self.retention_bytes = bytes;
        self
    }

    /// Percent of the disk that stay free, at most 100: with less, entries are answered with 507 and `/readyz` with
    /// 503, while questions are answered and old days deleted. 0 fills the disk.
    pub fn disk_floor(mut self, percent: u8) -> Self {
        self.disk_floor = percent.min(100);
        self
    }

    /// How long [`Running::shutdown`](crate::Running::shutdown) goes on accepting while `/readyz` already says no,
    /// for balancers to notice.
    pub fn drain_lag(mut self, lag: Duration) -> Self {
        self.drain_lag = lag;
        self
    }

    /// How long a shutdown waits for requests under way.
    pub fn drain_time(mut self, time: Duration) -> Self {
        self.drain_time = time;
        self
    }

    /// The bounds of requests.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where the time of day comes from; for tests.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// Where the room on a directory's disk is asked for; for tests.
    pub fn disk_space(
        mut self,
        measure: impl Fn(&Path) -> io::Result<DiskSpace> + Send + Sync + 'static,
    ) -> Self {
        self.probe = Probe::new(measure);
        self
    }
}

impl Config {
    /// What is wrong with it, as far as that can be told without looking anywhere else.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let checks = [
            (
                self.tls_cert.is_some() != self.tls_key.is_some(),
                "`tls.cert` and `tls.key` go together: set both",
            ),
            (self.retention_days == 0, "`retention.days` must be at least 1"),
            (self.disk_floor > 100, "`disk_floor` is a percentage: at most 100"),
            (self.limits.queries == 0, "`limits.queries` must be at least 1"),
            (self.limits.scans == 0, "`limits.scans` must be at least 1"),
            (
                self.limits.store_time.is_zero(),
                "`limits.store_time` must be longer than nothing: 60s is the default",
            ),
            (self.limits.query_nice > 19, "`limits.query_nice` must be at most 19"),
            (self.limits.answer_entries == 0, "`limits.answer_entries` must be at least 1"),
            (!(1..=64).contains(&self.postgres_writers), "`postgres_writers` must be between 1 and 64"),
            (self.quotas.requests_per_second == Some(0), "`quotas.requests_per_second` must be at least 1"),
            (self.quotas.bytes_per_second == Some(0), "`quotas.bytes_per_second` must be at least 1"),
            (self.limits.batch_entries > 100_000, "`limits.batch_entries` must be at most 100000"),
        ];
        let wrong = checks.into_iter().filter(|(wrong, _)| *wrong);
        wrong.map(|(_, why)| why.to_owned()).collect()
    }

    /// Where keys are, and SQLite's files.
    pub(crate) fn directory(&self) -> Result<PathBuf, StartError> {
        Ok(match Address::of(self)? {
            Address::Sqlite(directory) => directory,
            Address::Postgres(_) => self.data_dir.clone(),
        })
    }
}
