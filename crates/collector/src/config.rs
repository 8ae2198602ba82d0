//! What a collector is told before it starts.

use crate::floor::{DiskSpace, Probe};
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
/// | `api_key` | none: open, and then only on loopback |
/// | `retention_days` | 30 |
/// | `retention_bytes` | 10 GiB |
/// | `disk_floor` | 5 % |
/// | `drain_lag`, `drain_time` | none, 25 s |
#[derive(Debug, Clone)]
#[must_use]
pub struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) store: Option<String>,
    pub(crate) postgres_indexes: Indexes,
    pub(crate) api_key: Option<Secret>,
    pub(crate) retention_days: u32,
    pub(crate) retention_bytes: u64,
    pub(crate) disk_floor: u8,
    pub(crate) drain_lag: Duration,
    pub(crate) drain_time: Duration,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) probe: Probe,
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
            api_key: None,
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
        self.store = Some(store.into());
        self
    }

    /// Which indexes PostgreSQL keeps for the days that are made from now on. Default: those that questions need.
    pub fn postgres_indexes(mut self, indexes: Indexes) -> Self {
        self.postgres_indexes = indexes;
        self
    }

    /// The key that every sender and reader must show, as `Authorization: Bearer` or `X-API-Key`. An empty one is
    /// none.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(Secret(key.into())).filter(|k| !k.0.is_empty());
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

/// Bounds of connections, bodies and queries. Start from `Limits::default()` and change what must differ.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at once. Default 4 096.
    pub connections: usize,
    /// Connections at once from one address. Default 64.
    pub connections_per_address: usize,
    /// Bytes of a request's head, at least 8 192 (hyper's least). Default 16 KiB.
    pub header_bytes: usize,
    /// Headers of a request. Default 100.
    pub header_count: usize,
    /// From connecting, or from the first byte of a later request, to the end of the head. Default 10 s.
    pub header_time: Duration,
    /// How long a connection may rest between requests. Default 75 s.
    pub keep_alive: Duration,
    /// How long a client may take no byte of an answer. Default 30 s.
    pub write_idle: Duration,
    /// Between two pieces of a body. Default 10 s.
    pub body_idle: Duration,
    /// For a whole body. Default 60 s.
    pub body_total: Duration,
    /// Bytes of a plain or inflated body. Default 32 MiB.
    pub body_bytes: usize,
    /// Bytes of a compressed body. Default 8 MiB.
    pub compressed_bytes: usize,
    /// How many times the bytes read so far a body may inflate to, after the first 256 KiB. Default 200.
    pub inflate_ratio: usize,
    /// Entries of a batch. Default 10 000, at most 100 000.
    pub batch_entries: usize,
    /// Bytes of an entry. Default 256 KiB.
    pub entry_bytes: usize,
    /// Containers within containers in an entry. Default 32.
    pub json_depth: usize,
    /// Bytes of all bodies in memory together. Default 64 MiB.
    pub memory_bytes: usize,
    /// How long a body waits for memory before it is answered 503. Default 1 s.
    pub memory_wait: Duration,
    /// For one query. Default 10 s, at most 30 s.
    pub query_time: Duration,
    /// Queries at once. Default 4.
    pub queries: usize,
    /// Followers of `GET /api/v1/tail` at once. Default 32.
    pub followers: usize,
    /// Entries that a follower may be behind, in one day's file; one that is slower is moved on. Default 10 000.
    pub follower_lag: u32,
    /// Bytes of an answer to a query; a longer listing is cut and says where to go on. Default 16 MiB.
    pub answer_bytes: usize,
    /// Bytes of the log beside a day's file (SQLite's WAL); above, it is moved into the file. At one and a half times
    /// as many, writing waits for the queries that keep it from that. Default 64 MiB.
    pub wal_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 64,
            header_bytes: 16 * 1024,
            header_count: 100,
            header_time: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            write_idle: Duration::from_secs(30),
            body_idle: Duration::from_secs(10),
            body_total: Duration::from_secs(60),
            body_bytes: 32 << 20,
            compressed_bytes: 8 << 20,
            inflate_ratio: 200,
            batch_entries: 10_000,
            entry_bytes: 256 * 1024,
            json_depth: 32,
            memory_bytes: 64 << 20,
            memory_wait: Duration::from_secs(1),
            query_time: Duration::from_secs(10),
            queries: 4,
            followers: 32,
            follower_lag: 10_000,
            answer_bytes: 16 << 20,
            wal_bytes: 64 << 20,
        }
    }
}
