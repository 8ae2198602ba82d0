//! An actix server on a free port, a client that shows every byte, and the entries.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use actix_web::dev::{Server as Running, ServerHandle};
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer, rt};
use hoplog::testing::{Capture, capture};
use hoplog_actix::{Connection, RequestLog};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(10);

/// What an application has, and may need the client for.
pub(crate) type Configure = fn(&mut ServiceConfig, &hoplog::Client);

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(build: impl FnOnce(TcpListener) -> Running + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (tx, rx) = mpsc::channel();
        let thread = thread::spawn(move || {
            rt::System::new().block_on(async {
                let server = build(listener);
                tx.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { addr, handle: rx.recv().unwrap(), thread: Some(thread) }
    }

    /// The application as it is.
    pub(crate) fn bare(configure: Configure) -> Self {
        Self::start(move |listener| {
            HttpServer::new(move || App::new().configure(|c| configure(c, &hoplog::Client::disabled())))
                .workers(1)
                .disable_signals()
                .h1_allow_half_closed(false)
                .listen(listener)
                .unwrap()
                .run()
        })
    }

    /// The application with the request log; the server tells of each connection that it speaks this TLS.
    pub(crate) fn logged(client: hoplog::Client, configure: Configure, tls: Option<&'static str>) -> Self {
        Self::start(move |listener| {
            HttpServer::new(move || {
                let app = App::new().configure(|c| configure(c, &client));
                app.wrap(RequestLog::new(client.clone()))
            })
            .on_connect(move |_, data| {
                tls.map(|version| data.insert(Connection::with_tls(version)));
            })
            .workers(1)
            .disable_signals()
            .h1_allow_half_closed(false)
            .listen(listener)
            .unwrap()
            .run()
        })
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends a request that is the connection's last, and reads to its end.
    pub(crate) fn ask(&self, line: &str, headers: &[&str]) -> Answer {
        let mut stream = self.connect();
        let mut request = format!("{line} HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        // A server that gives up a body resets the connection; what came before counts.
        let _ = stream.read_to_end(&mut bytes);
        Answer::read(&bytes)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The command is sent at once; the future only waits.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// As it came, chunk marks included.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
            return Self { status: 0, headers: Vec::new(), body: bytes.to_vec() };
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers =
            lines.map(|l| l.split_once(": ").unwrap()).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let value = values.next();
        assert_eq!(values.next(), None, "{name} stands once");
        value
    }
}

/// A logged application and its entries.
pub(crate) struct Rig {
    pub(crate) server: Server,
    capture: Capture,
}

impl Rig {
    pub(crate) fn new(configure: Configure) -> Self {
        Self::with(capture(), configure, None)
    }

    /// Over connections of which the server tells this TLS.
    pub(crate) fn with(capture: Capture, configure: Configure, tls: Option<&'static str>) -> Self {
        Self { server: Server::logged(capture.client(), configure, tls), capture }
    }

    /// The first `count` entries, as soon as they are there.
    pub(crate) fn entries(&self, count: usize) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let entries = self.capture.entries();
            if entries.len() >= count {
                assert_eq!(entries.len(), count, "no more than that: {entries:#?}");
                return entries;
            }
            assert!(Instant::now() < deadline, "{count} entries wanted, there are {entries:#?}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Sends one request; its answer and its one entry.
    pub(crate) fn one(&self, line: &str, headers: &[&str]) -> (Answer, Value) {
        let answer = self.server.ask(line, headers);
        (answer, self.entries(1).remove(0))
    }
}
