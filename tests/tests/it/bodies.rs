//! Bodies that are kept break nothing: over real sockets, with axum and with actix-web.
//!
//! | route | what it does |
//! |---|---|
//! | `POST /count` | reads the body piece by piece and answers its length and its sum |
//! | `POST /early` | answers 413 and never reads |
//! | `GET /flood/{n}` | streams `n` bytes of text |
//! | `POST /json` | answers the JSON that it was sent, with a secret of its own beside it |
//! | `GET /events` | an event stream |

mod actix;
mod axum;

use std::net::SocketAddr;
use std::time::Duration;

use hoplog::testing::{Capture, capture_with};
use hoplog::{Bodies, Client};
use hoplog_testkit::facts::fact;
use hoplog_testkit::wire::Wire;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PIECE: usize = 64 * 1024;
const GIB: u64 = 1 << 30;

#[expect(clippy::print_stdout, reason = "a figure, for who reads the test's output")]
/// What both frameworks' apps are held to.
async fn bodies_break_nothing(framework: &str, serve: impl AsyncFn(Client) -> SocketAddr) {
    // On a busy machine a gibibyte takes a while; no entry is to tell of that.
    let client = Client::builder().service("test").bodies(Bodies::default()).running_after(Duration::MAX);
    let capture = capture_with(client).unwrap();
    let address = serve(capture.client()).await;
    let mut entries = Entries { capture: &capture, seen: 0 };

    for size in [0, 1, PIECE as u64] {
        let (status, answer) = upload(address, "/count", "text/plain", size, PIECE).await;
        assert_eq!((status, answer), (200, counted(size)), "the handler sees every byte of {size}");
        let entry = entries.next("/count").await;
        assert_eq!(entry["request_size"], size);
        let kept = entry["request_body"].as_str().unwrap_or_default();
        assert_eq!(kept.len() as u64, size.min(4096));
        assert!(kept.bytes().all(|b| b == b'x'));
        assert_eq!(entry["request_body_truncated"], size > 4096, "{size} bytes");
    }
    keeps_and_masks_json(address, &mut entries).await;
    keeps_what_may_be_kept(address, &mut entries).await;
    early_answers_and_slow_readers(address, &mut entries).await;
    let grown = a_gibibyte_in_flat_memory(address, &mut entries).await;
    println!("\nFIGURE bodies.{framework}.grown_over_2_gib {:.1} MiB", grown as f64 / f64::from(1 << 20));
}

