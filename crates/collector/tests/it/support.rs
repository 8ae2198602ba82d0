//! A collector of one's own on a free port, in a directory of its own, and a plain HTTP client.

use hoplog_collector::{Collector, Config, Running};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::marker::PhantomData;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

/// 2026-03-10T12:00:00Z: the noon at which the collectors of these tests live.
pub(crate) const NOON: u64 = 1_773_144_000;

/// A new id of this time, also of one before that of the last id: no thread's ids ever go back, hence one of its own.
pub(crate) fn id_of(seconds: u64) -> String {
    let id = std::thread::spawn(move || hoplog_entry::EntryId::generate(seconds * 1000)).join().unwrap();
    assert_eq!(id.unix_ms(), Some(seconds * 1000));
    id.to_string()
}

/// A directory that is gone with this value.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("hoplog-it-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(runtime);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Unix seconds, moved by hand.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn set(&self, seconds: u64) {
        self.0.store(seconds, Relaxed);
    }
}

/// What a collector under test keeps its entries in.
pub(crate) trait Backend {
    /// Whether a number comes back as it was spelled.
    const KEEPS_EXPONENTS: bool;

    /// The store that belongs to a directory; the same one each time. `None` is the directory itself.
    fn store(directory: &Path) -> Option<String>;
}

/// Files in the directory.
pub(crate) struct Sqlite;

impl Backend for Sqlite {
    const KEEPS_EXPONENTS: bool = true;

    fn store(_: &Path) -> Option<String> {
        None
    }
}

/// A database of its own, in a cluster that all tests share. Where there is no PostgreSQL, which is then said aloud, the
/// test runs on SQLite once more.
pub(crate) struct Postgres;

impl Backend for Postgres {
    const KEEPS_EXPONENTS: bool = false;

    fn store(directory: &Path) -> Option<String> {
        let cluster = hoplog_testdb::shared()?;
        let known = directory.join("database");
        let url = std::fs::read_to_string(&known).unwrap_or_else(|_| {
            let url = cluster.database();
            std::fs::write(&known, &url).unwrap();
            url
        });
        Some(url)
    }
}

impl<S> Drop for ServerOn<S> {
    fn drop(&mut self) {
        self.running.take();
        // Whatever still runs there is not waited for.
        self.runtime.take().into_iter().for_each(tokio::runtime::Runtime::shutdown_background);
    }
}

/// One that keeps files.
pub(crate) type Server = ServerOn<Sqlite>;

/// A collector under test.
pub(crate) struct ServerOn<S> {
    store: PhantomData<S>,
    running: Option<Running>,
    /// Its own: ids are made by a thread's generator, which never goes back, whatever another server's clock said.
    runtime: Option<tokio::runtime::Runtime>,
    pub(crate) address: SocketAddr,
    pub(crate) directory: Arc<TempDir>,
    pub(crate) clock: Clock,
}

impl<S: Backend> ServerOn<S> {
    pub(crate) const KEEPS_EXPONENTS: bool = S::KEEPS_EXPONENTS;

    pub(crate) fn start() -> Self {
        Self::with(|config| config)
    }

    pub(crate) fn with(change: impl FnOnce(Config) -> Config) -> Self {
        Self::in_directory(Arc::new(TempDir::new()), change)
    }

