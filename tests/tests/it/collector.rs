//! A real collector on a free port with a directory of its own, and questions to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hoplog_collector::{Config, Running};
use hoplog_testkit::facts::PATIENCE;
use hoplog_testkit::wire::{Response, Wire};
use serde_json::Value;

/// A directory that is gone with this value.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Whether any file below has these bytes in it.
    pub(crate) fn contains(&self, needle: &[u8]) -> bool {
        self.files().iter().any(|(_, bytes)| bytes.windows(needle.len()).any(|w| w == needle))
    }

    /// What is in it goes by this path.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Every file below, by its path.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut open, mut files) = (vec![self.0.clone()], Vec::new());
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let bytes = std::fs::read(&path).unwrap();
                    files.push((path, bytes));
                }
            }
        }
        files
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A collector that serves.
pub(crate) struct Collector {
    running: Running,
}

impl Collector {
    pub(crate) async fn start(directory: &Directory) -> Self {
        Self::start_on(([127, 0, 0, 1], 0).into(), directory).await
    }

    pub(crate) async fn start_on(address: SocketAddr, directory: &Directory) -> Self {
        let config = Config::default().listen(address).data_dir(&directory.0);
        Self { running: hoplog_collector::Collector::start(config).await.unwrap() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.local_addr()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub(crate) async fn stop(self) {
        self.running.shutdown().await;
    }

    pub(crate) async fn ask(&self, path: &str) -> Value {
        serde_json::from_slice(&get(self.address(), path).await.body).unwrap()
    }

    /// The entries of a trace, oldest first, as soon as so many are stored.
    pub(crate) async fn trace(&self, id: &str, entries: usize) -> Vec<Value> {
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let answer = self.ask(&format!("/api/v1/traces/{id}")).await;
                let logs = answer["logs"].as_array().cloned().unwrap_or_default();
                if logs.len() >= entries {
                    return logs;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        let mut found = found.unwrap_or_else(|_| panic!("{entries} entries of trace {id} in vain"));
        found.sort_by(|a, b| a["created_at"].as_f64().unwrap().total_cmp(&b["created_at"].as_f64().unwrap()));
        found
    }
}

/// A client of a service, which sends no more than it must.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Response {
    get_with(address, path, "").await
}

/// Likewise, with more header lines.
pub(crate) async fn get_with(address: SocketAddr, path: &str, headers: &str) -> Response {
    let mut wire = Wire::connect(address).await;
    wire.send(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{headers}\r\n")).await;
    wire.response("GET").await
}