async fn keeps_and_masks_json(address: SocketAddr, entries: &mut Entries<'_>) {
    let body = r#"{"name": "Ada", "password": "hunter2", "list": [1, {"pin": 1234}]}"#;
    let request = format!(
        "POST /json HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut wire = Wire::connect(address).await;
    wire.send(request).await;
    let answer = wire.response("POST").await;
    assert_eq!(
        String::from_utf8(answer.body).unwrap(),
        format!("{{\"token\":\"t0ps3cret\",\"sent\":{body}}}")
    );
    let entry = entries.next("/json").await;
    let masked = r#"{"name": "Ada", "password": "[redacted]", "list": [1, {"pin": "[redacted]"}]}"#;
    assert_eq!(entry["request_body"], masked, "what is not secret stays byte for byte");
    assert_eq!(entry["response_body"], format!("{{\"token\":\"[redacted]\",\"sent\":{masked}}}"));
    assert_eq!(
        (&entry["request_body_truncated"], &entry["response_body_truncated"]),
        (&false.into(), &false.into())
    );
}

async fn keeps_what_may_be_kept(address: SocketAddr, entries: &mut Entries<'_>) {
    // Of an unlisted type, encoded, or no text: not kept, or by its hash alone.
    for (content_type, hashed) in [("image/png", false), ("text/plain", true)] {
        let mut wire = Wire::connect(address).await;
        let head = format!(
            "POST /count HTTP/1.1\r\nhost: test\r\ncontent-type: {content_type}\r\ncontent-length: 4\r\n\r\n"
        );
        wire.send([head.as_bytes(), b"\xff\xfe\0\x01"].concat()).await;
        assert_eq!(wire.response("POST").await.status, 200);
        let entry = entries.next("/count").await;
        assert!(entry["request_body"].is_null(), "{content_type}");
        assert_eq!(entry["request_body_hash"].is_string(), hashed, "{content_type}");
        assert_eq!(entry["request_size"], 4);
    }
    let mut wire = Wire::connect(address).await;
    wire.send("GET /events HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert_eq!(wire.response("GET").await.body, b"data: 1\n\n");
    assert!(entries.next("/events").await["response_body"].is_null(), "an event stream is never kept");
}

async fn early_answers_and_slow_readers(address: SocketAddr, entries: &mut Entries<'_>) {
    let mut wire = Wire::connect(address).await;
    wire.send("POST /early HTTP/1.1\r\nhost: test\r\ncontent-type: text/plain\r\ncontent-length: 1000000\r\n\r\nfirst").await;
    assert_eq!(wire.response("POST").await.status, 413);
    let entry = entries.next("/early").await;
    assert_eq!((&entry["status_code"], &entry["request_size"]), (&413.into(), &1_000_000.into()));
    assert_eq!(entry["request_body_truncated"], true, "it was not read to its end");

    let mut wire = Wire::connect(address).await;
    wire.send("POST /early HTTP/1.1\r\nhost: test\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n").await;
    assert_eq!(wire.response("POST").await.status, 413);
    let entry = entries.next("/early").await;
    assert!(
        entry["request_size"].is_null(),
        "nobody said its size and nobody read it: {}",
        entry["request_size"]
    );
    assert_eq!(entry["request_body_truncated"], true);

    // A reader that stops holds the app back, with the tap as without: nothing piles up here.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let most = 64 << 20;
    stream.write_all(format!("GET /flood/{most} HTTP/1.1\r\nhost: test\r\n\r\n").as_bytes()).await.unwrap();
    let mut first = vec![0; 1 << 20];
    stream.read_exact(&mut first).await.unwrap();
    drop(stream);
    let entry = entries.next("/flood/67108864").await;
    assert_eq!(entry["outcome"], "body_aborted");
    let sent = entry["response_size"].as_u64().unwrap();
    assert!((1 << 19..most / 2).contains(&sent), "{sent} bytes went ahead of a reader that stopped");
    assert_eq!(entry["response_body"].as_str().unwrap().len(), 4096);
    assert_eq!(entry["response_body_truncated"], true);
}

/// Chunked, so that the tap alone knows the size.
async fn a_gibibyte_in_flat_memory(address: SocketAddr, entries: &mut Entries<'_>) -> u64 {
    let before = peak();
    let (status, answer) = upload_chunked(address, "/count", GIB).await;
    assert_eq!((status, answer), (200, counted(GIB)));
    let up = entries.next("/count").await;
    assert_eq!((up["request_size"].as_u64(), &up["request_body_truncated"]), (Some(GIB), &true.into()));

    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(format!("GET /flood/{GIB} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let (mut piece, mut read) = (vec![0; PIECE], 0);
    loop {
        match stream.read(&mut piece).await.unwrap() {
            0 => break,
            n => read += n as u64,
        }
    }
    assert!(read > GIB);
    let down = entries.next(&format!("/flood/{GIB}")).await;
    assert_eq!((down["response_size"].as_u64(), &down["outcome"]), (Some(GIB), &"completed".into()));
    assert_eq!(down["response_body"].as_str().unwrap().len(), 4096);
    let grown = peak().saturating_sub(before);
    // Other tests may run beside this one.
    assert!(grown < 64 << 20, "two gibibytes went by, and memory grew by {grown} bytes");
    grown
}

/// The most memory that this process ever held.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// What `/count` answers for so many `x`.
fn counted(size: u64) -> String {
    format!("{size} {}", size * u64::from(b'x'))
}

async fn upload(
    address: SocketAddr,
    path: &str,
    content_type: &str,
    size: u64,
    piece: usize,
) -> (u16, String) {
    let mut wire = Wire::connect(address).await;
    wire.send(format!(
        "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: {content_type}\r\ncontent-length: {size}\r\n\r\n"
    ))
    .await;
    let mut left = size as usize;
    while left > 0 {
        let now = left.min(piece);
        wire.send(vec![b'x'; now]).await;
        left -= now;
    }
    let answer = wire.response("POST").await;
    (answer.status, String::from_utf8(answer.body).unwrap())
}

async fn upload_chunked(address: SocketAddr, path: &str, size: u64) -> (u16, String) {
    let mut wire = Wire::connect(address).await;
    wire.send(format!(
        "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
    ))
    .await;
    let chunk = [format!("{PIECE:x}\r\n").as_bytes(), &[b'x'; PIECE], b"\r\n"].concat();
    for _ in 0..size / PIECE as u64 {
        wire.send(&chunk).await;
    }
    wire.send("0\r\n\r\n").await;
    let answer = wire.response("POST").await;
    (answer.status, String::from_utf8(answer.body).unwrap())
}

struct Entries<'a> {
    capture: &'a Capture,
    seen: usize,
}

impl Entries<'_> {
    /// The one entry that is new.
    async fn next(&mut self, path: &str) -> Value {
        let entries = fact(&format!("the entry of {path}"), || {
            let entries = self.capture.entries();
            (entries.len() > self.seen).then_some(entries)
        })
        .await;
        assert_eq!(entries.len(), self.seen + 1, "one entry per request");
        self.seen += 1;
        assert_eq!(entries[self.seen - 1]["path"], path);
        entries[self.seen - 1].clone()
    }
}
