//! HTTP/1.1 by hand: bytes go out as they are written, bytes come in as they are.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::facts::soon;

/// More than any answer of the suites; an endless one is cut by its reader.
const MOST: usize = 4 * 1024 * 1024;

/// One connection of a client.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    /// Received and not taken yet.
    buffer: Vec<u8>,
}

/// An answer and the bytes it came in.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Without the framing of chunks.
    pub body: Vec<u8>,
    /// Status line and headers, then the body as it was framed.
    pub raw: Vec<u8>,
    /// Whether a `100 Continue` came before it.
    pub continued: bool,
}

impl Wire {
    /// Connects.
    ///
    /// # Panics
    /// Nobody listens.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = soon("a connection", TcpStream::connect(address)).await.expect("a server");
        Self { stream, buffer: Vec::new() }
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// The connection is broken.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("a connection that takes bytes");
    }

    /// Reads one whole response; `method` is that of its request, for HEAD is answered without a body.
    ///
    /// # Panics
    /// It does not come, or is no HTTP/1.1.
    pub async fn response(&mut self, method: &str) -> Response {
        let (mut status, mut headers, mut head) = self.head().await;
        let continued = status == 100;
        if continued {
            self.take(head);
            (status, headers, head) = self.head().await;
        }
        let mut raw = self.take(head);
        let mut body = Vec::new();
        let header = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        if method == "HEAD" || matches!(status, 100..200 | 204 | 304) {
        } else if header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
            loop {
                let (framed, data) = self.chunk().await;
                raw.extend_from_slice(&framed);
                if data.is_empty() {
                    break;
                }
                body.extend_from_slice(&data);
            }
        } else if let Some(length) = header("content-length") {
            let length = length.parse().expect("a length");
            while self.buffer.len() < length {
                assert!(self.more().await, "the body ends before its declared length");
            }
            body = self.take(length);
            raw.extend_from_slice(&body);
        } else {
            body = self.rest().await;
            raw.extend_from_slice(&body);
        }
        Response { status, headers, body, raw, continued }
    }

    /// Reads a `100 Continue`.
    ///
    /// # Panics
    /// Another answer comes, or none.
    pub async fn go_ahead(&mut self) {
        let (status, _, head) = self.head().await;
        assert_eq!(status, 100, "the server wants the body");
        self.take(head);
    }

    /// Waits until a response has begun and `bytes` of its body, framing included, are there; takes nothing.
    ///
    /// # Panics
    /// They do not come.
    pub async fn body_begins(&mut self, bytes: usize) {
        let (_, _, head) = self.head().await;
        while self.buffer.len() < head + bytes {
            assert!(self.more().await, "the connection ends before the body does");
        }
    }

    /// Reads so many bytes as they are.
    ///
    /// # Panics
    /// They do not come.
    pub async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.more().await, "the connection ends before {count} bytes");
        }
        self.take(count)
    }

    /// A response that ends with the connection, as far as it came; its body is left as it was framed. `None` where not
    /// even a head came.
    pub async fn until_end(&mut self) -> Option<Response> {
        while self.more().await {}
        let end = self.buffer.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
        let (status, headers, _) = self.head().await;
        let raw = std::mem::take(&mut self.buffer);
        Some(Response { status, headers, body: raw[end..].to_vec(), raw, continued: false })
    }

    /// Everything up to the end of the connection, however it ends.
    async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.buffer)
    }

    /// The head that comes next: status, headers, length in bytes. Takes nothing.
    async fn head(&mut self) -> (u16, Vec<(String, String)>, usize) {
        let end = self.find(b"\r\n\r\n").await + 4;
        let text = std::str::from_utf8(&self.buffer[..end]).expect("an ASCII head");
        let mut lines = text.lines();
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok())
            .unwrap_or_else(|| panic!("no status line in {text:?}"));
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        (status, headers, end)
    }

    /// One chunk: as it is framed, and its data. The last one is empty; trailers belong to its framing.
    async fn chunk(&mut self) -> (Vec<u8>, Vec<u8>) {
        let line = self.find(b"\r\n").await;
        let size = std::str::from_utf8(&self.buffer[..line]).expect("a chunk's size");
        let size = usize::from_str_radix(size, 16).expect("a chunk's size");
        if size == 0 {
            let end = self.find(b"\r\n\r\n").await + 4;
            return (self.take(end), Vec::new());
        }
        let end = line + 2 + size + 2;
        while self.buffer.len() < end {
            assert!(self.more().await, "the connection ends within a chunk");
        }
        let framed = self.take(end);
        let data = framed[line + 2..end - 2].to_vec();
        (framed, data)
    }

    async fn find(&mut self, what: &[u8]) -> usize {
        loop {
            if let Some(at) = self.buffer.windows(what.len()).position(|w| w == what) {
                return at;
            }
            assert!(
                self.more().await,
                "the connection ends after {:?}",
                String::from_utf8_lossy(&self.buffer)
            );
        }
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        self.buffer.drain(..bytes).collect()
    }

    /// Reads what is there; false at the connection's end.
    async fn more(&mut self) -> bool {
        assert!(self.buffer.len() < MOST, "over {MOST} bytes");
        let read = soon("bytes from the server", self.stream.read_buf(&mut self.buffer)).await;
        matches!(read, Ok(1..))
    }
}

impl Response {
    /// The first value of a header; the name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}
