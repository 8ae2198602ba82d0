//! A server that answers each connection once with fixed bytes, a logged client, and the entries.

use std::time::{Duration, Instant};

use hoplog::testing::{Capture, capture};
use reqwest_middleware::ClientWithMiddleware;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(10);

/// What the server does with a request once it has read its head.
#[derive(Clone, Copy)]
pub(crate) enum Answers {
    With(&'static str),
    HangsUp,
    Never,
}

/// Where the server listens, and the request heads that it got.
pub(crate) struct Server {
    pub(crate) url: String,
    heads: mpsc::UnboundedReceiver<String>,
}

impl Server {
    pub(crate) async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tx, heads) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                    let mut buffer = [0; 4096];
                    match stream.read(&mut buffer).await {
                        Ok(0) | Err(_) => break,
                        Ok(read) => head.extend_from_slice(&buffer[..read]),
                    }
                }
                let _ = tx.send(String::from_utf8(head).unwrap());
                match answers {
                    Answers::With(text) => stream.write_all(text.as_bytes()).await.unwrap(),
                    Answers::HangsUp => {}
                    Answers::Never => kept.push(stream),
                }
            }
        });
        Self { url, heads }
    }

    /// The next request's head, once the server has read it.
    pub(crate) async fn head(&mut self) -> Head {
        Head(tokio::time::timeout(PATIENCE, self.heads.recv()).await.unwrap().unwrap())
    }
}

pub(crate) struct Head(String);

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.0.lines().filter_map(|l| l.split_once(": ")).filter(|(n, _)| *n == name);
        let value = values.next().map(|(_, value)| value);
        assert_eq!(values.next(), None, "{name} stands once");
        value
    }
}

pub(crate) fn plain() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub(crate) struct Rig {
    pub(crate) http: ClientWithMiddleware,
    pub(crate) capture: Capture,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let capture = capture();
        Self { http: hoplog_reqwest::client(capture.client(), plain()), capture }
    }

    /// The only entry so far, as soon as it is there.
    pub(crate) fn entry(&self) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut entries = self.capture.entries();
            if let Some(entry) = entries.pop() {
                assert!(entries.is_empty(), "one entry per call: {entries:#?} {entry:#?}");
                return entry;
            }
            assert!(Instant::now() < deadline, "no entry came");
        }
    }
}
