//! The scripted collector itself.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::answer::Kind;
use super::{Answer, Received};
use crate::facts::fact_blocking;

/// See [the module](super). Dropped, it closes its connections and its port.
#[derive(Debug)]
pub struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    script: Mutex<VecDeque<Answer>>,
    /// What answers when the script is over.
    judge: fn(&Received) -> Answer,
    received: Mutex<Vec<Received>>,
    /// How long a connection may be silent between two requests.
    idle: Mutex<Option<Duration>>,
}

impl Scripted {
    /// Listens on a free port of loopback.
    #[must_use]
    pub fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        Self::start_on(([127, 0, 0, 1], 0).into(), script)
    }

    /// Listens on a free port; after the script, `judge` answers each request.
    #[must_use]
    pub fn judging(script: impl IntoIterator<Item = Answer>, judge: fn(&Received) -> Answer) -> Self {
        Self::listen(([127, 0, 0, 1], 0).into(), script, judge)
    }

    /// Listens on this address.
    ///
    /// # Panics
    /// The address is in use.
    #[must_use]
    pub fn start_on(address: SocketAddr, script: impl IntoIterator<Item = Answer>) -> Self {
        Self::listen(address, script, |_| Answer::stored())
    }

    fn listen(
        address: SocketAddr,
        script: impl IntoIterator<Item = Answer>,
        judge: fn(&Received) -> Answer,
    ) -> Self {
        let script = Mutex::new(script.into_iter().collect());
        let shared = Arc::new(Shared { script, judge, received: Mutex::default(), idle: Mutex::default() });
        let listener = std::net::TcpListener::bind(address).expect("an address to listen on");
        listener.set_nonblocking(true).expect("a listener to be polled");
        let address = listener.local_addr().expect("a bound address");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (stop, stopped) = oneshot::channel::<()>();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a runtime with I/O");
                tokio::select! {
                    () = serve(listener, served) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Closes connections that are silent for so long between two requests, as servers do.
    ///
    /// # Panics
    /// A thread of it has panicked.
    pub fn close_idle(&self, after: Duration) {
        *self.shared.idle.lock().expect("no panic while it is held") = Some(after);
    }

    /// What a client is pointed to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far, in the order in which they were whole.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("no panic while it is held").clone()
    }

    /// Every entry so far, of every batch.
    #[must_use]
    pub fn entries(&self) -> Vec<serde_json::Value> {
        self.received().iter().flat_map(|r| r.entries().to_vec()).collect()
    }

    /// Waits until this many requests are there; returns all.
    ///
    /// # Panics
    /// They do not come.
    #[must_use]
    pub fn wait_for(&self, requests: usize) -> Vec<Received> {
        fact_blocking(&format!("{requests} requests at the collector"), || {
            Some(self.received()).filter(|received| received.len() >= requests)
        })
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed, and the test that waited for its facts has failed.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    for connection in 0.. {
        let Ok((stream, _)) = listener.accept().await else { return };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A client that leaves is part of the tests.
            let _ = converse(stream, connection, &shared).await;
        });
    }
}

async fn converse(mut stream: TcpStream, connection: usize, shared: &Shared) -> io::Result<()> {
    let mut buffer = Vec::new();
    for nth in 0.. {
        if nth > 0 && buffer.is_empty() && is_idle(&stream, shared).await {
            return Ok(());
        }
        let Some(request) = read(&mut stream, &mut buffer, connection).await? else { return Ok(()) };
        let answer = {
            // Both under one lock, so that answers go out in the order of arrival.
            let mut received = shared.received.lock().expect("no panic while it is held");
            received.push(request.clone());
            shared.script.lock().expect("no panic while it is held").pop_front()
        };
        let answer = answer.unwrap_or_else(|| (shared.judge)(&request));
        if let Some(gate) = &answer.gate {
            gate.pass().await;
        }
        stream.write_all(&answer.bytes(&request)).await?;
        match answer.kind {
            Kind::Reset => return stream.set_zero_linger(),
            Kind::Cut => return stream.shutdown().await,
            _ if answer.ends_connection() => return stream.shutdown().await,
            _ => {}
        }
    }
    Ok(())
}

/// Whether nothing comes for longer than it is waited.
async fn is_idle(stream: &TcpStream, shared: &Shared) -> bool {
    let idle = *shared.idle.lock().expect("no panic while it is held");
    match idle {
        Some(idle) => timeout(idle, stream.readable()).await.is_err(),
        None => false,
    }
}

async fn read(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    connection: usize,
) -> io::Result<Option<Received>> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    while buffer.len() < end + length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let body = buffer[end..end + length].to_vec();
    buffer.drain(..end + length);
    Ok(Some(Received::new(&head, body, connection)))
}