    pub(crate) fn in_directory(directory: Arc<TempDir>, change: impl FnOnce(Config) -> Config) -> Self {
        let clock = Clock(Arc::new(AtomicU64::new(NOON)));
        let hand = clock.clone();
        let config = Self::config(directory.path())
            .listen("127.0.0.1:0".parse().unwrap())
            .clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(hand.0.load(Relaxed)));
        let runtime = runtime();
        let running = runtime.block_on(Collector::start(change(config))).unwrap();
        let (address, running) = (running.local_addr(), Some(running));
        Self { store: PhantomData, address, running, runtime: Some(runtime), directory, clock }
    }

    /// What a collector on this directory, or on the store that belongs to it, is told.
    pub(crate) fn config(directory: &Path) -> Config {
        let config = Config::default().data_dir(directory);
        match S::store(directory) {
            Some(store) => config.store(store),
            None => config,
        }
    }

    /// The address of the store that belongs to a directory, if it is not that.
    pub(crate) fn store(directory: &Path) -> Option<String> {
        S::store(directory)
    }

    /// What a database holds of keys; nothing of a store that keeps files.
    pub(crate) fn keys_as_text(directory: &Path) -> String {
        let url = S::store(directory).zip(hoplog_testdb::shared());
        url.map_or_else(String::new, |(url, cluster)| {
            cluster.sql(&url, "SELECT k, encode(hash, 'escape') FROM log_keys k; SELECT * FROM log_key_book")
        })
    }

    /// The names of the files that it keeps; none for a store that keeps none.
    pub(crate) fn files(&self) -> Option<Vec<String>> {
        let keeps = S::store(self.directory.path()).is_none();
        let files = std::fs::read_dir(self.directory.path()).unwrap().map(|f| f.unwrap().file_name());
        keeps.then(|| files.map(|name| name.to_string_lossy().into_owned()).collect())
    }

    /// Drains it, and gives the directory back.
    pub(crate) fn stop(mut self) -> Arc<TempDir> {
        RUNTIME.block_on(self.running.take().unwrap().shutdown());
        Arc::clone(&self.directory)
    }

    /// Begins to drain it, and does not wait.
    pub(crate) fn begin_stop(&mut self) -> tokio::task::JoinHandle<()> {
        RUNTIME.spawn(self.running.take().unwrap().shutdown())
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        request(self.address, "GET", path, &[], b"")
    }

    /// The `logs` of a question.
    pub(crate) fn logs(&self, query: &str) -> Vec<Value> {
        let response = self.get(&format!("/api/v1/logs{query}"));
        assert_eq!(response.status, 200, "{query}: {response:?}");
        response.json()["logs"].as_array().unwrap().clone()
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        request(self.address, "POST", path, &all, body)
    }

    /// Sends entries; the answer to them.
    pub(crate) fn send(&self, logs: Value) -> Value {
        let response = self.post("/logs", &[], json!({ "logs": logs }).to_string().as_bytes());
        assert_eq!(response.status, 200, "{response:?}");
        let answer = response.json();
        let sum: u64 = answer["accepted"].as_u64().unwrap()
            + answer["duplicates"].as_u64().unwrap()
            + answer["rejected"].as_array().unwrap().len() as u64;
        assert_eq!(answer["count"], sum, "every entry has one verdict");
        answer
    }

    /// Sends one entry and asks for it.
    pub(crate) fn round_trip(&self, entry: &str) -> Value {
        let marker = hoplog_entry::EntryId::generate(NOON * 1000);
        let body = entry.replacen('{', &format!("{{\"id\":\"{marker}\","), 1).replace(",}", "}");
        let response = self.post("/logs", &[], format!("{{\"logs\":[{body}]}}").as_bytes());
        assert_eq!(response.status, 200, "{entry}: {response:?}");
        assert_eq!(response.json()["accepted"], 1, "{entry}: {response:?}");
        let found = self.get(&format!("/api/v1/logs/{marker}"));
        assert_eq!(found.status, 200, "{entry}: {found:?}");
        found.json()
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// One request on a connection of its own.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response {
    let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head.push_str("host: localhost\r\n");
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if method == "POST" {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    exchange(address, &[head.as_bytes(), body].concat())
}

/// The same from another address of loopback's, without a body.
pub(crate) fn request_from(
    from: usize,
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\nhost: localhost\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let stream = RUNTIME.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 3, u8::try_from(from).unwrap()], 0))).unwrap();
        socket.connect(address).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    exchange_on(stream, (head + "\r\n").as_bytes())
}

/// The paths that answer `GET`, with their places for parameters: those known here, and all that the collector names.
pub(crate) fn get_routes<S: Backend>(server: &ServerOn<S>) -> Vec<String> {
    let known = [
        "/",
        "/stats",
        "/metrics",
        "/healthz",
        "/readyz",
        "/livez",
        "/api/v1/logs",
        "/api/v1/logs/{id}",
        "/api/v1/services",
        "/api/v1/routes",
        "/api/v1/completeness",
        "/api/v1/traces/{trace_id}",
        "/api/v1/tail",
    ];
    let mut routes: Vec<String> = known.map(str::to_owned).to_vec();
    let named = server.get("/openapi.json");
    if named.status == 200 {
        let paths = named.json()["paths"].as_object().unwrap().clone();
        routes.extend(paths.into_iter().filter(|(_, path)| path.get("get").is_some()).map(|(name, _)| name));
    }
    routes.sort();
    routes.dedup();
    routes
}

/// Sends bytes as they are and reads until the other side closes.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Response {
    exchange_on(connect(address), bytes)
}

fn exchange_on(mut stream: TcpStream, bytes: &[u8]) -> Response {
    // A server that refuses early may close before all is sent; what it said counts.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Response::parse(&answer)
}

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}
