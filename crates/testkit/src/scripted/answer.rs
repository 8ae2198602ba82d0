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
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// 200, and counts that add up.
    Stored { duplicates: bool },
    /// This status with this body.
    Status(u16, String),
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
        Self::new(Kind::Status(status, "{}".into()))
    }

    /// This status with this body.
    #[must_use]
    pub fn saying(status: u16, body: impl Into<String>) -> Self {
        Self::new(Kind::Status(status, body.into()))
    }

    /// 200 with this body.
    #[must_use]
    pub fn body(body: impl Into<String>) -> Self {
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

    /// Not before this gate is passed.
    #[must_use]
    pub fn behind(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    fn new(kind: Kind) -> Self {
        Self { kind, gate: None, headers: Vec::new() }
    }

    /// The answer's bytes; none where there is no answer.
    pub(super) fn bytes(&self, request: &Received) -> Vec<u8> {
        let (status, body) = match &self.kind {
            Kind::Stored { duplicates } => (200, stored(request, *duplicates)),
            Kind::Cut => (200, stored(request, false)),
            Kind::Status(status, body) => (*status, body.clone()),
            Kind::Reset => return Vec::new(),
        };
        let mut text = format!("HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\n");
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        let mut bytes = text.into_bytes();
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
