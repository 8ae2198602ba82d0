//! What the scripted collector does with a request.

use serde_json::json;

use super::Received;
use crate::gate::Gate;

/// One answer, or the lack of one.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(super) kind: Kind,
    /// Passed before anything is answered.
    pub(super) gate: Option<Gate>,
    pub(super) headers: Vec<(&'static str, String)>,
    framing: Framing,
}

/// How an answer is put on the wire: what is between a client and its server may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// With its length.
    #[default]
    Length,
    /// In chunks of 7 bytes.
    Chunked,
    /// HTTP/1.0 and without its length: it ends with the connection.
    Http10,
    /// After a `100 Continue` that nobody asked for.
    AfterContinue,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// 200, and counts that add up.
    Stored { duplicates: bool },
    /// This status with this body.
    Status(u16, Vec<u8>),
    /// The connection is reset.
    Reset,
    /// The connection ends within the answer.
    Cut,
}

impl Answer {
    /// 200: every entry is stored.
    #[must_use]
    pub fn stored() -> Self {
        Self::new(Kind::Stored { duplicates: false })
    }

    /// 200: every entry was there before.
    #[must_use]
    pub fn duplicates() -> Self {
        Self::new(Kind::Stored { duplicates: true })
    }

    /// This status, with a body that says nothing.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::new(Kind::Status(status, b"{}".into()))
    }

    /// This status with this body.
    #[must_use]
    pub fn saying(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(Kind::Status(status, body.into()))
    }

    /// 200 with this body.
    #[must_use]
    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Self::new(Kind::Status(200, body.into()))
    }

    /// The request is read and the connection reset.
    #[must_use]
    pub fn reset() -> Self {
        Self::new(Kind::Reset)
    }

    /// The connection is closed within a good answer.
    #[must_use]
    pub fn cut() -> Self {
        Self::new(Kind::Cut)
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Put on the wire like this.
    #[must_use]
    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Not before this gate is passed.
    #[must_use]
    pub fn behind(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    fn new(kind: Kind) -> Self {
        Self { kind, gate: None, headers: Vec::new(), framing: Framing::default() }
    }

    /// Whether the connection ends with it.
    pub(super) fn ends_connection(&self) -> bool {
        self.framing == Framing::Http10
    }

    /// The answer's bytes; none where there is no answer.
    pub(super) fn bytes(&self, request: &Received) -> Vec<u8> {
        let (status, body) = match &self.kind {
            Kind::Stored { duplicates } => (200, stored(request, *duplicates).into_bytes()),
            Kind::Cut => (200, stored(request, false).into_bytes()),
            Kind::Status(status, body) => (*status, body.clone()),
            Kind::Reset => return Vec::new(),
        };
        let (before, version, length) = match self.framing {
            Framing::Length => ("", "1.1", format!("content-length: {}\r\n", body.len())),
            Framing::Chunked => ("", "1.1", "transfer-encoding: chunked\r\n".into()),
            Framing::Http10 => ("", "1.0", String::new()),
            Framing::AfterContinue => {
                ("HTTP/1.1 100 Continue\r\n\r\n", "1.1", format!("content-length: {}\r\n", body.len()))
            }
        };
        let mut text =
            format!("{before}HTTP/{version} {status} Scripted\r\ncontent-type: application/json\r\n{length}");
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        if self.framing == Framing::Chunked {
            for chunk in body.chunks(7) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(&body);
        }
        if matches!(self.kind, Kind::Cut) {
            bytes.truncate(bytes.len() - body.len() / 2);
        }
        bytes
    }
}

/// What a collector says about a batch that it took (protocols §1).
fn stored(request: &Received, duplicates: bool) -> String {
    let entries = request.entries().len();
    let (accepted, duplicates) = if duplicates { (0, entries) } else { (entries, 0) };
    json!({
        "status": "ok", "count": entries, "batch_id": request.json["batch_id"], "accepted": accepted,
        "duplicates": duplicates, "rejected": [], "durability": "fsync",
    })
    .to_string()
}
