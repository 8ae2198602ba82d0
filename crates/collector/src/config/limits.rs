//! Bounds of what others may ask of a collector.

use std::time::Duration;

/// Bounds of connections, bodies and queries. Start from `Limits::default()` and change what must differ.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at once. Default 4 096.
    pub connections: usize,
    /// Connections at once from one address. Default 64.
    pub connections_per_address: usize,
    /// From connecting to the end of a TLS handshake. Default 5 s.
    pub handshake_time: Duration,
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
    /// For a transaction that writes to PostgreSQL, of up to 5 000 entries: a server that is silent for longer is asked over
    /// another connection, or whoever sent is told to come again (503). Default 60 s; 0 is refused at the start.
    pub store_time: Duration,
    /// For one query. Default 10 s, at most 30 s.
    pub query_time: Duration,
    /// Queries at once. Default 4.
    pub queries: usize,
    /// Queries at once, of these, that may read everything: those that count or group, and those for words or metadata.
    /// The others wait. Default: half of the cores, at least 1. With SQLite, `query_nice` says it instead.
    pub scans: usize,
    /// How far a query on SQLite stands behind everything else that wants a processor, as in `nice`: 0 is abreast, 19 is
    /// last. Only on Linux. Default 10.
    pub query_nice: u8,
    /// Followers of `GET /api/v1/tail` at once. Default 32.
    pub followers: usize,
    /// Entries that a follower may be behind, in one day's file; one that is slower is moved on. Default 10 000.
    pub follower_lag: u32,
    /// Entries of an answer to a query, at least 1; a longer listing is cut and says where to go on. Default 10 000.
    pub answer_entries: usize,
    /// Bytes of an answer to a query; a longer listing is cut and says where to go on. Default 16 MiB.
    pub answer_bytes: usize,
    /// Bytes of the log beside a day's file (SQLite's WAL); above, it is moved into the file. At one and a half times
    /// as many, writing waits for the queries that keep it from that. Default 64 MiB.
    pub wal_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            connections: 4096,
            connections_per_address: 64,
            handshake_time: Duration::from_secs(5),
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
            store_time: Duration::from_secs(60),
            query_time: Duration::from_secs(10),
            queries: 4,
            scans: (cores / 2).max(1),
            query_nice: 10,
            followers: 32,
            follower_lag: 10_000,
            answer_entries: 10_000,
            answer_bytes: 16 << 20,
            wal_bytes: 64 << 20,
        }
    }
}
