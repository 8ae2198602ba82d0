//! A request as the scripted collector got it.

use std::io::Read as _;
use std::time::Instant;

use flate2::read::GzDecoder;
use serde_json::Value;

/// More than any batch of a test.
const LARGEST: u64 = 64 << 20;

/// A request.
#[derive(Debug, Clone)]
pub struct Received {
    /// When it was whole.
    pub at: Instant,
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    /// `POST /logs HTTP/1.1`.
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent.
    pub sent: Vec<u8>,
    /// The body, inflated and read; null where it is no JSON.
    pub json: Value,
    /// Bytes of the body, inflated.
    pub inflated: usize,
}

impl Received {
    pub(super) fn new(head: &str, sent: Vec<u8>, connection: usize) -> Self {
        let mut lines = head.lines();
        let line = lines.next().unwrap_or_default().to_owned();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut plain = Vec::new();
        if headers.iter().any(|(name, value)| name == "content-encoding" && value == "gzip") {
            GzDecoder::new(&*sent).take(LARGEST).read_to_end(&mut plain).expect("valid gzip");
        } else {
            plain.clone_from(&sent);
        }
        let json = serde_json::from_slice(&plain).unwrap_or_default();
        Self { at: Instant::now(), connection, line, headers, sent, json, inflated: plain.len() }
    }

    /// The first value of a header; the name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The entries of the batch.
    #[must_use]
    pub fn entries(&self) -> &[Value] {
        self.json["logs"].as_array().map_or(&[], Vec::as_slice)
    }
}
